"""kill -9 of the only worker in the middle of a pass, and start of another: when is a batch followed again?

A batch ends at that moment; what counts is when its end is on its row.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from bench.following import LIST
from bench.portal import Portals
from bench.processes import until
from bench.results import AT_MOST, Row, Series, Target
from bench.sandboxes import MODE, sandbox

VISIBILITY = 3600.0
"""Celery's default `visibility_timeout` for Redis: after so long a killed worker's message is delivered again."""


def once(portals: Portals, folder: Path, *, batches: int) -> float:
    """Seconds from the kill until the first sight of an end that came right after it."""
    with sandbox(folder, *MODE) as server, portals.fresh(server) as portal:
        portal.inside("seed", root=server.root, batches=batches)
        listed = server.requests(LIST)
        worker, _beat = portal.worker(), portal.beat()
        until(lambda: server.requests(LIST) >= listed + 2, within=120, what="the list was read twice", every=0.5)
        # the pass waits for this answer, and holds its lease and its message, when the worker is killed
        server.arm([{"route": "GET /batches", "action": "delay", "seconds": 5}])
        until(lambda: bool(server.ask("faults")[0]["struck"]), within=60, what="a pass is under way", every=0.05)
        worker.kill()
        portal.children.remove(worker)
        killed = time.time()
        server.clear()
        name = portal.read("SELECT batch_name FROM recovery_recovery ORDER BY id LIMIT 1")[0][0]
        server.act("finish", name=name)
        portal.worker()
        seen = f"SELECT {portal.epoch('terminal_seen_at')} FROM recovery_recovery WHERE batch_name = '{name}'"
        until(lambda: portal.read(seen)[0][0] is not None, within=300, what="the end was seen", every=0.2)
        return float(portal.read(seen)[0][0]) - killed


def rows(portals: Portals, folder: Path, *, batches: int, count: int, say: Callable[[str], None]) -> list[Row]:
    """The rounds."""
    found: list[float] = []
    for number in range(count):
        found.append(round(once(portals, folder, batches=batches), 2))
        say(f"resume, round {number + 1}: {found[-1]:.1f} s")
    return [
        Row(
            key="resume",
            what="following resumed after kill -9 of the only worker and start of another",
            unit="s",
            ours=Series(name="portal", rounds=tuple(found)),
            peer=Series(name="Celery + Redis by default, as documented", rounds=(VISIBILITY,)),
            target=Target(kind=AT_MOST, value=60),
            note="Celery's number is its documented default (a killed worker's message is delivered again after the "
            "visibility timeout), not a measurement; Airflow's triggers, too, are taken over by another triggerer",
        )
    ]
