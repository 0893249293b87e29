"""A restart of Livy (real-behaviour.md §g): what is kept, what is forgotten, what goes on running."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox import Fault, Sandbox
from tests.sandbox.helpers import Door, eventually


def test_a_crash_without_recovery_forgets_everything_and_kills_nothing(sb: Sandbox, door: Door) -> None:
    door.post("old", args=["--sleep 100000"])
    sb.restart()
    assert sb.generation == 2
    assert door.get("/batches").json() == {"from": 0, "total": 0, "sessions": []}
    again = door.post("old", args=["--sleep 100000"])
    assert (again.status_code, again.json()["id"]) == (201, 0)
    starts = sb.ledger.alive("old")
    assert [start.generation for start in starts] == [1, 2]


def test_an_id_is_another_batch_after_a_restart(sb: Sandbox, door: Door) -> None:
    door.post("mine")
    sb.restart()
    assert door.get("/batches/0").status_code == 404
    door.post("theirs")
    assert door.get("/batches/0").json()["name"] == "theirs"


def test_a_graceful_stop_without_recovery_kills_what_runs(sb: Sandbox, door: Door) -> None:
    door.post("running", args=["--sleep 100000"])
    door.post("done")
    door.until("done", "success")
    sb.restart(graceful=True)
    assert sorted((end.name, end.kind) for end in sb.ledger.ended()) == [("done", "ended"), ("running", "killed")]


@pytest.mark.parametrize("graceful", [False, True])
def test_with_recovery_ids_names_and_jobs_are_kept_and_logs_lost(graceful: bool) -> None:
    with Sandbox(speed=20, mode="yarn", recovery=True, post_cost=0) as sb:
        door = Door(sb)
        for name in ("a", "b", "c"):
            door.post(name, args=["--sleep 100000"])
        eventually(lambda: door.get("/batches/c").json()["appId"])
        sb.restart(graceful=graceful)
        batches = door.get("/batches").json()["sessions"]
        assert {batch["state"] for batch in batches} == {"recovering"}
        assert sorted((batch["id"], batch["name"]) for batch in batches) == [(0, "a"), (1, "b"), (2, "c")]
        assert door.until("a", "running") == "running"
        assert door.get("/batches/a/log").json()["log"] == ["stdout: ", "\nstderr: ", "\nYARN Diagnostics: "]
        assert door.post("a").status_code == 400
        assert door.post("d").json()["id"] == 4
        assert len(sb.ledger.alive()) == 4


def test_a_batch_that_was_being_submitted_is_found_again_by_its_tag() -> None:
    with Sandbox(speed=20, mode="yarn", recovery=True, post_cost=0) as sb:
        door = Door(sb)
        assert door.post("early", args=["--sleep 100000"]).json()["appId"] is None
        sb.restart()
        assert door.until("early", "running") == "running"
        assert door.get("/batches/early").json()["appId"].startswith("application_")


def test_a_phantom_comes_back_and_is_dead_when_yarn_knows_nothing() -> None:
    with Sandbox(speed=100, mode="yarn", recovery=True, post_cost=0, app_lookup=50) as sb:
        door = Door(sb)
        door.post("ghost", file="relative.jar")
        sb.restart()
        assert door.state("ghost") == "recovering"
        assert door.until("ghost", "dead") == "dead"
        assert any("No YARN application is found with tag" in line for line in door.get("/batches/0").json()["log"])
        assert sb.gc() == 1


def test_recovery_needs_yarn(sb: Sandbox) -> None:
    with pytest.raises(ValueError, match="Session recovery requires YARN"):
        Sandbox(recovery=True)
    with pytest.raises(ValueError, match="Session recovery requires YARN"):
        sb.restart(recovery=True)


def test_recovery_can_be_switched_at_a_restart(on_yarn: Sandbox, yarn_door: Door) -> None:
    yarn_door.post("kept")
    on_yarn.restart(recovery=True)
    assert yarn_door.state("kept") is not None
    on_yarn.restart(recovery=False)
    assert yarn_door.state("kept") is None


def test_a_post_in_the_middle_of_a_crash_gets_500_and_does_not_start(sb: Sandbox, door: Door) -> None:
    sb.add_fault(Fault("POST /batches", "slow_start", seconds=5))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(door.post, "first")
        eventually(lambda: door.state("first"))
        second = pool.submit(door.post, "second")
        eventually(lambda: len([r for r in sb.requests if r.method == "POST"]) == 2)
        time.sleep(0.1)  # recorded at the door; now it waits inside Livy
        sb.restart()
        assert [first.result().status_code, second.result().status_code] == [500, 500]
    assert sb.ledger.started() == []


def test_while_it_starts_connections_are_refused(sb: Sandbox, door: Door) -> None:
    sb.restart(downtime=0.3)
    assert door.get("/batches").status_code == 500
    assert eventually(lambda: door.get("/batches").status_code == 200)
