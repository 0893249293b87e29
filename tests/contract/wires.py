"""One way to talk to a Knox and a Livy, whichever they are: the sandbox, or the real stack that STACK_MODE names.

What a test says through a `Wire` holds for both; where they differ, the sandbox is wrong.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from recovery.domain.gateways import AuthKind
from recovery.domain.pacing import Pacing
from recovery.gateway.endpoint import Endpoint
from recovery.gateway.livy import KnoxLivyClient
from sandbox import Sandbox

_failures = pytest.StashKey[int]()
CTL = Path(__file__).resolve().parents[2] / "stack" / "ctl"
USER, PASSWORD = "svc_portal", "svc-password"
HTML = "text/html;charset=iso-8859-1"
JSON = "application/json;charset=utf-8"
KINDS = ("sandbox-local", "sandbox-yarn", "real")
LAST_WORDS = frozenset({"success", "dead", "killed"})
WORDS = LAST_WORDS | {"starting", "recovering", "running"}
"""All that a batch is ever seen in."""


def stack_env() -> dict[str, str]:
    """The `export` lines of `stack/ctl env`."""
    lines = subprocess.run([CTL, "env"], check=True, capture_output=True, text=True).stdout
    return dict(re.findall(r"(\w+)=(\S+)", lines))


def ctl(*arguments: str) -> None:
    """Steer the real stack. `ctl` gives up on a server by itself, after minutes and with its last words."""
    done = subprocess.run([CTL, *arguments], capture_output=True, text=True, timeout=420)
    assert done.returncode == 0, f"ctl {' '.join(arguments)}: {done.stderr[-4000:]}"


def anew(server: str, *options: str) -> None:
    """SIGKILL, and a start with these options."""
    ctl(server, "kill")
    ctl(server, "start", *options)


def status_of(url: str, **options: Any) -> int:
    """Of a GET without credentials; 0 when there is no answer."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(url, timeout=10, **options).status_code
    except requests.RequestException:
        return 0


def knox_status(env: dict[str, str], topology: str = "sandbox") -> int:
    """401 from a topology that is there."""
    url = env["KNOX_URL"].replace("/sandbox/", f"/{topology}/")
    return status_of(f"{url}/batches", verify=env["KNOX_CA"])


def keep_standing(item: pytest.Item) -> None:
    """Before the test that follows a failed one: a server that does not answer is started anew, so that one failure
    stays one. When that does not help the run ends, with the reason, instead of failing with every test that is left.
    """
    failures = item.session.testsfailed
    if not item.get_closest_marker("stack") or failures == item.config.stash.get(_failures, 0):
        return
    item.config.stash[_failures] = failures
    env = stack_env()
    looks = {
        "knox": lambda: knox_status(env) == 401,
        "livy": lambda: status_of(f"{env['LIVY_URL']}/batches?size=0") == 200,
    }
    try:
        for server, look in looks.items():
            try:
                eventually(look, seconds=60, pause=1)
            except AssertionError:
                print(f"{server} did not answer after a failed test and is started anew")
                anew(server)
    except (AssertionError, subprocess.TimeoutExpired) as error:
        pytest.exit(f"before {item.nodeid} the stack was down, and it did not come up again: {error}", returncode=1)


