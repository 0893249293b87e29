"""Submissions per second, every one a committed row that is looked up first, beside a bare loop of `requests.post`.

Both sides meet the same limit: Livy starts one batch at a time, 50 ms each here. The rate is read from the sandbox's
ledger, from the first start to the last.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.peers import HERE
from bench.portal import Portals
from bench.processes import Child, python, until
from bench.results import RATIO_AT_LEAST, Row, Series, Target
from bench.sandboxes import JAR, MODE, PASSWORD, USER, Sandbox, sandbox

ARGUMENTS = "--date 20240101 --table splio.active --sleep 86400"


def _starts(server: Sandbox) -> list[float]:
    return [record["at"] for record in server.ask("ledger") if record["kind"] == "started"]


def _rate(server: Sandbox, jobs: int, child: Child) -> float:
    def all_started() -> bool:
        if child.process.poll() not in (None, 0):
            child.check()
        return len(_starts(server)) >= jobs

    until(all_started, within=60 + jobs, what=f"{jobs} starts", every=0.5)
    at = _starts(server)
    return (len(at) - 1) / (max(at) - min(at))


def ours(portals: Portals, folder: Path, *, jobs: int) -> tuple[float, dict[str, Any]]:
    """The portal: rows filed beforehand, then one worker and one beat."""
    with sandbox(folder, *MODE, "--post-cost", "0.05") as server, portals.fresh(server) as portal:
        portal.inside("file", arguments=[ARGUMENTS] * jobs)
        worker = portal.worker()
        portal.beat()
        rate = _rate(server, jobs, worker)
        count = "SELECT count(*) FROM recovery_recovery WHERE livy_id IS NOT NULL"
        until(lambda: bool(portal.read(count)[0][0] == jobs), within=30, what="every start is stored", every=0.2)
        tally = server.ask("tally")
    looked = int(tally["GET livy/batches/{x}"]["requests"])
    return rate, {"posts": tally["POST livy/batches"]["requests"], "look_ups": looked}


def bare(folder: Path, *, jobs: int) -> float:
    """The loop."""
    with sandbox(folder, *MODE, "--post-cost", "0.05") as server:
        body = {
            "file": JAR, "args": [ARGUMENTS], "queue": "root.datalake", "driverMemory": "4g", "driverCores": 2,
            "executorMemory": "4g", "executorCores": 2, "numExecutors": 4,
        }  # fmt: skip
        bodies = [{**body, "name": f"bare-{n}"} for n in range(jobs)]
        order = {"livy": server.livy, "user": USER, "password": PASSWORD, "bodies": bodies}
        env = {"PATH": "/usr/bin:/bin"}
        child = Child(
            "bare", python(str(HERE / "post_bare.py")), env=env, folder=folder, stdin=json.dumps(order).encode()
        )
        try:
            return _rate(server, jobs, child)
        finally:
            child.end()


def rows(
    portals: Portals, folder: Path, *, jobs: int, count: int, say: Callable[[str], None]
) -> tuple[list[Row], dict[str, Any]]:
    """Ours, the loop, ours, the loop …"""
    mine: list[float] = []
    loops: list[float] = []
    details: list[dict[str, Any]] = []
    for number in range(count):
        rate, detail = ours(portals, folder, jobs=jobs)
        mine.append(round(rate, 3))
        details.append(detail)
        loops.append(round(bare(folder, jobs=jobs), 3))
        say(f"submitting, round {number + 1}: portal {mine[-1]:.2f}/s, bare loop {loops[-1]:.2f}/s")
    row = Row(
        key="submissions",
        what="submissions per second, each durable and looked up first",
        unit="1/s",
        ours=Series(name="portal", rounds=tuple(mine)),
        peer=Series(name="bare loop of requests.post", rounds=tuple(loops)),
        target=Target(kind=RATIO_AT_LEAST, value=0.8),
    )
    return [row], {"rounds": details}
