"""The orders of `bench/pages.py` that need Django: a million recoveries, and pages of them measured in turns."""

from __future__ import annotations

import resource
import time
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recovery.domain.gateways import Channel
from recovery.domain.states import TERMINAL, State
from recovery.models import LivyProfile, Recovery, RecoveryEvent
from recovery.services.filing import Origin, file_recovery

BASE: Final = 1_000
"""Rows filed as any other; the rest are copies of them, made by the database."""
APART: Final = 26
"""Hours between a copy and the next one: a million rows are three years."""
NEEDLE: Final = "needle-4711"
JAR: Final = "hdfs:///user/sddesigner/recovery-{}.jar"


def many(*, rows: int) -> int:
    """`rows` recoveries (a multiple of a thousand), the oldest first, each with its first event."""
    user, profile = User.objects.get(username="steward"), LivyProfile.objects.get(managed_by_env=True)
    copies = rows // BASE - 1
    oldest = timezone.now() - timedelta(hours=APART * copies + 24)
    for number in range(BASE):
        origin = Origin(by=user, channel=Channel.COMMAND)
        arguments = f"--date 20240101 --table base{number % 40}.active"
        path = JAR.format(number % 20)
        filed = file_recovery(
            profile=profile, jar_path=path, jar_args=arguments, origin=origin, reason="bench", now=timezone.now()
        )
        _aged(filed.recovery.pk, number, oldest)
    _copied(copies)
    Recovery.objects.filter(pk__in=[rows // 3, rows // 2, rows - 7]).update(reason=f"ticket {NEEDLE}")
    if connection.vendor == "postgresql":  # as autovacuum would have it by now
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    return Recovery.objects.count()


def _aged(pk: int, number: int, oldest: Any) -> None:
    """Of a thousand 1 runs, 40 failed, 10 were cancelled, 10 refused, 5 lost and settled, and the others succeeded."""
    begun = oldest + timedelta(seconds=80 * number)
    state, outcome = State.SUCCEEDED, "success"
    for upto, other, word in (
        (1, State.RUNNING, ""), (41, State.FAILED, "job_failed"), (51, State.CANCELLED, "cancelled_verified"),
        (61, State.REFUSED, "refused_by_server"), (66, State.LOST, "gone"),
    ):  # fmt: skip
        if number < upto:
            state, outcome = other, word
            break
    ended = state in TERMINAL
    Recovery.objects.filter(pk=pk).update(
        state=state.value, outcome=outcome, created_at=begun, submitted_at=begun, started_at=begun, livy_id=number,
        app_id=f"application_1700000000000_{number:04d}", next_action_at=None, log_due_at=None,
        finished_at=begun + timedelta(minutes=7) if ended else None,
        settled_as="succeeded" if state is State.LOST else "",
    )  # fmt: skip


def _copied(copies: int) -> None:
    """INSERT … SELECT: a million times through the ORM would take minutes and prove nothing."""
    table, events = Recovery._meta.db_table, RecoveryEvent._meta.db_table
    columns = [str(field.column) for field in Recovery._meta.concrete_fields if field.column != "id"]
    values, given = [], []
    for name in columns:
        if name in ("created_at", "submitted_at", "started_at", "finished_at"):
            later, parameters = _later(f"r.{name}")
            values.append(later)
            given += parameters
        else:
            values.append(f"r.{name} || '-' || n" if name == "batch_name" else f"r.{name}")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "  # no input
            f"FROM {_numbers()}, {table} r ORDER BY n, r.id",
            [*given, copies],
        )
        cursor.execute(
            f"INSERT INTO {events} (subject_type, subject_id, seq, at, actor_id, actor_label, kind, cause, data)"
            f" SELECT 'recovery', r.id, 1, r.created_at, r.requester_id, r.requester_label, 'filed', '', '{{}}' "
            f"FROM {table} r WHERE r.id > %s",
            [BASE],
        )


def _later(column: str) -> tuple[str, list[Any]]:
    """SQL of a time n copies later, and its parameters."""
    if connection.vendor == "postgresql":
        return f"{column} + n * %s * interval '1 hour'", [APART]
    return f"strftime(%s, {column}, '+' || (n * %s) || ' hours')", ["%Y-%m-%d %H:%M:%f", APART]


def _numbers() -> str:
    """SQL of the numbers n from 1 to its parameter."""
    if connection.vendor == "postgresql":
        return "generate_series(1, %s) AS numbers(n)"
    return "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %s) SELECT n FROM c) AS numbers"


def pages(*, rounds: int) -> dict[str, Any]:
    """Seconds of each page, ours and the plain one in turns, and the queries of ours."""
    client = _signed_in()
    total = Recovery.objects.count()
    middle = total // 2
    ours, plain = "/admin/recovery/recovery/", "/plain/recovery/recovery/"
    wanted = {
        "first": "", "deep": f"?p={total // 100}", "filtered": "?state__exact=failed",
        "search": f"?q={NEEDLE}", "detail": f"{middle}/change/",
    }  # fmt: skip
    found: dict[str, Any] = {"rows": total}
    for name, tail in wanted.items():
        sides = {"ours": ours + tail, "plain": plain + tail}
        times: dict[str, list[float]] = {f"{side}{part}": [] for side in sides for part in ("", "_database")}
        for number in range(rounds + 1):
            for side, address in sides.items():
                seconds, database = _times(client, address)
                if number:  # the first one warms up
                    times[side].append(round(seconds, 5))
                    times[f"{side}_database"].append(round(database, 5))
        found[name] = times | {"queries": [_queries(client, sides["ours"])]}
    found["home"] = {"ours": [round(_seconds(client, "/admin/"), 5) for _ in range(rounds)],
                     "queries": [_queries(client, "/admin/")]}  # fmt: skip
    found["live"] = _live(client)
    found["filing"] = {"queries": [_filing()]}
    return found


def _signed_in() -> Client:
    settings.ROOT_URLCONF = "bench.plain"
    settings.ALLOWED_HOSTS = ["*"]
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "structlog" not in name]  # no line for each page
    person, made = User.objects.get_or_create(username="operator", is_staff=True)
    if made:  # who sees most of it, and whose rights cost queries, as a superuser's do not
        person.groups.add(Group.objects.get(name="Operators"))
    client = Client()
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def export(*, form: str, rows: int) -> dict[str, float]:
    """The newest `rows` (to the day) taken home: bytes, seconds, and the process's highest memory in MB."""
    client = _signed_in()
    newest = Recovery.objects.order_by("-id")
    last = newest[rows : rows + 1].get().created_at
    begun, size = time.perf_counter(), 0
    response: Any = client.get(f"/admin/recovery/recovery/export/{form}/?created_at_from={last:%Y-%m-%d}")
    for chunk in response.streaming_content:
        size += len(chunk)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"bytes": size, "seconds": round(time.perf_counter() - begun, 2), "megabytes": round(peak, 1)}


