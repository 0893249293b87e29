"""The sandbox of a round: a process of its own, steered and read over HTTP."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.processes import BenchFailed, Child, python, until

USER: Final = "svc_portal"
PASSWORD: Final = "svc-password"
JAR: Final = "hdfs:///user/sddesigner/recovery.jar"
MODE: Final = ("--mode", "yarn", "--recovery")
"""As in production: YARN behind a Livy that keeps its batches over a restart."""


class Sandbox:
    """A running sandbox process."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.url = ""

        def told() -> bool:
            child.check()
            self.url = child.log.read_text().split("\n", 1)[0].strip()
            return self.url.startswith("http")

        until(told, within=20, what="the sandbox says where it is")
        self.root = self.url.split("/gateway/")[0]

    @property
    def livy(self) -> str:
        """Livy's address through the gateway."""
        return f"{self.url}/livy/v1"

    def ask(self, order: str) -> Any:
        """Read something: ledger, tally, faults."""
        return self._call("GET", order, None)

    def act(self, order: str, **arguments: Any) -> Any:
        """Do something: seed, finish, restart, …"""
        return self._call("POST", order, arguments)["result"]

    def arm(self, faults: Iterable[Mapping[str, Any]]) -> None:
        """Arm faults."""
        self._call("POST", "faults", [dict(fault) for fault in faults])

    def clear(self) -> None:
        """Disarm all."""
        self._call("DELETE", "faults", None)

    def requests(self, *kinds: str) -> int:
        """Requests through the gateway so far, of these kinds or of all."""
        tally = self.ask("tally")
        return sum(count["requests"] for kind, count in tally.items() if not kinds or kind in kinds)

    def _call(self, method: str, order: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.root}/__sandbox__/{order}", data=data, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise BenchFailed(f"sandbox: {order}: {error.read().decode(errors='replace')[:500]}") from error


@contextmanager
def sandbox(folder: Path, *options: str) -> Iterator[Sandbox]:
    """A sandbox for the length of the block."""
    env = {key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG"}}
    child = Child("sandbox", python("-m", "sandbox", "--port", "0", *options), env=env, folder=folder)
    try:
        yield Sandbox(child)
    finally:
        child.end()
        child.log.unlink(missing_ok=True)  # the next one says its own address on the first line


def ends(sandbox: Sandbox) -> dict[str, float]:
    """When each named batch really ended, in epoch seconds."""
    return {record["name"]: record["at"] for record in sandbox.ask("ledger") if record["kind"] != "started"}
