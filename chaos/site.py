"""A whole portal for one run: a sandbox for each gateway, servers, web, workers and beats, in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from chaos import points
from chaos.plan import BEATS, GATEWAYS, SCALE, SPEED, WORKERS, Gateway
from chaos.processes import Process, end_all
from chaos.weather import KNOX

ROOT: Final = Path(__file__).resolve().parent.parent
RETENTION: Final = 600
"""Real seconds for which Livy remembers what has ended: longer than a run, and declared so."""
MAKE: Final = """
import json, os
from django.contrib.auth.models import Group, User
from recovery.models import Gateway, LivyProfile
for place in json.loads(os.environ["CHAOS_PLACES"]):
    gateway = Gateway.objects.create(**place)
    LivyProfile.objects.create(name=place["name"], gateway=gateway, queue="root.datalake", driver_memory="1g")
user = User.objects.create_user("steward")
user.groups.add(Group.objects.get(name="Stewards"))
"""


class CannotStart(Exception):
    """Something of the run does not come up; says what."""


class Site:
    """Everything that is started for a run; `close` ends it all, and nothing else."""

    def __init__(self, folder: Path, setup: str, *, with_points: bool = True) -> None:
        self.folder = folder
        self.setup = setup
        self.orders = points.Orders(folder / "orders")
        self.portal: dict[str, Process] = {}
        self.sandboxes: dict[str, Process] = {}
        self.urls: dict[str, str] = {}
        self.services_home = folder / "services"
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = _kept() | {
            "PORTAL_ENV_FILE": os.devnull,
            "PORTAL_VAR_DIR": str(folder / "portal"),
            "PORTAL_ID": "chaos",
            "PORTAL_PACING_SCALE": str(SCALE),
            "SECRET_KEY": secrets.token_urlsafe(50),
            "CHAOS_PASSWORD": "svc-password",
            points.FOLDER: str(self.orders.folder),
            "DATABASE_URL": f"sqlite:///{folder / 'portal.sqlite3'}",
            "CELERY_BROKER_URL": "filesystem://",
            "DEBUG": "true",
            "INSECURE_HTTP": "true",
            "LOG_LEVEL": "WARNING",
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108  # where PostgreSQL's own account may look
        }

    # ── coming up ───────────────────────────────────────────────────────────────────────────────────────────────

    def open(self) -> str:
        """Start everything; the steward's token."""
        if self.setup == "postgres":
            self._start_services()
        for gateway in GATEWAYS:
            self._start_sandbox(gateway)
        (self.folder / "portal").mkdir(exist_ok=True)
        self.manage("migrate", "--verbosity", "0")
        self.manage("shell", "-v", "0", "-c", MAKE, CHAOS_PLACES=json.dumps([self._place(g) for g in GATEWAYS]))
        token = self.manage("create_api_token", "steward", "--name", "chaos").strip().split()[-1]
        self._start_portal()
        self._until_web_answers(token)
        return token

    def manage(self, *arguments: str, **extra: str) -> str:
        """Run a management command to its end; its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment | extra, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise CannotStart(f"manage.py {arguments[0]} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done.stdout

    def _process(self, name: str, *command: str) -> Process:
        log = self.folder / "logs" / f"{name}.log"
        log.parent.mkdir(exist_ok=True)
        process = Process(name=name, command=command, cwd=ROOT, log=log, environment=self.environment)
        process.start()
        return process

    def _start_sandbox(self, gateway: Gateway) -> None:
        options = [
            "--mode", gateway.mode, "--speed", str(SPEED), "--knox-timeout", str(KNOX), "--post-cost", "0.02",
            "--retain", str(RETENTION * SPEED), "--yarn-age", "86400", "--max-creation", "1000",
            "--state-dir", str(self.ledger(gateway.name).parent), *(["--recovery"] if gateway.recovery else []),
        ]  # fmt: skip
        process = self._process(f"sandbox-{gateway.name}", sys.executable, "-m", "sandbox", *options)
        self.sandboxes[gateway.name] = process
        for _ in range(200):
            text = process.log.read_text(encoding="utf-8")
            if text.startswith("http") and "\n" in text:
                self.urls[gateway.name] = text.split("\n", 1)[0]
                return
            time.sleep(0.05)
        raise CannotStart(f"the sandbox {gateway.name} does not start: {process.log.read_text()[-2000:]}")

    def ledger(self, gateway: str) -> Path:
        """Where a sandbox writes what really ran."""
        return self.folder / "ledgers" / gateway / "ledger.jsonl"

    def _place(self, gateway: Gateway) -> dict[str, Any]:
        """The portal's row of a gateway."""
        return {
            "name": gateway.name, "base_url": self.urls[gateway.name], "user": "svc_portal",
            "secret_ref": "env:CHAOS_PASSWORD", "yarn_path": "resourcemanager/v1/cluster" if gateway.yarn else "",
            "livy_recovery": gateway.recovery, "retention_seconds": RETENTION, "max_running": gateway.max_running,
        }  # fmt: skip

    def _start_portal(self) -> None:
        celery = (sys.executable, "-m", "celery", "-A", "recovery_portal")
        quiet = ("--loglevel", "WARNING")
        web = ("--bind", f"127.0.0.1:{self.port}", "--workers", "1", "--threads", "4", "--timeout", "120")
        self.portal["web"] = self._process("web", sys.executable, "-m", "gunicorn", "recovery_portal.wsgi", *web)
        for name in WORKERS:
            options = ("--queues", _queues(), "--concurrency", "4", "--without-mingle", "--without-gossip", *quiet)
            worker = (sys.executable, "-m", "chaos.worker", "--hostname", f"{name}@%h", *options)
            self.portal[name] = self._process(name, *worker)
        for name in BEATS:
            own = ("--schedule", str(self.folder / "portal" / f"{name}-schedule"))
            self.portal[name] = self._process(name, *celery, "beat", *own, *quiet)

    def _until_web_answers(self, token: str) -> None:
        for _ in range(300):
            request = urllib.request.Request(  # noqa: S310  # our own address
                f"{self.url}/api/v1/profiles/", headers={"Authorization": f"Token {token}"}
            )
            try:
                urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
            except urllib.error.HTTPError as error:
                raise CannotStart(f"the API answers {error.code}: {error.read()[:500]!r}") from error
            except OSError:
                time.sleep(0.2)
            else:
                return
        raise CannotStart("the web process does not answer")

    # ── breaking ────────────────────────────────────────────────────────────────────────────────────────────────

    def tell(self, gateway: str, what: str, body: object = None, *, method: str = "POST") -> Any:
        """An order to, or a reading of, a sandbox."""
        root = self.urls[gateway].partition("/gateway/")[0]
        data = json.dumps(body).encode() if body is not None else b""
        request = urllib.request.Request(  # noqa: S310  # our own address
            f"{root}/__sandbox__/{what}", method=method, data=data if method == "POST" else None
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    def services(self, what: str) -> str:
        """`scripts/services.sh` on the servers of this run."""
        environment = self.environment | {"SERVICES_HOME": str(self.services_home), "SERVICES_DURABLE": "true"}
        done = subprocess.run(
            ["scripts/services.sh", what], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise CannotStart(f"services.sh {what}: {done.stderr[-2000:]}")
        return done.stdout

    def redis_away(self, seconds: float) -> None:
        """Killed, and back after that, empty."""
        self.services("kill")
        time.sleep(seconds)
        if self.environment["CELERY_BROKER_URL"] not in self.services("start"):
            raise CannotStart("Redis came back on another port")

    def _start_services(self) -> None:
        exports = dict(re.findall(r"^export (\w+)=(\S+)$", self.services("start"), re.MULTILINE))
        if len(exports) < 2:
            raise CannotStart("PostgreSQL and Redis are needed: " + ", ".join(self.services("missing").splitlines()))
        self.environment["DATABASE_URL"] = exports["TEST_DATABASE_URL"]
        self.environment["CELERY_BROKER_URL"] = exports["TEST_REDIS_URL"]

    def flush_redis(self) -> None:
        """FLUSHALL: every message is gone."""
        url = self.environment["CELERY_BROKER_URL"]
        subprocess.run(["redis-cli", "-u", url, "flushall"], check=True, capture_output=True)

    def watch(self, processes: Iterable[Process] | None = None) -> list[Process]:
        """Bring back what has ended; those that have ended since the last look."""
        return [process for process in (processes or self.portal.values()) if process.watch()]

    def close(self) -> None:
        """End everything."""
        end_all([*self.portal.values(), *self.sandboxes.values()])
        if self.setup == "postgres":
            self.services("stop")


def clean_folder(setup: str, seed: int) -> Path:
    """An empty folder for a run."""
    folder = ROOT / "var" / "chaos" / f"{setup}-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _kept() -> dict[str, str]:
    names = {"PATH", "HOME", "LANG", "LC_ALL", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name in names}


def _queues() -> str:
    """The queues that a worker serves, as the Procfile has them."""
    found = re.search(
        r"^worker: .*(?:-Q|--queues) (\S+)", (ROOT / "Procfile").read_text(encoding="utf-8"), re.MULTILINE
    )
    if found is None:
        raise CannotStart("the Procfile names no queues")
    return found[1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
