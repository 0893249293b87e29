"""Wrongly ended, duplicated or lost jobs under lost answers, 502 after accept, HTML 200 and a restart of Livy.

The same jobs and the same seeds of the same faults for each client; the sandbox's ledger is the oracle. Everything
runs 20 times faster than life, clients too. One round has a Livy that keeps its batches over the restart, the next
one a Livy that forgets them and numbers from 0 again (its default).
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench import oracle, peers
from bench.oracle import Word
from bench.portal import Portals
from bench.processes import BenchFailed, Child, until
from bench.results import AT_MOST, Row, Series, Target
from bench.sandboxes import Sandbox, sandbox

SPEED: Final = 20
RETRIES, RETRY_SECONDS, INTERVAL = 2, 60.0, 10.0
"""Of the Airflow task: two retries after a minute, polled every ten seconds; all divided by SPEED."""
DOWN: Final = 1.0
"""Seconds for which Livy is away when it restarts: 20 of its own."""
KINDS: Final = (*oracle.FAULTS, oracle.GIVEN_UP)
YARN: Final = "resourcemanager/v1/cluster"
CLIENTS: Final = ("Airflow LivyOperator", "Airflow LivyOperator with name", "pylivy")


def faults(seed: int) -> list[dict[str, Any]]:
    """The mix. Probabilities are per request."""
    mix: list[tuple[str, str, dict[str, Any]]] = [
        ("POST /batches", "after", {"action": "drop", "probability": 0.02}),
        ("POST /batches", "after", {"action": "status", "code": 502, "probability": 0.02}),
        ("POST /batches", "after", {"action": "status", "code": 200, "probability": 0.01}),
        ("POST /batches", "before", {"action": "login_page_200", "probability": 0.01}),
        ("^GET /batches.*", "before", {"action": "drop", "probability": 0.003}),
        ("^GET /batches.*", "before", {"action": "status", "code": 502, "probability": 0.003}),
        ("^GET /batches.*", "before", {"action": "login_page_200", "probability": 0.003}),
    ]
    # each fault has dice of its own: with equal ones they would all strike the same requests
    return [
        {"route": route, "when": when, "seed": seed * 100 + number, **fault}
        for number, (route, when, fault) in enumerate(mix)
    ]


def jobs(count: int, seed: int) -> list[str]:
    """Arguments of jobs that take from 17 to 60 s; every seventh fails."""
    dice = random.Random(seed)
    return [
        f"--date 20240101 --table bench.job_{n} --sleep {dice.randrange(44)}" + (" --fail 1" if n % 7 == 0 else "")
        for n in range(count)
    ]


@contextmanager
def _rough(folder: Path, *, seed: int, keeps: bool, count: int) -> Iterator[Sandbox]:
    """A sandbox with the mix, whose Livy restarts once half of the jobs have started."""
    options = [
        "--mode", "yarn", "--speed", str(SPEED), "--post-cost", "0.005", "--knox-timeout", "1",
        "--retain", "100000", "--yarn-age", "86400",
        *(("--recovery",) if keeps else ()),
    ]  # fmt: skip
    over = threading.Event()
    with sandbox(folder, *options) as server:
        server.arm(faults(seed))

        def restart() -> None:
            while not over.wait(0.1):
                if len([record for record in server.ask("ledger") if record["kind"] == "started"]) >= count // 2:
                    server.act("restart", recovery=keeps, downtime=DOWN)
                    return

        thread = threading.Thread(target=restart)
        thread.start()
        try:
            yield server
        finally:
            over.set()
            thread.join()


def _judged(server: Sandbox, words: Mapping[str, Word]) -> dict[str, int]:
    """Wait for whatever still runs, then compare."""

    def at_rest() -> bool:
        starts = oracle.starts_by_job(server.ask("ledger"))
        return all(start.end != "alive" for found in starts.values() for start in found)

    until(at_rest, within=60, what="every batch has ended", every=0.5)
    starts = oracle.starts_by_job(server.ask("ledger"))
    counted = oracle.count(starts, words)
    return counted | {
        "starts": sum(map(len, starts.values())),
        "restarted": server.ask("info")["generation"] - 1,
        **{_told(fault): fault["struck"] for fault in server.ask("faults")},
    }


def _told(fault: Mapping[str, Any]) -> str:
    """`status 502 after POST /batches`."""
    code = f" {fault['code']}" if fault["action"] == "status" else ""
    return f"{fault['action']}{code} {fault['when']} {fault['route']}"


def ours(portals: Portals, folder: Path, *, count: int, seed: int, keeps: bool) -> dict[str, int]:
    """The portal. `lost` (to be checked by a person) is no word on a job: it is counted as lost."""
    with (
        _rough(folder, seed=seed, keeps=keeps, count=count) as server,
        portals.fresh(
            server,
            scale=1 / SPEED,
            DEBUG="true",
            LIVY_RECOVERY=str(keeps).lower(),
            KNOX_YARN_PATH=YARN,
        ) as portal,
    ):
        portal.inside("file", arguments=jobs(count, seed))
        portal.worker()
        portal.beat()
        left = "SELECT count(*) FROM recovery_recovery WHERE finished_at IS NULL"
        try:
            until(lambda: bool(portal.read(left)[0][0] == 0), within=180, what="every recovery has ended", every=0.5)
        except BenchFailed:
            portal.check()  # what has not ended is counted as lost
        rows = portal.read("SELECT raw_jar_args, state, livy_id, app_id FROM recovery_recovery")
        starts = oracle.starts_by_job(server.ask("ledger"))
        said = {"succeeded": "success", "failed": "failed", "refused": "failed"}
        words = {}
        for args, state, batch_id, app_id in rows:
            # after a restart that forgets, the application is what the portal knows a batch by
            by_app = {start.batch_id for start in starts.get(args, ()) if app_id and start.app_id == app_id}
            words[args] = Word(said=said.get(state, ""), knows=by_app or {batch_id})
        return _judged(server, words)


def peer(client: str, folder: Path, *, count: int, seed: int, keeps: bool) -> dict[str, int]:
    """One of the clients, in its environment."""
    with _rough(folder, seed=seed, keeps=keeps, count=count) as server:
        result = folder / "words.json"
        order = {
            "jobs": jobs(count, seed),
            "named": client.endswith("with name"),
            "retries": RETRIES,
            "retry_seconds": RETRY_SECONDS / SPEED,
            "interval": INTERVAL / SPEED,
            "parallel": 32,
            "result": str(result),
        }
        script = "flow_pylivy.py" if client == "pylivy" else "flow_airflow.py"
        child = Child(
            "client", peers.command(script), env=peers.environment(server, folder), folder=folder,
            stdin=json.dumps(order).encode(),
        )  # fmt: skip
        try:
            until(lambda: child.process.poll() is not None, within=300, what=f"{client} is done", every=0.5)
            if child.process.returncode:
                child.check()
        finally:
            child.end()
        told: dict[str, dict[str, Any]] = json.loads(result.read_text())
        result.unlink()
        return _judged(
            server, {job: Word(said=one["said"], knows=one["knows"], retries=True) for job, one in told.items()}
        )


def rows(
    portals: Portals, folder: Path, *, count: int, rounds: int, say: Callable[[str], None]
) -> tuple[list[Row], dict[str, Any]]:
    """Each client over the same rounds; numbers per 1,000 jobs."""
    found: dict[str, list[dict[str, int]]] = {}
    for number in range(rounds):
        keeps = number % 2 == 0
        for client in ("portal", *CLIENTS):
            began = time.monotonic()
            if client == "portal":
                one = ours(portals, folder, count=count, seed=number, keeps=keeps)
            else:
                one = peer(client, folder, count=count, seed=number, keeps=keeps)
            found.setdefault(client, []).append(one)
            told = ", ".join(f"{one[fault]} {fault}" for fault in KINDS)
            say(f"honesty, round {number + 1}: {client}: {told} ({time.monotonic() - began:.0f} s)")

    def series(client: str, fault: str) -> Series:
        return Series(name=client, rounds=tuple(one[fault] * 1000 / count for one in found[client]))

    lines = [
        Row(
            key=f"honesty_{fault.replace(' ', '_')}_{index}",
            what=f"{fault} per 1,000 jobs",
            unit="jobs",
            ours=series("portal", fault),
            peer=series(client, fault),
            target=Target(kind=AT_MOST, value=0) if index == 0 and fault in oracle.FAULTS else None,
        )
        for index, client in enumerate(CLIENTS)
        for fault in KINDS
    ]
    return lines, {"rounds": found}
