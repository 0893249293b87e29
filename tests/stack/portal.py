"""The portal as it is run: gunicorn, a Celery worker and beat as processes, on SQLite and the filesystem broker."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.contract.wires import PASSWORD, USER, eventually, stack_env

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
ENDED = ("succeeded", "failed", "cancelled", "refused", "lost")
PACING = "0.3"
"""A finished batch is believed after a second and a half; and here the client gives up before Knox does."""
SETUP = """
from django.contrib.auth.models import Group, User
from recovery.models import LivyProfile
User.objects.create_user("anne").groups.add(Group.objects.get(name="Stewards"))
kept = LivyProfile.objects.select_related("gateway").get(managed_by_env=True)
values = {field: getattr(kept, field) for field in LivyProfile.LAUNCH_FIELDS} | {"args_mode": "split"}
LivyProfile.objects.create(name="split", gateway=kept.gateway, enabled=True, **values)
"""

CAUSES = """
from recovery.models import Recovery
from recovery.services.explaining import explain
recovery = Recovery.objects.for_list().get(pk=%d)
print(*(one.signature.code for one in explain(recovery, recovery.kept_log)))
"""


class Portal:
    """A portal that submits to the stack that is up; `api` speaks to it as a steward with a token does."""

    def __init__(self, folder: Path, **changes: str) -> None:
        """`changes` to its environment."""
        self.folder = folder
        self.stack = stack_env()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.environment = self._environment() | changes

    def _environment(self) -> dict[str, str]:
        """What an operator writes into `.env`; nothing of this machine's own portal."""
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        gateway, _, _ = self.stack["KNOX_URL"].partition("/gateway/")
        return inherited | {
            "PORTAL_ENV_FILE": "/dev/null",
            "PORTAL_VAR_DIR": str(self.folder),
            "DATABASE_URL": f"sqlite:///{self.folder / 'portal.sqlite3'}",
            "SECRET_KEY": "only-for-the-tests-on-the-stack-" + "x" * 32,
            "INSECURE_HTTP": "true",
            "PORTAL_ID": "e2e",
            "PORTAL_PACING_SCALE": PACING,
            "KNOX_HOST": gateway.removeprefix("https://"),
            "KNOX_TOPOLOGY": "sandbox",
            "KNOX_YARN_PATH": "resourcemanager/v1/cluster" if os.environ.get("STACK_MODE") == "yarn" else "",
            "KNOX_CA_BUNDLE": self.stack["KNOX_CA"],
            "AD_USER": USER,
            "AD_PASSWORD": PASSWORD,
            "LIVY_URI_SCHEMES": "hdfs,file",
            # the guide's sizes do not fit a node of two cores
            "LIVY_DRIVER_MEMORY": "512m",
            "LIVY_DRIVER_CORES": "1",
            "LIVY_EXECUTOR_MEMORY": "512m",
            "LIVY_EXECUTOR_CORES": "1",
            "LIVY_NUM_EXECUTORS": "1",
            "LIVY_QUEUE": "root.datalake",
            "PYTHONWARNINGS": "ignore",
        }

    def manage(self, *arguments: str) -> str:
        """Standard output of `manage.py`."""
        done = subprocess.run(
            [sys.executable, ROOT / "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        """From an empty folder to a portal that answers."""
        self.manage("migrate", "--verbosity", "0")
        self.manage("shell", "--verbosity", "0", "-c", SETUP)
        self.token = self.manage("create_api_token", "anne").strip()
        self._run("web", "gunicorn", "recovery_portal.wsgi:application", "--bind", self.url.removeprefix("http://"))
        self._run_worker()
        self._run("beat", "celery", "-A", "recovery_portal", "beat", "--schedule", str(self.folder / "beat"))
        deadline = time.monotonic() + 90
        while not self._answers():
            assert time.monotonic() < deadline, self.told("web")
            time.sleep(0.2)

    def stop(self) -> None:
        """End all that was started, and wait for it."""
        for process in reversed(self._processes.values()):
            process.send_signal(signal.SIGTERM)
        while self._processes:
            self._wait(self._processes.popitem()[1])

    @contextmanager
    def worker_as_in_production(self) -> Iterator[None]:
        """Its waiting times are not scaled, for a fault that takes its own time."""
        self._end("worker")
        self._run_worker(PORTAL_PACING_SCALE="1")
        try:
            yield
        finally:
            self._end("worker")
            self._run_worker()

    def _run_worker(self, **changes: str) -> None:
        queues, quiet = "submit,follow,logs,housekeeping", ("--without-mingle", "--without-gossip")
        self._run("worker", "celery", "-A", "recovery_portal", "worker", "-Q", queues, "-c", "2", *quiet, **changes)

    def _run(self, name: str, program: str, *arguments: str, **changes: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as output:
            self._processes[name] = subprocess.Popen(
                [BIN / program, *arguments],
                cwd=ROOT,
                env=self.environment | changes,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def _end(self, name: str) -> None:
        process = self._processes.pop(name)
        process.send_signal(signal.SIGTERM)
        self._wait(process)

    @staticmethod
    def _wait(process: subprocess.Popen[bytes]) -> None:
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=20)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def told(self, name: str) -> str:
        """The last lines of a process."""
        lines = (self.folder / f"{name}.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-30:])

    def api(self, method: str, path: str, expected: int, **body: Any) -> Any:
        """JSON of an answer with the expected status."""
        answer = requests.request(
            method,
            f"{self.url}/api/v1{path}",
            headers={"Authorization": f"Token {self.token}", "Accept-Language": "en"},
            json=body if method == "POST" else None,
            timeout=30,
        )
        assert answer.status_code == expected, answer.text
        return answer.json()

    def file(self, jar: str, arguments: str | list[str], **more: Any) -> int:
        """The number of a new recovery on the profile `env`."""
        body = {"jarPath": jar, "jarArgs": arguments, "profile": "env"} | more
        number: int = self.api("POST", "/recoveries/", 202, **body)["id"]
        return number

    def cancel(self, number: int) -> None:
        """Ask for it."""
        assert self.api("POST", f"/recoveries/{number}/cancel/", 202, reason="no longer needed")["cancelRequestedAt"]

    def gateway(self) -> Any:
        """Its gateway as it is."""
        (gateway,) = self.api("GET", "/gateways/", 200)["results"]
        return gateway

    def condition(self) -> str | None:
        """Why it cannot be used just now."""
        condition: str | None = self.gateway()["condition"]
        return condition

    def until_condition(self, condition: str | None) -> None:
        """Its gateway has that condition."""
        eventually(lambda: self.condition() == condition, seconds=120, pause=0.3)

    def recovery(self, number: int) -> Any:
        """One recovery as it stands."""
        return self.api("GET", f"/recoveries/{number}/", 200)

    def until(self, number: int, *states: str, seconds: float) -> Any:
        """The recovery once it has one of the states."""
        deadline = time.monotonic() + seconds
        while True:
            row = self.recovery(number)
            if row["state"] in states:
                return row
            assert time.monotonic() < deadline, f"{row}\n{self.events(number)}\n{self.told('worker')}"
            assert all(process.poll() is None for process in self._processes.values()), self.told("worker")
            time.sleep(0.5)

    def causes(self, number: int) -> list[str]:
        """Short names of the signatures that explain it, the likeliest first."""
        return self.manage("shell", "--verbosity", "0", "-c", CAUSES % number).split()

    def log(self, number: int) -> Any:
        """Its kept log."""
        return self.api("GET", f"/recoveries/{number}/log/", 200)

    def story(self, number: int) -> list[Any]:
        """Its events, in order."""
        events: list[Any] = self.api("GET", f"/recoveries/{number}/events/?pageSize=100", 200)["results"]
        return events

    def events(self, number: int) -> list[str]:
        """Kinds of its events, in order."""
        return [event["kind"] for event in self.story(number)]
