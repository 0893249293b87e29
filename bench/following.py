"""What following costs, beside Airflow's `LivyTrigger` at 10 s: requests, CPU, delay, memory.

Both sides follow the same number of batches that run for hours; in the measured window some of them end, at moments
drawn by chance. CPU is that of all processes of a side: for the portal worker, beat, database and broker.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench import peers
from bench.portal import Portals
from bench.processes import Child, cpu_seconds, family, proportional, resident, until
from bench.results import AT_MOST, RATIO_AT_MOST, Row, Series, Target
from bench.sandboxes import JAR, MODE, Sandbox, ends, sandbox

INTERVAL: Final = 10.0
"""Seconds between two polls of a trigger: the delay that both sides are held to."""
CAPACITY: Final = 1000
"""Triggers of one triggerer process (Airflow's default `triggerer.capacity`)."""
REACHABLE: Final = 2000
"""Triggers that two cores serve without falling behind, the sandbox beside them. They know nothing of each other, so
numbers per batch are those of any number of them."""
PEER: Final = "Airflow LivyTrigger, 10 s"
LIFE: Final = 30
"""Minutes that a batch runs on average: so many of those that run end in a minute."""
LIST: Final = "GET livy/batches"
REQUESTS_TARGET: Final = {1_000: 1 / 50, 10_000: 1 / 200}
"""The more batches there are, the more of them a page of the list holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One round of one side."""

    requests: float
    """HTTP requests per followed batch and minute."""
    sent: float
    """Bytes of body that the gateway sent, per followed batch and minute."""
    cpu: float
    """CPU seconds per 1,000 batches followed for a minute."""
    seen_p95: float
    """Seconds from a batch's end to the first sight of it."""
    ended_p95: float
    """Seconds from a batch's end to the verdict."""
    largest: float
    """Bytes of the largest process."""
    grown: float = 0.0
    """Bytes by which the process grew since it was started (peer)."""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Window:
    requests: dict[str, int]
    sent: int
    cpu: dict[str, float]
    seconds: float
    finished: list[str]
    server_cpu: float


def pages(batches: int) -> int:
    """Requests for the whole list: the portal begins with 250 and goes on with 1,000 at a time."""
    return 1 + math.ceil(max(0, batches - 250) / 1000)


def p95(values: Sequence[float]) -> float:
    """The value that 95 % do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * 0.95) - 1)]


def _window(
    server: Sandbox, names: Sequence[str], *, seconds: float, dice: random.Random, cpu: Callable[[], dict[str, float]]
) -> _Window:
    """Let a side work for so long, and end a few of its batches meanwhile."""
    ended = round(len(names) * seconds / 60 / LIFE)
    chosen = dice.sample(list(names), max(10, ended))
    moments = sorted(dice.uniform(0, seconds) for _ in chosen)
    server_cpu, used, tally = cpu_seconds([server.child.pid]), cpu(), server.ask("tally")
    began = time.monotonic()
    for name, moment in zip(chosen, moments, strict=True):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        server.act("finish", name=name)
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    lasted = time.monotonic() - began
    after, asked = cpu(), _difference(server.ask("tally"), tally)
    return _Window(
        requests={kind: count["requests"] for kind, count in asked.items()},
        sent=sum(count["bytes"] for count in asked.values()),
        cpu={name: round(after[name] - used.get(name, 0.0), 3) for name in after},
        seconds=lasted,
        finished=chosen,
        server_cpu=round(cpu_seconds([server.child.pid]) - server_cpu, 2),
    )


def _difference(after: Mapping[str, dict[str, int]], before: Mapping[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """What came to the tally in between."""
    none = {"requests": 0, "bytes": 0}
    return {kind: {k: n - before.get(kind, none)[k] for k, n in count.items()} for kind, count in after.items()}


def ours(portals: Portals, folder: Path, *, batches: int, window: float, dice: random.Random) -> Sample:
    """The portal: one worker, one beat, as in the Procfile."""
    with sandbox(folder, *MODE) as server, portals.fresh(server) as portal:
        portal.inside("seed", root=server.root, batches=batches)
        listed = server.requests(LIST)
        worker, _beat = portal.worker(), portal.beat()
        passes = 2 * pages(batches)

        def warm() -> bool:
            portal.check()
            return server.requests(LIST) - listed >= passes

        until(warm, within=180, what="the list was read twice", every=0.5)
        names = [str(row[0]) for row in portal.read("SELECT batch_name FROM recovery_recovery")]
        found = _window(server, names, seconds=window, dice=dice, cpu=portal.cpu)
        sizes = {pid: resident(pid) for pid in family(worker.pid)}
        whole = proportional(worker.pid)
        over = "SELECT count(*) FROM recovery_recovery WHERE finished_at IS NOT NULL"
        until(lambda: portal.read(over)[0][0] >= len(found.finished), within=180, what="every end was seen", every=1)
        seen, end = portal.epoch("terminal_seen_at"), portal.epoch("finished_at")
        rows = portal.read(
            f"SELECT batch_name, coalesce({seen}, {end}), {end}, state FROM recovery_recovery"
            " WHERE finished_at IS NOT NULL"
        )
        real = ends(server)
    wrong = [row[0] for row in rows if row[3] != "succeeded"]
    seen_after = [row[1] - real[row[0]] for row in rows]
    return _sample(
        found,
        batches,
        seen_after,
        [row[2] - real[row[0]] for row in rows],
        largest=max(sizes.values()),
        worker_proportional=whole,
        worker_processes=len(sizes),
        not_succeeded=len(wrong),
        engine=portal.services.engine,
    )


def peer(folder: Path, *, batches: int, window: float, dice: random.Random) -> Sample:
    """Triggerer-like processes of at most `CAPACITY` triggers each."""
    with ExitStack() as stack:
        server = stack.enter_context(sandbox(folder, *MODE))
        bodies = [{"file": JAR, "name": f"job-{n}", "args": ["--sleep 86400"]} for n in range(batches)]
        started = server.act("seed", bodies=bodies, age=60)
        children: list[tuple[Child, Path]] = []
        for first in range(0, batches, CAPACITY):
            ids = [batch["id"] for batch in started[first : first + CAPACITY]]
            result = folder / f"triggerer-{first}.json"
            order = json.dumps({"ids": ids, "interval": INTERVAL, "result": str(result)}).encode()
            child = Child(
                f"triggerer-{first}", peers.command("follow_airflow.py"), env=peers.environment(server, folder),
                folder=folder, stdin=order,
            )  # fmt: skip
            stack.callback(child.end)
            children.append((child, result))
        pids = [child.pid for child, _result in children]

        def all_polled() -> bool:
            for child, _result in children:
                child.check()
            return server.requests() >= batches

        until(all_polled, within=180, what="every trigger has polled once", every=1)
        names = [batch["name"] for batch in started]
        found = _window(server, names, seconds=window, dice=dice, cpu=lambda: {"triggerer": cpu_seconds(pids)})
        sizes = [resident(pid) for pid in pids]
        time.sleep(INTERVAL * 1.5)
        real, by_id = ends(server), {batch["id"]: batch["name"] for batch in started}
        told: list[dict[str, Any]] = []
        before: list[int] = []
        for child, result in children:
            child.end()
            value = json.loads(result.read_text())
            told += value["seen"]
            before.append(value["resident_before"])
            result.unlink()
    delays = [one["at"] - real[by_id[one["id"]]] for one in told if by_id[one["id"]] in real]
    grown = [(size - start) / min(CAPACITY, batches) for size, start in zip(sizes, before, strict=True)]
    return _sample(
        found,
        batches,
        delays,
        delays,
        largest=max(sizes),
        grown=sum(grown) / len(grown),
        processes=len(sizes),
        not_succeeded=sum(one["status"] != "success" for one in told),
        unseen=len(found.finished) - len(delays),
    )


def _sample(
    found: _Window,
    batches: int,
    seen: Sequence[float],
    ended: Sequence[float],
    *,
    largest: float,
    grown: float = 0.0,
    **details: Any,
) -> Sample:
    minutes = batches * found.seconds / 60
    return Sample(
        requests=sum(found.requests.values()) / minutes,
        sent=found.sent / minutes,
        cpu=sum(found.cpu.values()) * 1000 / minutes,
        seen_p95=p95(seen),
        ended_p95=p95(ended),
        largest=largest,
        grown=grown,
        details={
            "cpu_seconds": found.cpu,
            "sandbox_cpu_seconds": found.server_cpu,
            "window_seconds": round(found.seconds, 2),
            "requests": found.requests,
            "ended_in_window": len(found.finished),
            **details,
        },
    )


def rounds(
    portals: Portals, folder: Path, *, batches: int, count: int, window: float, say: Callable[[str], None]
) -> list[tuple[Sample, Sample]]:
    """Ours, the peer, ours, the peer …"""
    found: list[tuple[Sample, Sample]] = []
    for number in range(count):
        mine = ours(portals, folder, batches=batches, window=window, dice=random.Random(number))
        say(f"following {batches}, round {number + 1}: portal {_short(mine)}")
        theirs = peer(folder, batches=min(batches, REACHABLE), window=window, dice=random.Random(number))
        say(f"following {batches}, round {number + 1}: Airflow {_short(theirs)}")
        found.append((mine, theirs))
    return found


def _short(sample: Sample) -> str:
    return (
        f"{sample.requests:.4f} requests, {sample.cpu:.2f} s CPU, seen {sample.seen_p95:.1f} s, "
        f"{sample.largest / 1e6:.0f} MB"
    )


def rows(found: Sequence[tuple[Sample, Sample]], *, batches: int) -> list[Row]:
    """The lines of the table."""

    def both(key: str, what: str, unit: str, pick: Callable[[Sample], float], **options: Any) -> Row:
        return Row(
            key=f"{key}_{batches}",
            what=f"{what}, {batches:,} running",
            unit=unit,
            ours=Series(name="portal", rounds=tuple(round(pick(mine), 5) for mine, _theirs in found)),
            peer=Series(name=PEER, rounds=tuple(round(pick(theirs), 5) for _mine, theirs in found)),
            **options,
        )

    wanted = 60 / INTERVAL
    notes = []
    if batches > REACHABLE:
        notes.append(
            f"Airflow with {REACHABLE:,} triggers, since two cores do not serve {batches * wanted / 60:,.0f} polls a "
            "second; its numbers are per batch and do not depend on how many there are"
        )
    if (slowest := min(theirs.requests for _mine, theirs in found)) < wanted * 0.95:
        notes.append(f"the triggers fell behind: {slowest:.2f} requests instead of {wanted:.0f}, which is compared")
    note = "; ".join(notes)
    limit = REQUESTS_TARGET.get(batches)
    return [
        both("requests", "requests per followed batch and minute", "requests", lambda s: s.requests,
             target=limit and Target(kind=RATIO_AT_MOST, value=limit), note=note),
        both("cpu", "CPU per 1,000 batches followed for a minute", "s", lambda s: s.cpu,
             target=Target(kind=RATIO_AT_MOST, value=1 / 10)),
        both("delay", "from a batch's end to the first sight of it, p95", "s", lambda s: s.seen_p95,
             target=Target(kind=AT_MOST, value=INTERVAL * 1.1)),
        both("verdict", "from a batch's end to the verdict, p95", "s", lambda s: s.ended_p95),
        both("bytes", "bytes sent by the gateway per followed batch and minute", "bytes", lambda s: s.sent),
    ]  # fmt: skip
