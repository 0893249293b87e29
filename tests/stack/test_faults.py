"""Faults of the real Knox and Livy in the middle of the work, under a real worker: nothing is lost, nothing runs twice.

On a local master only: nothing here is YARN's matter, and a job takes a tenth of the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.contract.wires import PASSWORD, RealWire, ctl, processes
from tests.stack.portal import ENDED, PACING, Portal
from tests.stack.tap import Tap

WORD = f"faults.w{uuid4().hex[:12]}"
"""By which the jobs of this run are found among the machine's processes."""


@pytest.fixture(autouse=True)
def _nothing_left(wire: RealWire, tap: Tap) -> Iterator[None]:
    """By a test that failed."""
    yield
    tap.calm()
    wire.end_jobs(WORD)


def line(seconds: int) -> list[str]:
    """Arguments of a job that takes so long."""
    return ["--sleep", str(seconds), "--no-spark", "--table", WORD]


def was_one_batch(portal: Portal, wire: RealWire, tap: Tap, *numbers: int) -> None:
    """Sent once, registered once, and succeeded."""
    for number in numbers:
        row = portal.until(number, *ENDED, seconds=wire.patience)
        assert (row["state"], row["outcome"], row["tries"]) == ("succeeded", "success", 1), portal.events(number)
        assert tap.posts(row["batchName"]) == 1
        assert [batch["id"] for batch in wire.named(row["batchName"])] == [row["batchId"]]


def test_livy_hangs_during_a_post_for_longer_than_knox_waits(
    second: Portal, wire: RealWire, tap: Tap, jar: str, say: Callable[[str], None]
) -> None:
    """Knox gives up after its 20 s, and Livy starts the batch when nobody waits for it any more."""
    with second.worker_as_in_production():
        tap.before_post(wire.pause_livy)
        try:
            number = second.file(jar, line(1))
            row = second.until(number, "unconfirmed", *ENDED, seconds=wire.patience)
            assert (row["state"], row["mayHaveStarted"]) == ("unconfirmed", True)
            assert not processes(WORD)
        finally:
            wire.resume_livy()
        was_one_batch(second, wire, tap, number)
    (lost,) = (event["data"] for event in second.story(number) if event["kind"] == "answer_lost")
    assert lost["status"] == 500
    assert lost["words"].endswith("Service connectivity error.")
    assert "adopted" in second.events(number)
    say(f"Livy hung during a POST: {' → '.join(second.events(number))}")


def test_knox_is_killed_while_one_is_followed_and_one_is_submitted(
    second: Portal, wire: RealWire, tap: Tap, jar: str, say: Callable[[str], None]
) -> None:
    """Livy has answered the POST, and the answer is lost with Knox."""
    followed = second.file(jar, line(10))
    assert second.until(followed, "running", *ENDED, seconds=wire.patience)["state"] == "running"
    tap.before_answer(lambda: ctl("knox", "kill"))
    try:
        submitted = second.file(jar, line(5))
        row = second.until(submitted, "unconfirmed", *ENDED, seconds=wire.patience)
        assert (row["state"], row["mayHaveStarted"]) == ("unconfirmed", True)
        second.until_condition("unreachable")
        assert second.recovery(followed)["state"] == "running"
    finally:
        ctl("knox", "start")
    was_one_batch(second, wire, tap, followed, submitted)
    second.until_condition(None)
    assert "answer_lost" not in second.events(followed)
    assert {"answer_lost", "adopted"} <= set(second.events(submitted))
    say(f"Knox was killed during a POST: {' → '.join(second.events(submitted))}")


def test_a_wrong_password_for_a_minute(
    second: Portal, wire: RealWire, tap: Tap, jar: str, say: Callable[[str], None]
) -> None:
    """The gateway says so; what runs is followed on afterwards, what waits is submitted. A minute at the test's pace."""
    secret = Path(second.environment["AD_PASSWORD_FILE"])
    followed = second.file(jar, line(5))
    assert second.until(followed, "running", *ENDED, seconds=wire.patience)["state"] == "running"
    secret.write_text("changed-in-the-directory", encoding="utf-8")
    try:
        second.until_condition("credentials")
        queued = second.file(jar, line(1))
        until = time.monotonic() + 60 * float(PACING)
        while time.monotonic() < until:
            assert second.condition() == "credentials"
            states = [second.recovery(number)["state"] for number in (followed, queued)]
            assert states == ["running", "queued"]
            time.sleep(1)
    finally:
        secret.write_text(PASSWORD, encoding="utf-8")
    was_one_batch(second, wire, tap, followed, queued)
    assert second.condition() is None
    for number in (followed, queued):
        assert second.recovery(number)["mayHaveStarted"] is False
    say(f"wrong password for a while: {' → '.join(second.events(queued))}")


def test_two_portals_on_one_livy_leave_each_others_batches_alone(
    portal: Portal, second: Portal, wire: RealWire, jar: str
) -> None:
    """The same jar and the same arguments, from two databases; the name of one portal begins with the other's."""
    filed = [(one, one.file(jar, line(600))) for one in (portal, second)]
    rows = [one.until(number, "running", *ENDED, seconds=wire.patience) for one, number in filed]
    assert [row["state"] for row in rows] == ["running", "running"]
    assert rows[0]["payloadSha256"] == rows[1]["payloadSha256"]
    assert rows[0]["batchName"].startswith("e2e-recovery-")
    assert rows[1]["batchName"].startswith("e2e-two-recovery-")
    for row in rows:  # its own, in Livy too
        assert [batch["id"] for batch in wire.named(row["batchName"])] == [row["batchId"]]
    (_, first), (_, other) = filed
    portal.cancel(first)
    assert portal.until(first, *ENDED, seconds=wire.patience)["state"] == "cancelled"
    assert wire.named(rows[0]["batchName"]) == []
    # the other has been looked at since, and goes on
    seen = second.recovery(other)["lastSeenAt"]
    wire.until(lambda: second.recovery(other)["lastSeenAt"] != seen)
    assert second.recovery(other)["state"] == "running"
    (left,) = wire.named(rows[1]["batchName"])
    assert (left["id"], left["state"]) == (rows[1]["batchId"], "running")
    second.cancel(other)
    assert second.until(other, *ENDED, seconds=wire.patience)["state"] == "cancelled"
    wire.until(lambda: not processes(WORD))
    assert [one.recovery(number)["tries"] for one, number in filed] == [1, 1]
