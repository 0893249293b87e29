"""A steward files through the API; the real worker and beat do the rest through a real Knox, Livy and Spark.

All are filed at once, then looked at: on two cores a job takes its time, and so does its neighbour.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.contract.wires import RealWire, processes
from tests.stack.portal import ENDED, Portal

TYPED = "--date 20240101 --table splio.active"
ITEMS = ["--date", "20240101", "--table", "splio.active"]
WAITING = f"kept.w{uuid4().hex[:12]}"
"""A word of this run alone, by which the sleeping job is found among the machine's processes."""


@pytest.fixture(scope="session")
def filed(portal: Portal, jar: str) -> dict[str, int]:
    """Numbers of the recoveries that everything here is about."""
    bodies: dict[str, tuple[str, dict[str, Any]]] = {
        "single": ("/recovery/execute-jar", {"jarPath": jar, "jarArgs": TYPED}),
        "split": ("/recovery/execute-jar", {"jarPath": jar, "jarArgs": TYPED, "profile": "split"}),
        "fails": ("/recoveries/", {"jarPath": jar, "jarArgs": [*ITEMS, "--fail", "3"], "profile": "env"}),
        "exhausts": ("/recoveries/", {"jarPath": jar, "jarArgs": [*ITEMS, "--oom"], "profile": "env"}),
        "sleeps": ("/recoveries/", {"jarPath": jar, "jarArgs": f"--sleep 600 --table {WAITING}"}),
    }
    return {name: portal.api("POST", path, 202, **body)["id"] for name, (path, body) in bodies.items()}


@pytest.fixture(scope="session")
def patience(wire: RealWire) -> float:
    """Seconds for a job to end in, among others, on a busy machine."""
    return wire.patience


def printed(portal: Portal, row: dict[str, Any], wire: RealWire) -> list[str]:
    """What the job itself wrote: in the kept log, or in cluster mode where YARN keeps a container's output."""
    if not wire.on_yarn:
        text = portal.log(row["id"])["output"]
    else:
        logs = Path(portal.stack["KNOX_CA"]).parent / "yarn" / "userlogs" / row["appId"]
        text = "\n".join(place.read_text() for place in logs.glob("container_*_000001/stdout"))
    return [line for line in text.splitlines() if line.startswith("RECOVERY arg")]


def test_it_was_submitted_as_it_was_filed(portal: Portal, filed: dict[str, int], jar: str, patience: float) -> None:
    row = portal.until(filed["single"], "starting", "running", *ENDED, seconds=patience)
    assert row["payload"] == {
        "file": jar,
        "args": [TYPED],
        "queue": "root.datalake",
        "proxyUser": "sddesigner",
        "driverMemory": "512m",
        "driverCores": 1,
        "executorMemory": "512m",
        "executorCores": 1,
        "numExecutors": 1,
    }
    assert row["sentPayload"] == row["payload"] | {
        "name": row["batchName"],
        "conf": {"spark.yarn.tags": row["batchName"]},
    }
    # Knox put its own user in the place of the one that was asked for, and this Livy runs all as itself
    assert (row["askedProxyUser"], row["proxyUser"]) == ("sddesigner", None)
    assert row["batchId"] >= 0
    assert row["tries"] == 1
    assert row["mayHaveStarted"] is False
    gateway = portal.gateway()
    assert (gateway["condition"], gateway["livyVersion"]) == (None, "0.7.1-incubating")


@pytest.mark.parametrize(("case", "args"), [("single", [TYPED]), ("split", ITEMS)])
def test_a_job_gets_its_arguments_as_the_steward_typed_them(
    portal: Portal,
    wire: RealWire,
    filed: dict[str, int],
    patience: float,
    say: Callable[[str], None],
    case: str,
    args: list[str],
) -> None:
    row = portal.until(filed[case], *ENDED, seconds=patience)
    assert (row["state"], row["outcome"], row["livyState"]) == ("succeeded", "success", "success"), row
    assert (row["args"], row["argsMode"]) == (args, case)
    log = portal.log(row["id"])
    assert log["final"] is True
    lines = printed(portal, row, wire)
    for line in lines:
        say(f"{case}: {line}")
    assert lines == [
        f"RECOVERY argc={len(args)}",
        *(f"RECOVERY argv[{index}]=<{arg}>" for index, arg in enumerate(args)),
    ]
    if wire.on_yarn:
        (application,) = wire.applications(row["batchName"])
        assert row["appId"] == application["id"]
        assert (application["finalStatus"], application["queue"]) == ("SUCCEEDED", "root.datalake")
        assert f"Submitted application {row['appId']}" in log["output"]
        say(f"{case}: {row['appId']} {application['finalStatus']} in queue {application['queue']}")
    else:
        assert row["appId"] is None
        assert "RECOVERY done date=20240101 table=splio.active exit=0" in log["output"]
    assert portal.events(row["id"])[0] == "filed"
    told = (
        {"started", "ended"} if wire.on_yarn else {"started", "terminal_seen", "ended"}
    )  # YARN's word ends it at once
    assert told <= set(portal.events(row["id"]))


