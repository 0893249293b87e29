"""Names: the idempotency key of one Livy process, and what a refusal leaves (real-behaviour.md §b, facts 1, 4, 7)."""

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from sandbox import Fault, Sandbox
from tests.sandbox.helpers import Door, eventually

PHANTOM: dict[str, object] = {"state": "starting", "appId": None, "log": []}


def shape(door: Door, name: str) -> dict[str, object]:
    batch = door.get(f"/batches/{name}").json()
    return {key: batch[key] for key in PHANTOM}


def test_a_start_answers_201_with_the_whole_batch() -> None:
    with Sandbox(speed=1, post_cost=0) as sb:
        response = Door(sb).post("first")
    assert response.status_code == 201
    assert response.headers["Location"] == "/batches/0"
    assert response.headers["Content-Type"] == "application/json;charset=utf-8"
    assert response.json() == {
        "id": 0,
        "name": "first",
        "owner": None,
        "proxyUser": None,
        "state": "running",
        "appId": None,
        "appInfo": {"driverLogUrl": None, "sparkUiUrl": None},
        "log": ["stdout: ", "\nstderr: "],
    }


def test_a_name_is_taken_until_it_is_deleted_even_after_the_end(sb: Sandbox, door: Door) -> None:
    door.post("taken")
    door.until("taken", "success")
    refused = door.post("taken")
    assert refused.status_code == 400
    # The refused POST burnt id 1, and the message names it, not the holder's.
    assert refused.json() == {"msg": "Duplicate session name: Some(taken) for session 1"}
    assert door.delete("/batches/taken").json() == {"msg": "deleted"}
    again = door.post("taken")
    assert (again.status_code, again.json()["id"]) == (201, 2)
    assert len(sb.ledger.started("taken")) == 2


def test_of_eight_parallel_posts_of_one_name_one_starts(sb: Sandbox, door: Door) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: door.post("same"), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 7
    assert len(sb.ledger.started("same")) == 1


def test_no_name_needs_no_uniqueness(door: Door) -> None:
    assert [door.post().status_code for _ in range(2)] == [201, 201]
    assert door.get("/batches/0").json()["name"] is None


@pytest.mark.parametrize("name", ["", "12345", 77])
def test_an_empty_or_numeric_name_is_refused_and_leaves_nothing(door: Door, name: object) -> None:
    refused = door.post(name=name)  # type: ignore[arg-type]  # a number is the point
    assert refused.status_code == 400
    assert refused.json() == {"msg": f"Invalid session name: {name}"}
    assert door.get("/batches").json()["total"] == 0
    assert door.post("next").json()["id"] == 1


def test_any_other_name_is_reachable_percent_encoded(door: Door) -> None:
    name = "é a/b?c=d&'\""
    assert door.post(name).status_code == 201
    encoded = quote(name, safe="")
    assert door.get(f"/batches/{encoded}").json()["name"] == name
    assert door.get(f"/batches/{encoded}/log").status_code == 200
    assert door.delete(f"/batches/{encoded}").status_code == 200


def test_a_refused_start_leaves_a_phantom_until_it_is_deleted(sb: Sandbox, door: Door) -> None:
    assert door.post("ghost", file="relative.jar").status_code == 400
    assert shape(door, "ghost") == PHANTOM
    assert door.post("ghost").json()["msg"].startswith("Duplicate session name")
    assert sb.gc() == 0
    assert door.delete("/batches/ghost").status_code == 200
    assert door.post("ghost").status_code == 201
    assert len(sb.ledger.started()) == 1


def test_a_start_in_progress_has_the_shape_of_a_phantom(sb: Sandbox, door: Door) -> None:
    sb.add_fault(Fault("POST /batches", "slow_start", seconds=0.5))
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(door.post, "slow")
        eventually(lambda: door.state("slow"))
        assert shape(door, "slow") == PHANTOM
        assert sb.ledger.started("slow") == []
        assert pending.result().status_code == 201
    assert len(sb.ledger.started("slow")) == 1


def test_a_batch_deleted_in_the_middle_of_its_start_runs_on_unknown(sb: Sandbox, door: Door) -> None:
    sb.add_fault(Fault("POST /batches", "slow_start", seconds=0.3))
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(door.post, "orphan", args=["--sleep 1000"])
        eventually(lambda: door.state("orphan"))
        assert door.delete("/batches/orphan").status_code == 200
        assert pending.result().status_code == 201
    assert door.state("orphan") is None
    assert len(sb.ledger.alive("orphan")) == 1


def test_too_many_sessions_is_asked_before_the_name_and_burns_no_id() -> None:
    with Sandbox(speed=1, post_cost=0, max_creation=1) as sb:
        door = Door(sb)
        door.post("a", args=["--sleep 1000"])
        refused = door.post("a")
        assert refused.status_code == 400
        assert refused.json() == {"msg": "Rejected, too many sessions are being created!"}
        assert door.get("/batches").json()["total"] == 1
        sb.finish("a")
        assert door.post("b").json()["id"] == 1


def test_on_yarn_only_the_submissions_count_as_being_created(on_yarn: Sandbox) -> None:
    with Sandbox(speed=100, mode="yarn", post_cost=0, max_creation=1) as sb:
        door = Door(sb)
        door.post("a", args=["--sleep 100000"])
        eventually(lambda: door.get("/batches/a").json()["appId"])
        assert door.post("b").status_code == 201


def test_posts_wait_for_each_other_and_gets_do_not(sb: Sandbox, door: Door) -> None:
    sb.add_fault(Fault("POST /batches", "slow_start", seconds=0.6, nth=1))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(door.post, "one")
        eventually(lambda: door.state("one"))
        second = pool.submit(door.post, "two")
        assert door.get("/batches").json()["total"] == 1
        assert not first.done()
        assert [first.result().json()["id"], second.result().json()["id"]] == [0, 1]


def test_the_answer_to_a_bad_body_is_never_sent_with_a_mark_of_the_sandbox(door: Door) -> None:
    body = json.dumps({"file": "hdfs:///x.jar", "bogus": 1})
    response = door.call("POST", "/livy/v1/batches", data=body)
    assert response.status_code == 400
    assert "sandbox" not in response.text
