"""The portal of a round: its own database and broker, real worker and beat processes, production pacing."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg
import redis

from bench.processes import ROOT, BenchFailed, Child, cpu_seconds, python
from bench.sandboxes import PASSWORD, USER, Sandbox

PROCFILE: Final = ROOT / "Procfile"


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """Where database and broker come from: a private PostgreSQL and Redis, or files."""

    folder: Path
    postgres: str = ""
    postgres_pid: int = 0
    redis: str = ""
    redis_pid: int = 0

    @property
    def engine(self) -> str:
        """`postgres` (with Redis) or `sqlite` (with the folder broker)."""
        return "postgres" if self.postgres else "sqlite"

    def versions(self) -> dict[str, str]:
        """Of database and broker."""
        if not self.postgres:
            return {"SQLite": sqlite3.sqlite_version, "broker": "folder"}
        with psycopg.connect(self.postgres) as connection:
            row = connection.execute("SHOW server_version").fetchone()
        info: Any = redis.Redis.from_url(self.redis).info("server")
        return {"PostgreSQL": str(row[0] if row else "?").split()[0], "Redis": str(info["redis_version"])}


@contextmanager
def services(engine: str, folder: Path) -> Iterator[Services]:
    """Database and broker for a whole run. `auto` takes PostgreSQL and Redis where both are installed."""
    script = str(ROOT / "scripts" / "services.sh")
    home = folder / "services"
    env = {**os.environ, "SERVICES_HOME": str(home)}
    missing = subprocess.run([script, "missing"], env=env, check=True, capture_output=True, text=True).stdout
    if engine == "sqlite" or (engine == "auto" and missing):
        yield Services(folder=folder)
        return
    if missing:
        raise BenchFailed(f"not installed: {missing.strip()}")
    try:
        told = subprocess.run([script, "start"], env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
        exports = dict(line.removeprefix("export ").split("=", 1) for line in told.splitlines())
        yield Services(
            folder=folder,
            postgres=exports["TEST_DATABASE_URL"].replace("postgres://", "postgresql://"),
            postgres_pid=int((home / "postgres.pid").read_text()),
            redis=exports["TEST_REDIS_URL"],
            redis_pid=int((home / "redis.pid").read_text()),
        )
    finally:
        subprocess.run([script, "stop"], env=env, check=False)


@dataclass(kw_only=True, slots=True)
class Portal:
    """One database, and the processes that work on it."""

    services: Services
    folder: Path
    database: str
    environment: dict[str, str]
    children: list[Child] = field(default_factory=list)

    def inside(self, order: str, **arguments: Any) -> Any:
        """An order to `bench/inside.py`, which has Django."""
        done = subprocess.run(
            python("-m", "bench.inside", order), cwd=ROOT, env=self.environment, check=False, capture_output=True,
            text=True, input=json.dumps(arguments),
        )  # fmt: skip
        if done.returncode:
            raise BenchFailed(f"inside {order}: {done.stderr[-3000:]}")
        return json.loads(done.stdout.splitlines()[-1])

    def manage(self, *arguments: str) -> None:
        """A management command."""
        done = subprocess.run(
            python("manage.py", *arguments), cwd=ROOT, env=self.environment, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise BenchFailed(f"manage.py {arguments[0]}: {done.stderr[-3000:]}")

    def worker(self) -> Child:
        """The worker of the Procfile."""
        line = next(line for line in PROCFILE.read_text().splitlines() if line.startswith("worker: celery "))
        return self._celery("worker", *shlex.split(line.removeprefix("worker: celery ")))

    def beat(self) -> Child:
        """The beat of the Procfile."""
        schedule = str(self.folder / "beat-schedule")
        return self._celery("beat", "-A", "recovery_portal", "beat", "--schedule", schedule, "--loglevel", "info")

    def _celery(self, name: str, *options: str) -> Child:
        child = Child(name, python("-m", "celery", *options), env=self.environment, folder=self.folder)
        self.children.append(child)
        return child

    def check(self) -> None:
        """Nobody has ended."""
        for child in self.children:
            child.check()

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far, of everything that is the portal's: worker, beat, database, broker."""
        used: dict[str, float] = {}
        for child in self.children:
            used[child.name] = used.get(child.name, 0.0) + cpu_seconds([child.pid])
        if self.services.postgres_pid:
            used["postgres"] = cpu_seconds([self.services.postgres_pid])
            used["redis"] = cpu_seconds([self.services.redis_pid])
        return used

    def read(self, query: str) -> list[tuple[Any, ...]]:
        """A query without Django: it costs the measured processes nothing."""
        if self.services.postgres:
            with psycopg.connect(self.services.postgres, dbname=self.database) as connection:
                return connection.execute(query.encode()).fetchall()
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=20)) as base:
            return list(base.execute(query))

    def epoch(self, column: str) -> str:
        """SQL for a time stamp as epoch seconds."""
        if self.services.postgres:
            return f"extract(epoch from {column})::float8"
        return f"(julianday({column}) - 2440587.5) * 86400.0"

    def close(self) -> None:
        """End worker and beat."""
        for child in reversed(self.children):
            child.end()
        self.children.clear()


