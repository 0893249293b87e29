"""kill -9 of the only worker in the middle of a pass, and start of another: when is every batch followed again?"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from bench.portal import Portals
from bench.processes import until
from bench.results import AT_MOST, Row, Series, Target
from bench.sandboxes import MODE, sandbox

VISIBILITY = 3600.0
"""Celery's default `visibility_timeout` for Redis: after so long a killed worker's message is delivered again."""


def once(portals: Portals, folder: Path, *, batches: int) -> float:
    """Seconds from the kill until each row was seen again. The worker holds its lease and its message when it dies."""
    with sandbox(folder, *MODE) as server, portals.fresh(server) as portal:
        portal.inside("seed", root=server.root, batches=batches)
        begin = time.time()
        worker, _beat = portal.worker(), portal.beat()

        def unseen_since(moment: float) -> int:
            query = f"SELECT count(*) FROM recovery_recovery WHERE {portal.epoch('seen_at')} < {moment}"
            return int(portal.read(query)[0][0])

        until(lambda: unseen_since(begin) == 0, within=120, what="every batch was seen once", every=0.5)
        # the pass waits for this answer when the worker is killed
        server.arm([{"route": "^GET /batches.*", "action": "delay", "seconds": 5}])
        until(lambda: bool(server.ask("faults")[0]["struck"]), within=60, what="a pass is under way", every=0.05)
        worker.kill()
        portal.children.remove(worker)
        killed = time.time()
        server.clear()
        portal.worker()
        until(lambda: unseen_since(killed) == 0, within=300, what="every batch was seen again", every=0.2)
        return time.time() - killed


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