def _seconds(client: Client, address: str) -> float:
    begun = time.perf_counter()
    response = client.get(address)
    taken = time.perf_counter() - begun
    if response.status_code != 200:
        raise SystemExit(f"{address}: {response.status_code}")
    return taken


def _times(client: Client, address: str) -> tuple[float, float]:
    """Seconds of a page, and those of them that were spent in its queries."""
    spent = 0.0

    def timed(execute: Any, *arguments: Any) -> Any:
        nonlocal spent
        begun = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            spent += time.perf_counter() - begun

    with connection.execute_wrapper(timed):
        return _seconds(client, address), spent


def _queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        _seconds(client, address)
    return len(seen)


def _live(client: Client) -> dict[str, Any]:
    """The part of the home page that is asked for again and again."""
    address = "/admin/recovery/recovery/home/live/"
    tag = client.get(address)["ETag"]
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(address, headers={"If-None-Match": tag})
    return {"queries": [len(seen)], "status": answer.status_code, "changed": [_queries(client, address)]}


def _filing() -> int:
    """Statements of a filing from the profile to the stored row, more than the bare insert's one."""
    profile = LivyProfile.objects.select_related("gateway").get(managed_by_env=True)
    origin = Origin(by=User.objects.get(username="steward"), channel=Channel.COMMAND)
    with CaptureQueriesContext(connection) as seen:
        file_recovery(
            profile=profile, jar_path=JAR.format("new"), jar_args="--date 20240102", origin=origin, reason="bench",
            now=timezone.now(),
        )  # fmt: skip
    return len(seen) - 1