def test_a_failing_job_is_failed_and_its_log_is_kept(
    portal: Portal, wire: RealWire, filed: dict[str, int], patience: float, say: Callable[[str], None]
) -> None:
    row = portal.until(filed["fails"], *ENDED, seconds=patience)
    assert (row["state"], row["outcome"], row["livyState"]) == ("failed", "job_failed", "dead"), row
    log = portal.log(row["id"])
    assert log["final"] is True
    if wire.on_yarn:
        assert log["diagnostics"] == "Shutdown hook called before final status was reported."
        say(f"fails: diagnostics kept: {log['diagnostics']}")
        assert f"Submitted application {row['appId']}" in log["output"]
    else:
        last = "RECOVERY done date=20240101 table=splio.active exit=3"
        assert last in log["output"].splitlines()
        say(f"fails: log kept: {last}")
    assert portal.causes(row["id"]) == (["no-final-status"] if wire.on_yarn else []), "an exit code names no cause"
    # Livy may forget it now: the log stays
    wire.delete(row["batchName"])
    assert portal.log(row["id"]) == log


def test_a_failure_is_explained_from_its_log(portal: Portal, filed: dict[str, int], patience: float) -> None:
    row = portal.until(filed["exhausts"], *ENDED, seconds=patience)
    assert row["state"] == "failed", row
    assert portal.causes(row["id"])[0] == "driver-memory"
    succeeded = portal.until(filed["single"], *ENDED, seconds=patience)
    assert portal.causes(succeeded["id"]) == []


def test_a_failed_one_is_resubmitted_and_succeeds(
    portal: Portal, wire: RealWire, filed: dict[str, int], patience: float
) -> None:
    failed = portal.until(filed["fails"], *ENDED, seconds=patience)
    again = portal.api("POST", f"/recoveries/{failed['id']}/resubmit/", 202, jarArgs=ITEMS, reason="without --fail")
    assert (again["resubmissionOf"], again["attempt"]) == (failed["id"], 2)
    assert again["batchName"] != failed["batchName"]
    row = portal.until(again["id"], *ENDED, seconds=patience)
    assert (row["state"], row["outcome"]) == ("succeeded", "success")
    assert printed(portal, row, wire)[0] == "RECOVERY argc=4"
    assert portal.recovery(failed["id"])["state"] == "failed"


def test_a_running_job_is_cancelled_and_really_gone(
    portal: Portal, wire: RealWire, filed: dict[str, int], patience: float
) -> None:
    row = portal.until(filed["sleeps"], "running", *ENDED, seconds=patience)
    assert row["state"] == "running"
    wire.until(lambda: processes(WAITING))
    # it has said a word that is to be kept, where Livy has its output
    wire.until(lambda: wire.on_yarn or "RECOVERY" in str(wire.log(row["batchName"])["log"]))
    portal.cancel(row["id"])
    row = portal.until(row["id"], *ENDED, seconds=patience)
    verified = "cancelled_verified" if wire.on_yarn else "cancelled_unverified"
    assert (row["state"], row["outcome"]) == ("cancelled", verified)
    assert wire.batch(row["batchName"]) is None
    wire.until(lambda: not processes(WAITING))
    if wire.on_yarn:
        (application,) = wire.applications(row["batchName"])
        assert (application["id"], application["state"]) == (row["appId"], "KILLED")
        assert application["finalStatus"] == "KILLED"
        assert "was killed by user" in application["diagnostics"]
    assert "RECOVERY" in portal.log(row["id"])["output"] or wire.on_yarn


def test_what_livy_refuses_is_refused_in_its_own_words(portal: Portal, wire: RealWire, patience: float) -> None:
    outside = portal.api("POST", "/recoveries/", 202, jarPath="file:///etc/passwd", profile="env")
    row = portal.until(outside["id"], *ENDED, seconds=patience)
    assert (row["state"], row["outcome"]) == ("refused", "refused_by_server")
    events = portal.api("GET", f"/recoveries/{row['id']}/events/", 200)["results"]
    assert any("cannot be added to user sessions" in str(event["data"]) for event in events)
    # its phantom is tidied up
    wire.until(lambda: wire.batch(row["batchName"]) is None)


def test_what_the_site_forbids_is_refused_in_its_words_and_its_phantom_removed(
    portal: Portal, wire: RealWire, jar: str, patience: float
) -> None:
    """A key that only this Livy's own list has: the portal files it, and Livy registers the batch before it refuses."""
    number = portal.file(jar, TYPED, conf={"spark.yarn.submit.waitAppCompletion": "false"})
    row = portal.until(number, *ENDED, seconds=patience)
    assert (row["state"], row["outcome"], row["batchId"]) == ("refused", "refused_by_server", None)
    wire.until(lambda: "phantom_removed" in portal.events(number))
    events = {event["kind"]: event["data"] for event in portal.story(number)}
    words = "Blacklisted configuration values in session config: spark.yarn.submit.waitAppCompletion"
    assert events["refused"]["words"] == words
    assert events["phantom_removed"]["batch"] >= 0
    assert wire.named(row["batchName"]) == []