def _environment(services: Services, folder: Path, database: str, number: int) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG", "TMPDIR"}}
    base = f"{services.postgres.replace('postgresql:', 'postgres:').rpartition('/')[0]}/{database}"
    return kept | {
        "PORTAL_ENV_FILE": os.devnull,
        "PORTAL_VAR_DIR": str(folder),
        "PORTAL_ID": "bench",
        "DATABASE_URL": base if services.postgres else f"sqlite:///{database}",
        "CELERY_BROKER_URL": f"{services.redis.rpartition('/')[0]}/{number}" if services.redis else "filesystem://",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "INSECURE_HTTP": "true",
        "LOG_LEVEL": "WARNING",
        "KNOX_TOPOLOGY": "sandbox",
        "AD_USER": USER,
        "AD_PASSWORD": PASSWORD,
        "LIVY_RECOVERY": "true",
        "PYTHONUNBUFFERED": "1",
    }


class Portals:
    """Makes a portal for each round from one migrated database."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._template = "bench_template" if services.postgres else str(services.folder / "template.sqlite3")
        self._number = 0
        self._create(self._template)
        made = self._portal(self._template, services.folder / "template")
        made.manage("migrate", "--verbosity", "0")
        made.inside("people")

    @contextmanager
    def fresh(self, sandbox: Sandbox, *, scale: float = 1.0, **variables: str) -> Iterator[Portal]:
        """A portal with an empty database, whose profile `env` leads to this sandbox."""
        self._number += 1
        folder = self._services.folder / f"portal-{self._number}"
        name = f"bench_{self._number}" if self._services.postgres else str(folder / "portal.sqlite3")
        folder.mkdir(parents=True)
        self._create(name, template=self._template)
        portal = self._portal(name, folder)
        portal.environment |= {"KNOX_HOST": sandbox.root, "PORTAL_PACING_SCALE": str(scale), **variables}
        try:
            yield portal
        finally:
            portal.close()
            if self._services.postgres:
                self._on_server(f"DROP DATABASE {name} WITH (FORCE)")
                redis.Redis.from_url(portal.environment["CELERY_BROKER_URL"]).flushdb()
            shutil.rmtree(folder)

    def _portal(self, database: str, folder: Path) -> Portal:
        folder.mkdir(parents=True, exist_ok=True)
        number = self._number % 15 + 1  # Redis has 16 databases
        environment = _environment(self._services, folder, database, number)
        return Portal(services=self._services, folder=folder, database=database, environment=environment)

    def _create(self, name: str, template: str = "") -> None:
        if self._services.postgres:
            self._on_server(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        elif template:
            with closing(sqlite3.connect(template)) as old, closing(sqlite3.connect(name)) as new:
                old.backup(new)

    def _on_server(self, statement: str) -> None:
        with psycopg.connect(self._services.postgres, autocommit=True) as connection:
            connection.execute(statement.encode())
