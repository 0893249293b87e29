"""What following costs, beside Airflow's `LivyTrigger` at 10 s: requests, CPU, delay, memory.

Batches run for hours while requests and CPU are counted; then some of them end, at moments drawn by chance, and it is
seen how soon that is noticed. CPU is that of all processes of a side: for the portal worker, beat, database, broker.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from bench import peers
from bench.portal import Portals
from bench.processes import Child, cpu_seconds, family, proportional, resident, until
from bench.results import AT_MOST, RATIO_AT_MOST, Row, Series, Target
from bench.sandboxes import JAR, MODE, Sandbox, ends, sandbox

INTERVAL: Final = 10.0
"""Seconds between two polls of a trigger, and between two looks of the portal: both sides see as soon."""
DEFAULT: Final = 5
"""Seconds between two looks of the portal when nobody has set them (`PORTAL_POLL_SECONDS`)."""
CAPACITY: Final = 1000
"""Triggers of one triggerer process (Airflow's default `triggerer.capacity`)."""
PEER: Final = "Airflow LivyTrigger, 10 s"
ENDS, ENDING = 20, 10.0
"""So many batches end within so many seconds, once the cost of following was measured."""
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
class _Cost:
    """What a side used in some seconds."""

    seconds: float
    requests: dict[str, int]
    sent: int
    cpu: dict[str, float]
    server_cpu: float


class _Meter:
    """Reads what a side has used so far."""

    def __init__(self, server: Sandbox, cpu: Callable[[], dict[str, float]]) -> None:
        self._server = server
        self._cpu = cpu
        self.again()

    def again(self) -> None:
        """Count from now on."""
        self._tally = self._server.ask("tally")
        self._used = self._cpu()
        self._server_cpu = cpu_seconds([self._server.child.pid])
        self._began = time.monotonic()

    def read(self) -> _Cost:
        """Since then."""
        seconds, cpu, tally = time.monotonic() - self._began, self._cpu(), self._server.ask("tally")
        none = {"requests": 0, "bytes": 0}
        asked = {kind: count["requests"] - self._tally.get(kind, none)["requests"] for kind, count in tally.items()}
        sent = sum(count["bytes"] - self._tally.get(kind, none)["bytes"] for kind, count in tally.items())
        return _Cost(
            seconds=round(seconds, 2),
            requests={kind: number for kind, number in asked.items() if number},
            sent=sent,
            cpu={name: round(value - self._used.get(name, 0.0), 2) for name, value in cpu.items()},
            server_cpu=round(cpu_seconds([self._server.child.pid]) - self._server_cpu, 2),
        )


def _end_some(server: Sandbox, names: Sequence[str], dice: random.Random) -> None:
    """End `ENDS` batches, at moments drawn by chance."""
    moments = sorted(dice.uniform(0, ENDING) for _ in range(ENDS))
    began = time.monotonic()
    for name, moment in zip(dice.sample(list(names), ENDS), moments, strict=True):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        server.act("finish", name=name)


def pages(batches: int) -> int:
    """Requests for the whole list: the portal begins with 250 and goes on with 1,000 at a time."""
    return 1 + math.ceil(max(0, batches - 250) / 1000)


def p95(values: Sequence[float]) -> float:
    """The value that 95 % do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * 0.95) - 1)]


def ours(
    portals: Portals, folder: Path, *, batches: int, window: float, dice: random.Random, poll: float = INTERVAL
) -> Sample:
    """The portal: one worker, one beat, as in the Procfile, that look every `poll` seconds."""
    with sandbox(folder, *MODE) as server, portals.fresh(server, PORTAL_POLL_SECONDS=f"{poll:.0f}") as portal:
        portal.inside("seed", root=server.root, batches=batches)
        listed = server.requests(LIST)
        worker, _beat = portal.worker(), portal.beat()
        passes = 2 * pages(batches)

        def warm() -> bool:
            portal.check()
            return server.requests(LIST) - listed >= passes

        until(warm, within=180, what="the list was read twice", every=0.5)
        names = [str(row[0]) for row in portal.read("SELECT batch_name FROM recovery_recovery")]
        meter = _Meter(server, portal.cpu)
        time.sleep(window)
        steady = meter.read()
        sizes = {pid: resident(pid) for pid in family(worker.pid)}
        whole = proportional(worker.pid)
        meter.again()
        _end_some(server, names, dice)
        over = "SELECT count(*) FROM recovery_recovery WHERE finished_at IS NOT NULL"
        until(lambda: portal.read(over)[0][0] >= ENDS, within=180, what="every end was seen", every=0.5)
        ending = meter.read()
        seen, end = portal.epoch("terminal_seen_at"), portal.epoch("finished_at")
        rows = portal.read(
            f"SELECT batch_name, coalesce({seen}, {end}), {end}, state FROM recovery_recovery"
            " WHERE finished_at IS NOT NULL"
        )
        real = ends(server)
    wrong = [row[0] for row in rows if row[3] != "succeeded"]
    seen_after = [row[1] - real[row[0]] for row in rows]
    return _sample(
        steady,
        ending,
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
        meter = _Meter(server, lambda: {"triggerer": cpu_seconds(pids)})
        time.sleep(window)
        steady = meter.read()
        sizes = [resident(pid) for pid in pids]
        meter.again()
        _end_some(server, names, dice)
        time.sleep(INTERVAL * 1.2)
        ending = meter.read()
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
        steady,
        ending,
        batches,
        delays,
        delays,
        largest=max(sizes),
        grown=sum(grown) / len(grown),
        processes=len(sizes),
        not_succeeded=sum(one["status"] != "success" for one in told),
        unseen=ENDS - len(delays),
    )


def _sample(
    steady: _Cost,
    ending: _Cost,
    batches: int,
    seen: Sequence[float],
    ended: Sequence[float],
    *,
    largest: float,
    grown: float = 0.0,
    **details: Any,
) -> Sample:
    minutes = batches * steady.seconds / 60
    return Sample(
        requests=sum(steady.requests.values()) / minutes,
        sent=steady.sent / minutes,
        cpu=sum(steady.cpu.values()) * 1000 / minutes,
        seen_p95=p95(seen),
        ended_p95=p95(ended),
        largest=largest,
        grown=grown,
        details={"following": asdict(steady), "ending": asdict(ending), **details},
    )


def rounds(
    portals: Portals, folder: Path, *, sizes: Sequence[int], count: int, window: float, say: Callable[[str], None]
) -> dict[int, list[tuple[Sample, Sample]]]:
    """By turns: the portal at each size, the peer, the portal at each size, the peer …"""
    found: dict[int, list[tuple[Sample, Sample]]] = {batches: [] for batches in sizes}
    for number in range(count):
        mine = {}
        for batches in sizes:
            mine[batches] = ours(portals, folder, batches=batches, window=window, dice=random.Random(number))
            say(f"following, round {number + 1}: portal, {batches:,}: {_short(mine[batches])}")
        triggers = min(max(sizes), CAPACITY)
        theirs = peer(folder, batches=triggers, window=window, dice=random.Random(number))
        say(f"following, round {number + 1}: Airflow, {triggers:,}: {_short(theirs)}")
        for batches in sizes:
            found[batches].append((mine[batches], theirs))
    return found


def by_default(
    portals: Portals, folder: Path, *, batches: int, count: int, window: float, say: Callable[[str], None]
) -> list[Row]:
    """What it costs to look as often as the portal does when nobody has set it: twice as often as the peer."""
    found = []
    for number in range(count):
        dice = random.Random(number)
        found.append(ours(portals, folder, batches=batches, window=window, dice=dice, poll=DEFAULT))
        say(f"following, every {DEFAULT} s, round {number + 1}: {_short(found[-1])}")

    def row(key: str, what: str, unit: str, pick: Callable[[Sample], float]) -> Row:
        values = tuple(round(pick(sample), 5) for sample in found)
        text = f"{what}, {batches:,} running, looked at every {DEFAULT} s (the default)"
        return Row(key=f"{key}_default", what=text, unit=unit, ours=Series(name="portal", rounds=values))

    return [
        row("requests", "requests per followed batch and minute", "requests", lambda s: s.requests),
        row("cpu", "CPU per 1,000 batches followed for a minute", "s", lambda s: s.cpu),
        row("delay", "from a batch's end to the first sight of it, p95", "s", lambda s: s.seen_p95),
    ]


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
    if batches > CAPACITY:
        notes.append(
            f"Airflow with {CAPACITY:,} triggers, one process by its default: two cores do not serve "
            f"{batches * wanted / 60:,.0f} polls a second, and triggers know nothing of each other"
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
