"""Real worker processes on a database of their own, against a sandbox in this process. Where the test services run
(TEST_DATABASE_URL, TEST_REDIS_URL) they stand on PostgreSQL and Redis, else on SQLite and a folder as broker."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from redis import Redis

from sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
FILE_ONE = """
import json, sys
from django.contrib.auth.models import User
from django.utils import timezone
from recovery.domain.gateways import Channel
from recovery.models import LivyProfile
from recovery.services.filing import Origin, file_recovery
user, _ = User.objects.get_or_create(username="steward")
profile = LivyProfile.objects.get(managed_by_env=True)
filed = file_recovery(profile=profile, jar_path="hdfs:///user/sddesigner/recovery.jar", jar_args=ARGS,
                      origin=Origin(by=user, channel=Channel.COMMAND), now=timezone.now())
print(json.dumps([filed.recovery.pk, filed.recovery.batch_name]))
"""
READ = """
import json
from recovery.models import Recovery, RecoveryEvent
row = Recovery.objects.filter(pk=PK).values("state", "outcome", "livy_id", "tries", "may_have_started")[0]
row["kinds"] = list(RecoveryEvent.objects.filter(subject_type="recovery", subject_id=PK).values_list("kind", flat=True))
print(json.dumps(row))
"""


class Site:
    """The portal's processes."""

    def __init__(self, folder: Path, sandbox: Sandbox, *, database: str, broker: str) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.broker = broker
        self.children: list[subprocess.Popen[bytes]] = []
        host = sandbox.url.split("/gateway/")[0]
        kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG"} or k.startswith("COV")}
        self.environment = kept | {
            "PORTAL_ENV_FILE": os.devnull,
            "PORTAL_VAR_DIR": str(folder),
            "PORTAL_PACING_SCALE": "0.05",
            "DATABASE_URL": database,
            "CELERY_BROKER_URL": broker,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "DEBUG": "true",
            "KNOX_HOST": host,
            "KNOX_TOPOLOGY": "sandbox",
            "AD_USER": "svc_portal",
            "AD_PASSWORD": "svc-password",
        }
        self.manage("migrate", "--verbosity", "0")

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        log = (self.folder / "celery.log").open("ab")
        with log:
            child = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "recovery_portal", *command, "--loglevel", "WARNING"],
                cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.children.append(child)
        return child

    def worker(self) -> subprocess.Popen[bytes]:
        queues = "submit,follow,logs,housekeeping"
        options = ("--concurrency", "1", "--without-mingle", "--without-gossip", "--without-heartbeat")
        return self.start("worker", "--queues", queues, *options)

    def beat(self) -> subprocess.Popen[bytes]:
        return self.start("beat")

    def kill(self, child: subprocess.Popen[bytes]) -> None:
        """kill -9, the pool's processes too: nothing gets a last word."""
        os.killpg(child.pid, signal.SIGKILL)
        child.wait(10)

    def forget_messages(self) -> None:
        """The broker loses everything it holds."""
        if self.broker.startswith("redis:"):
            with Redis.from_url(self.broker) as redis:
                redis.flushdb()
            return
        messages = self.folder / "broker" / "messages"
        shutil.rmtree(messages)
        messages.mkdir()

    def file(self, jar_args: str) -> tuple[int, str]:
        pk, name = json.loads(self.manage("shell", "-v", "0", "-c", FILE_ONE.replace("ARGS", repr(jar_args))))
        return pk, name

    def read(self, pk: int) -> dict[str, Any]:
        row: dict[str, Any] = json.loads(self.manage("shell", "-v", "0", "-c", READ.replace("PK", str(pk))))
        return row

    def until(self, condition: Callable[[], bool], *, within: float = 40) -> None:
        end = time.monotonic() + within
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.1)
        log = (self.folder / "celery.log").read_text(errors="replace")[-3000:]
        raise AssertionError(f"not within {within} s; the workers' log ends with:\n{log}")

    def ended(self, pk: int, *, within: float = 40) -> dict[str, Any]:
        self.until(
            lambda: self.read(pk)["state"] in {"succeeded", "failed", "cancelled", "refused", "lost"}, within=within
        )
        return self.read(pk)

    def close(self) -> None:
        for child in self.children:
            if child.poll() is None:
                self.kill(child)


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    server = os.environ.get("TEST_DATABASE_URL")
    if server is None:
        yield f"sqlite:///{folder / 'portal.sqlite3'}"
        return
    name = f"site_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@contextmanager
def _broker() -> Iterator[str]:
    """One of Redis' sixteen databases for each of the processes that run tests side by side."""
    server = os.environ.get("TEST_REDIS_URL")
    if server is None:
        yield "filesystem://"
        return
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 15 + 1
    url = urlsplit(server)._replace(path=f"/{number}").geturl()
    with Redis.from_url(url) as redis:
        redis.flushdb()
    yield url


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with (
        Sandbox(post_cost=0.0, speed=10.0, retain=100_000) as sandbox,
        _database(tmp_path) as database,
        _broker() as broker,
    ):
        place = Site(tmp_path, sandbox, database=database, broker=broker)
        try:
            yield place
        finally:
            place.close()
