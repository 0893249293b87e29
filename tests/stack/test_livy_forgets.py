"""Livy is killed while batches run, and started again without its recovery mode: it has forgotten them, they go on.

With YARN behind the gateway each is found by its tag and ends truly; without it each is to be checked. Nothing is
started a second time.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.contract.wires import RealWire
from tests.stack.portal import Portal

ENDED = ("succeeded", "failed", "cancelled", "refused", "lost")
WORD = f"forgotten.w{uuid4().hex[:12]}"
"""By which the jobs of this run are found among the machine's processes."""
LINES = (("succeeded", ["--sleep", "45"]), ("failed", ["--sleep", "45", "--throw"]), ("succeeded", ["--sleep", "60"]))


@pytest.mark.timeout(600)
def test_batches_that_livy_forgot(portal: Portal, wire: RealWire, say: Callable[[str], None]) -> None:
    jar = "hdfs:///user/sddesigner/recovery.jar" if wire.hdfs else f"file://{portal.stack['RECOVERY_JAR']}"
    rows = []
    for _end, line in LINES:
        body = {"jarPath": jar, "jarArgs": [*line, "--table", WORD], "profile": "env"}
        rows.append(portal.api("POST", "/recoveries/", 202, **body)["id"])
    for number in rows:
        row = portal.until(number, "running", *ENDED, seconds=wire.patience)
        assert row["state"] == "running"
        assert bool(row["appId"]) is wire.on_yarn
    wire.crash_livy()
    posts = [portal.recovery(number)["tries"] for number in rows]
    for number, (end, line) in zip(rows, LINES, strict=True):
        row = portal.until(number, *ENDED, seconds=wire.patience + 120)
        say(f"forgotten by Livy: {' '.join(line)}: {row['state']} ({row['outcome']}), {row['appId']}")
        assert row["state"] == (end if wire.on_yarn else "lost")
        if wire.on_yarn:
            assert len(wire.applications(row["batchName"])) == 1
    if not wire.on_yarn:
        wire.end_jobs(WORD)  # a local master's orphans would go on beside the next tests
    assert [portal.recovery(number)["tries"] for number in rows] == posts == [1, 1, 1]
