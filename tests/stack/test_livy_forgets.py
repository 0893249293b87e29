"""Livy is killed while batches run, and started again without its recovery mode: it has forgotten them, they go on.

With YARN behind the gateway each is found by its tag and ends truly, and one can still be cancelled; without it each is
to be checked. Nothing is started a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from tests.contract.wires import RealWire
from tests.stack.portal import ENDED, Portal

WORD = f"forgotten.w{uuid4().hex[:12]}"
"""By which the jobs of this run are found among the machine's processes."""
LINES = (
    ("cancelled", ["--sleep", "600"]),
    ("succeeded", ["--sleep", "45"]),
    ("failed", ["--sleep", "45", "--throw"]),
    ("succeeded", ["--sleep", "60"]),
)
FINAL = {"cancelled": "KILLED", "succeeded": "SUCCEEDED", "failed": "FAILED"}


@pytest.fixture(autouse=True)
def _no_orphans(wire: RealWire) -> Iterator[None]:
    """A local master's would go on beside the next tests."""
    yield
    wire.end_jobs(WORD)


@pytest.mark.timeout(600)
def test_batches_that_livy_forgot(portal: Portal, wire: RealWire, jar: str, say: Callable[[str], None]) -> None:
    rows = [portal.file(jar, [*line, "--table", WORD]) for _end, line in LINES]
    for number in rows:
        row = portal.until(number, "running", *ENDED, seconds=wire.patience)
        assert row["state"] == "running"
        assert bool(row["appId"]) is wire.on_yarn
    restarted = portal.gateway()["livyRestartedAt"]
    wire.crash_livy()
    portal.cancel(rows[0])
    wire.until(lambda: portal.gateway()["livyRestartedAt"] != restarted)
    posts = [portal.recovery(number)["tries"] for number in rows]
    for number, (end, line) in zip(rows, LINES, strict=True):
        row = portal.until(number, *ENDED, seconds=wire.patience + 120)
        say(f"forgotten by Livy: {' '.join(line)}: {row['state']} ({row['outcome']}), {row['appId']}")
        assert row["state"] == (end if wire.on_yarn else "lost")
        if wire.on_yarn:
            (application,) = wire.applications(row["batchName"])
            assert (application["id"], application["finalStatus"]) == (row["appId"], FINAL[end])
    assert [portal.recovery(number)["tries"] for number in rows] == posts == [1, 1, 1, 1]