def processes(word: str) -> list[int]:
    """JVMs of this machine with `word` in their command line."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_bytes()
            if word.encode() in command and (place / "exe").readlink().name == "java":
                found.append(int(place.name))
        except OSError:
            continue  # it has ended, or is not ours to look at
    return found


def eventually(look: Callable[[], Any], *, seconds: float, pause: float) -> Any:
    """The first truth that `look` tells."""
    deadline = time.monotonic() + seconds
    while True:
        value = look()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s, last: {value!r}"
        time.sleep(pause)


class Wire(ABC):
    """A gateway with a Livy behind it, and the few orders that a test may give to it."""

    mode: str
    real: bool
    hdfs: bool
    #: `…/gateway`, without a topology.
    root: str
    verify: str | bool
    jar: str
    #: Seconds that an end of a batch may take, and between two looks.
    patience: float
    pause_between_looks: float

    def __init__(self) -> None:
        self._names: list[str] = []

    @property
    def on_yarn(self) -> bool:
        """Cluster mode: application ids, diagnostics, and no output of the job in Livy's log."""
        return self.mode == "yarn"

    @property
    def quick(self) -> list[str]:
        """Arguments of the shortest job that succeeds: in cluster mode one without a SparkContext fails."""
        return [] if self.on_yarn else ["--no-spark"]

    def name(self, purpose: str = "batch") -> str:
        """A name that nobody has, freed at the end of the module."""
        name = f"contract-{purpose}-{uuid4().hex[:8]}"
        self._names.append(name)
        return name

    def call(self, method: str, path: str, *, topology: str = "sandbox", **options: Any) -> requests.Response:
        """One request on a connection of its own: no cookies, no environment, no redirects."""
        options.setdefault("auth", (USER, PASSWORD))
        options.setdefault("timeout", 60)
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method, f"{self.root}/{topology}{path}", verify=self.verify, allow_redirects=False, **options
            )

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET below Livy."""
        return self.call("GET", f"/livy/v1{path}", **options)

    def delete(self, name_or_id: object, **options: Any) -> requests.Response:
        """DELETE of a batch."""
        return self.call("DELETE", f"/livy/v1/batches/{name_or_id}", **options)

    def post(self, **fields: Any) -> requests.Response:
        """POST of a batch of the stand-in jar, with these fields."""
        return self.call("POST", "/livy/v1/batches", json={"file": self.jar, **fields})

    def start(self, name: str, *args: str, **fields: Any) -> dict[str, Any]:
        """A batch that really starts; Livy's answer."""
        answer = self.post(name=name, args=list(args), **fields)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def start_brief(self, name: str) -> dict[str, Any]:
        """One that starts and is dead at once, for whoever needs a start and no job."""
        return self.start(name, driverMemory="lots")

    def phantom(self, name: str) -> requests.Response:
        """A refused start that leaves a batch behind; costs nothing."""
        return self.post(name=name, conf={"spark.master": "local"})

    def batch(self, name_or_id: object) -> dict[str, Any] | None:
        """What Livy says of it, or None when it knows none."""
        answer = self.get(f"/batches/{name_or_id}")
        assert answer.status_code in (200, 404), answer.text
        return answer.json() if answer.status_code == 200 else None

    def named(self, name: str) -> list[dict[str, Any]]:
        """All of that name in the whole list."""
        return [batch for batch in self.get("/batches?size=100000").json()["sessions"] if batch["name"] == name]

    def until(self, look: Callable[[], Any], seconds: float | None = None) -> Any:
        """The first truth that `look` tells."""
        return eventually(look, seconds=seconds or self.patience, pause=self.pause_between_looks)

    def until_over(self, name: str) -> dict[str, Any]:
        """The batch at its end."""
        return self.until(lambda: (batch := self.batch(name)) and batch["state"] in LAST_WORDS and batch)

    def log(self, name: str, query: str = "?size=-1") -> dict[str, Any]:
        """`/log`, by default all of it."""
        answer = self.get(f"/batches/{name}/log{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def applications(self, tag: str) -> list[dict[str, Any]]:
        """What YARN knows by that tag."""
        answer = self.call("GET", f"/resourcemanager/v1/cluster/apps?applicationTags={tag}")
        return (answer.json()["apps"] or {}).get("app", [])

    def endpoint(self, *, topology: str = "sandbox", **changes: Any) -> Endpoint:
        """Where a client of the portal's finds it."""
        values: dict[str, Any] = {
            "base_url": f"{self.root}/{topology}",
            "auth": AuthKind.BASIC,
            "user": USER,
            "secret": PASSWORD,
            "ca_bundle": self.verify if isinstance(self.verify, str) else "",
        }
        return Endpoint(**values | changes)

    def client(self, *, topology: str = "sandbox", **changes: Any) -> KnoxLivyClient:
        """The portal's client of it."""
        return KnoxLivyClient.at(self.endpoint(topology=topology, **changes), pacing=Pacing(read_timeout=30))

    def tidy(self) -> None:
        """Free every name that was given out."""
        for name in self._names:
            self.delete(name)

    @abstractmethod
    def alive(self, word: str) -> bool:
        """Does a job with that word in its arguments run, whatever Livy says?"""

    @abstractmethod
    def end_jobs(self, word: str) -> None:
        """End it, behind Livy's back."""

    @abstractmethod
    def pause_livy(self) -> None:
        """Livy takes connections and answers none."""

    @abstractmethod
    def resume_livy(self) -> None:
        """It wakes up, and handles what came in the meantime."""

    @abstractmethod
    def crash_livy(self) -> None:
        """Killed and started anew, recovery off."""


class SandboxWire(Wire):
    """The sandbox, twenty times as fast."""

    real, hdfs, verify = False, True, True
    patience, pause_between_looks = 10, 0.02

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self.sandbox = sandbox
        self.mode = sandbox.settings.mode
        self.root = f"{sandbox.root}/gateway"
        self.jar = "hdfs:///user/sddesigner/recovery.jar" if self.on_yarn else "/jobs/recovery.jar"

    def alive(self, word: str) -> bool:
        """By the ledger."""
        ended = {end.seq for end in self.sandbox.ledger.ended()}
        return any(word in " ".join(start.args) for start in self.sandbox.ledger.started() if start.seq not in ended)

    def end_jobs(self, word: str) -> None:
        """By the sandbox's own order."""
        for start in self.sandbox.ledger.started():
            if start.name and word in " ".join(start.args):
                self.sandbox.finish(start.name)

    def pause_livy(self) -> None:
        """As SIGSTOP."""
        self.sandbox.pause()

    def resume_livy(self) -> None:
        """As SIGCONT."""
        self.sandbox.resume()

    def crash_livy(self) -> None:
        """As SIGKILL."""
        self.sandbox.restart()


class RealWire(Wire):
    """The stack that is up."""

    real = True
    pause_between_looks = 0.25

    def __init__(self, mode: str) -> None:
        super().__init__()
        env = stack_env()
        self.mode = mode
        self.hdfs = "HDFS_URL" in env
        self.root = env["KNOX_URL"].removesuffix("/sandbox/livy/v1")
        self.verify = env["KNOX_CA"]
        self.jar = "hdfs:///user/sddesigner/recovery.jar" if self.hdfs else env["RECOVERY_JAR"]
        self.patience = 300 if mode == "yarn" else 120

    def alive(self, word: str) -> bool:
        """By the processes of this machine, which is the whole cluster."""
        return bool(processes(word))

    def end_jobs(self, word: str) -> None:
        """SIGKILL."""
        for pid in processes(word):
            os.kill(pid, 9)

    def pause_livy(self) -> None:
        """SIGSTOP."""
        ctl("livy", "pause")

    def resume_livy(self) -> None:
        """SIGCONT."""
        ctl("livy", "resume")

    def crash_livy(self) -> None:
        """SIGKILL, and a start."""
        anew("livy")


@contextmanager
def connected(kind: str, *, impatient: bool = False, impersonation: bool = False) -> Iterator[Wire]:
    """A wire of that kind. `impatient`: its Knox gives up on Livy after a moment, not after 20 s."""
    if kind == "real":
        wire = RealWire(os.environ["STACK_MODE"])
        with ExitStack() as afterwards:
            if impatient:
                afterwards.callback(anew, "knox")
                anew("knox", "-K", "gateway.httpclient.socketTimeout=2000")
            if impersonation:
                afterwards.callback(anew, "livy")
                anew("livy", "-L", "livy.impersonation.enabled=true")
            afterwards.callback(wire.tidy)
            yield wire
        return
    mode = kind.removeprefix("sandbox-")
    sandbox = Sandbox(
        speed=20,
        mode=mode,
        default_fs="hdfs" if mode == "yarn" else "file",
        post_cost=0.02,
        retain=100_000,
        knox_timeout=0.5 if impatient else 20,
        impersonation=impersonation,
    )
    with sandbox:
        yield SandboxWire(sandbox)
