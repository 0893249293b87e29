"""What a bench does inside Django: `python -m bench.inside ORDER`, arguments as JSON on stdin, the answer on stdout.

Rows that are followed are written here with the columns that submission and following leave behind, because ten
thousand POSTs would take ten minutes; everything measured happens in the worker.
"""

from __future__ import annotations

import json
import os
import random
import sys
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recovery_portal.settings")
django.setup()

from django.conf import settings  # noqa: E402  # after setup
from django.contrib.auth.models import User  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench import inside_pages  # noqa: E402
from recovery.domain.gateways import Channel  # noqa: E402
from recovery.domain.naming import batch_name  # noqa: E402
from recovery.domain.states import State  # noqa: E402
from recovery.models import LivyProfile, Recovery  # noqa: E402
from recovery.services import attempts  # noqa: E402
from recovery.services.filing import Origin, file_recovery  # noqa: E402
from recovery.services.gateways import open_client  # noqa: E402
from recovery.services.preview import frozen  # noqa: E402
from recovery.services.profiles import payload_of, sync_env  # noqa: E402

JAR = "hdfs:///user/sddesigner/recovery.jar"
OLD = 60.0
"""Seconds that seeded batches have been running."""


def people() -> str:
    """The one who files."""
    return User.objects.create_user("steward").username


def profile() -> LivyProfile:
    """The profile `env`, on the sandbox of this round."""
    found = sync_env()
    if found is None:
        raise SystemExit("KNOX_HOST is not set")
    return found


def seed(*, root: str, batches: int) -> int:
    """`batches` that run for hours, in the sandbox at `root` and as rows that are followed."""
    env = profile()
    payload, mode = payload_of(env, jar_path=JAR, jar_args="--date 20240101 --table splio.active --sleep 86400")
    names = [batch_name(portal_id=settings.PORTAL_ID, jar_path=JAR, token=f"{n:012x}") for n in range(batches)]
    texts = [frozen(payload, mode, name=name) for name in names]
    bodies = [json.loads(text.sent_text) for text in texts]
    request = urllib.request.Request(f"{root}/__sandbox__/seed", json.dumps({"bodies": bodies, "age": OLD}).encode())
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=120) as answer:
        json.load(answer)
    with open_client(env.gateway) as client:
        pages = [client.list(start=start, size=1000).batches for start in range(0, batches, 1000)]
    found = {batch.name: attempts.facts_of(batch) for page in pages for batch in page}
    now, dice = timezone.now(), random.Random(0)
    submitted = now - timedelta(seconds=OLD)
    user = User.objects.get(username="steward")
    pacing = settings.RECOVERY_PACING
    # as they are after some minutes: looks spread over a minute, more logs due than are read (one a second)
    rows = [
        Recovery(
            gateway=env.gateway, profile=env, profile_name=env.name, profile_version=env.version, jar_path=JAR,
            raw_jar_args=payload.args[0], args=list(payload.args), args_mode=mode.value, payload=text.text,
            payload_sha256=text.sha256, sent_payload=text.sent_text, batch_name=name,
            asked_proxy_user=payload.proxy_user or "", state=State.RUNNING.value, tries=1, fence=1, post_begun_try=1,
            try_started_at=submitted, try_ends_at=submitted, submit_by=now + timedelta(days=1), submitted_at=submitted,
            started_at=submitted, seen_at=now, log_due_at=now - timedelta(seconds=dice.uniform(0, pacing.log_every)),
            next_action_at=now + timedelta(seconds=dice.uniform(0, pacing.listed_again)),
            requester=user, requester_label=user.username, channel=Channel.COMMAND.value, reason="bench",
            **found[name],
        )
        for name, text in zip(names, texts, strict=True)
    ]  # fmt: skip
    return len(Recovery.objects.bulk_create(rows, batch_size=500))


def file(*, arguments: list[str]) -> int:
    """File one recovery for each of `arguments`, as any door does."""
    env = profile()
    origin = Origin(by=User.objects.get(username="steward"), channel=Channel.COMMAND)
    for jar_args in arguments:
        file_recovery(profile=env, jar_path=JAR, jar_args=jar_args, origin=origin, reason="bench", now=timezone.now())
    return len(arguments)


ORDERS: dict[str, Callable[..., object]] = {
    "people": people, "seed": seed, "file": file, "many": inside_pages.many, "pages": inside_pages.pages,
    "export": inside_pages.export,
}  # fmt: skip


def main() -> int:
    """Carry out the order."""
    arguments: dict[str, Any] = json.load(sys.stdin)
    print(json.dumps(ORDERS[sys.argv[1]](**arguments)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
