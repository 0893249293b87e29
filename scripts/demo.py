"""The whole portal on this machine, with nothing but Python: sandbox, web, worker, beat, and a first recovery.

    python scripts/demo.py          runs until Ctrl-C, which ends everything that it started
    python scripts/demo.py --once   runs the first recovery, prints its final state, exits 0 when it succeeded

Only the standard library, so that it can start before anything is imported; called by `make demo` and `make smoke`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 90.0
"""Seconds that the first recovery may take before the demo calls it a failure."""
SANDBOX_USER, SANDBOX_PASSWORD = "svc_portal", "svc-password"
"""Whom the pretend Knox knows; nobody else does."""
USERS = (
    ("admin", "", True),
    ("steward", "Stewards", False),
    ("operator", "Operators", False),
    ("auditor", "Auditors", False),
)
MAKE_USERS = """
import json, os
from django.contrib.auth.models import Group, User
for name, group, boss in json.loads(os.environ["DEMO_USERS"]):
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True, "is_superuser": boss})
    user.set_password(os.environ["DEMO_PASSWORD"])
    user.save()
    if group:
        user.groups.add(Group.objects.get(name=group))
"""


class Stopped(Exception):
    """Ctrl-C, or a signal to end."""


class Demo:
    """The processes, their folder and their environment."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.password = secrets.token_urlsafe(9)
        self.children: list[tuple[str, subprocess.Popen[bytes]]] = []
        self.environment: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Where the portal is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start one process of the demo in a group of its own, its output in a file."""
        with (self.folder / f"{name}.log").open("wb") as log:
            child = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        self.children.append((name, child))
        return child

    def manage(self, *arguments: str, **extra: str) -> str:
        """Run a management command to its end; its output."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment | extra, capture_output=True, text=True, check=False
        )
        if done.returncode:
            fail(f"manage.py {arguments[0]} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def check(self) -> None:
        """Every process must still be there."""
        for name, child in self.children:
            if child.poll() is not None:
                tail = (self.folder / f"{name}.log").read_text(errors="replace")[-2000:]
                fail(f"{name} ended with {child.returncode}:\n{tail}")

    def end(self) -> None:
        """End everything that was started, and nothing else."""
        for _name, child in reversed(self.children):
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + 8
        for _name, child in self.children:
            try:
                child.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()

    def call(self, method: str, path: str, token: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A call to the portal's API."""
        request = urllib.request.Request(  # noqa: S310  # our own address
            f"{self.url}{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Token {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            value: dict[str, Any] = json.load(answer)
        return value


def say(text: str) -> None:
    """A line for the person at the terminal."""
    print(text, flush=True)


def fail(text: str) -> NoReturn:
    """The demo cannot go on."""
    raise SystemExit(f"demo: {text}")


def free_port(wanted: int) -> int:
    """`wanted` when nobody listens there, else one that the system gives."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    fail("no free port on 127.0.0.1")


def sandbox_url(demo: Demo) -> str:
    """The sandbox's base URL, from the first line that it prints."""
    log = demo.folder / "sandbox.log"
    for _ in range(100):
        demo.check()
        line = log.read_text().split("\n", 1)[0].strip() if log.exists() else ""
        if line.startswith("http"):
            return line
        time.sleep(0.1)
    fail("the sandbox does not start")


def prepare(demo: Demo) -> None:
    """Folder, environment, sandbox, database, people."""
    shutil.rmtree(demo.folder, ignore_errors=True)
    demo.folder.mkdir(parents=True)
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV"}}
    demo.environment = kept | {
        "PORTAL_ENV_FILE": os.devnull,
        "PORTAL_VAR_DIR": str(demo.folder),
        "PORTAL_ID": "demo",
        "PORTAL_PACING_SCALE": "0.2",
        "DATABASE_URL": f"sqlite:///{demo.folder / 'demo.sqlite3'}",
        "CELERY_BROKER_URL": "filesystem://",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DEBUG": "true",
        "INSECURE_HTTP": "true",
        "KNOX_TOPOLOGY": "sandbox",
        "KNOX_WEBHDFS_PATH": "webhdfs/v1",
        "AD_USER": SANDBOX_USER,
        "AD_PASSWORD": SANDBOX_PASSWORD,
        "PYTHONUNBUFFERED": "1",
    }
    say("· sandbox: a pretend Knox and Livy")
    demo.start("sandbox", sys.executable, "-m", "sandbox", "--port", "0", "--state-dir", str(demo.folder / "sandbox"))
    demo.environment["KNOX_HOST"] = sandbox_url(demo).split("/gateway/")[0]
    say("· database")
    demo.manage("migrate", "--verbosity", "0")
    demo.manage("shell", "-c", MAKE_USERS, DEMO_USERS=json.dumps(USERS), DEMO_PASSWORD=demo.password)


def start_portal(demo: Demo) -> str:
    """Web, worker and beat; the steward's token once the web answers."""
    say("· web, worker, beat")
    celery = (sys.executable, "-m", "celery", "-A", "recovery_portal")
    demo.start(
        "web", sys.executable, "-m", "gunicorn", "recovery_portal.wsgi", "--bind", f"127.0.0.1:{demo.port}",
        "--workers", "1", "--threads", "4",
    )  # fmt: skip
    demo.start(
        "worker", *celery, "worker", "--queues", "submit,follow,logs,housekeeping", "--concurrency", "2",
        "--without-mingle", "--without-gossip", "--loglevel", "WARNING",
    )  # fmt: skip
    demo.start("beat", *celery, "beat", "--loglevel", "WARNING")
    token = demo.manage("create_api_token", "steward", "--name", "demo").strip().split()[-1]
    for _ in range(150):
        demo.check()
        try:
            demo.call("GET", "/api/v1/profiles/", token)
        except urllib.error.HTTPError as error:
            fail(f"the API answers {error.code}: {error.read()[:500].decode(errors='replace')}")
        except OSError:
            time.sleep(0.2)
        else:
            return token
    fail("the web process does not answer")


def first_recovery(demo: Demo, token: str) -> str:
    """File the guide's example and show it reaching its end; its final state."""
    body = {
        "jarPath": "hdfs:///user/sddesigner/recovery.jar",
        "jarArgs": "--date 20240101 --table splio.active",
        "reason": "demo: 2024-01-01 is missing",
    }
    row = demo.call("POST", "/api/v1/recovery/execute-jar", token, body)
    say(f"· recovery {row['id']} filed: {body['jarPath']} {body['jarArgs']}")
    began, shown = time.monotonic(), ""
    while time.monotonic() - began < LIMIT:
        demo.check()
        row = demo.call("GET", f"/api/v1/recoveries/{row['id']}/", token)
        if row["state"] != shown:
            shown = row["state"]
            batch = "" if row["batchId"] is None else f" (batch {row['batchId']})"
            say(f"  {time.monotonic() - began:5.1f} s  {shown}{batch}")
        if row["finishedAt"]:
            break
        time.sleep(0.2)
    return str(row["state"])


@contextmanager
def running(folder: Path) -> Iterator[tuple[str, str]]:
    """A demo in processes of its own, for those who look at it: its address, and everybody's password."""
    told = folder / "told.txt"
    with told.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "scripts/demo.py", "--port", "0", "--folder", str(folder / "files")],
            cwd=ROOT, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    try:
        end = time.monotonic() + LIMIT
        while not (found := re.search(r"portal is at (\S+?)/ .*password: (\S+)", told.read_text(), re.DOTALL)):
            if child.poll() is not None or time.monotonic() > end:
                fail(f"it does not start:\n{told.read_text()}")
            time.sleep(0.2)
        yield found[1], found[2]
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(30)


def main() -> int:
    """0 when the first recovery succeeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--once", action="store_true", help="end after the first recovery")
    parser.add_argument("--port", type=int, default=8000, help="8000, or any free one when it is taken")
    parser.add_argument("--folder", type=Path, help="where it keeps its files: an empty or new one (default: in var/)")
    options = parser.parse_args()
    if options.folder and options.folder.exists() and any(options.folder.iterdir()):
        fail(f"{options.folder} is not empty")
    folder = options.folder or ROOT / "var" / ("smoke" if options.once else "demo")
    demo = Demo(folder, free_port(0 if options.once else options.port))

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        prepare(demo)
        state = first_recovery(demo, start_portal(demo))
        say(f"First recovery: {state}")
        if options.once:
            return 0 if state == "succeeded" else 1
        say(f"\nThe portal is at {demo.url}/  (Ctrl-C ends it)")
        say(f"  users:    {', '.join(name for name, _group, _boss in USERS)}")
        say(f"  password: {demo.password}")
        while True:
            demo.check()
            time.sleep(1)
    except Stopped:
        say("\nEnding.")
        return 0
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        demo.end()


if __name__ == "__main__":
    sys.exit(main())
