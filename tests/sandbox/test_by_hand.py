"""What a test steers that plays hours by moving the clock itself: no socket, no thread, nothing waits."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator

import pytest

from sandbox import Sandbox
from sandbox.clock import ManualClock
from sandbox.livy import BackendGone
from sandbox.request import Request

START = 1_900_000_000.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def box(clock: ManualClock) -> Iterator[Sandbox]:
    box = Sandbox(clock=clock, mode="yarn", post_cost=0.0)
    yield box
    box.close()


def call(box: Sandbox, method: str, path: str, **body: object) -> dict[str, object]:
    headers = {
        "authorization": f"Basic {b64encode(b'svc_portal:svc-password').decode()}",
        "content-type": "application/json",
    }
    data = json.dumps(body).encode() if body else b""
    answer = box.handle(Request(method=method, target=f"/gateway/sandbox{path}", headers=headers, body=data))
    value: dict[str, object] = json.loads(answer.body)
    return value


def test_time_stands_still_until_it_is_moved_and_a_job_takes_the_time_that_was_moved(
    box: Sandbox, clock: ManualClock
) -> None:
    call(box, "POST", "/livy/v1/batches", file="hdfs:///x.jar", name="a", args=["--sleep", "3600"])
    assert call(box, "GET", "/livy/v1/batches/a")["state"] == "starting"
    clock.forward(60)
    assert call(box, "GET", "/livy/v1/batches/a")["state"] == "running"
    clock.forward(3600)
    assert call(box, "GET", "/livy/v1/batches/a")["state"] == "success"
    [start] = box.ledger.started("a")
    assert start.at == START
    end = box.ledger.end_of(start)
    assert end is not None
    assert end.at == START + 3617


def test_who_waits_moves_the_clock(box: Sandbox, clock: ManualClock) -> None:
    """On YARN a DELETE waits for the application's id."""
    call(box, "POST", "/livy/v1/batches", file="hdfs:///x.jar", name="a", args=["--sleep", "3600"])
    assert call(box, "DELETE", "/livy/v1/batches/a") == {"msg": "deleted"}
    assert 3.5 <= clock.now() < 4


def test_an_application_that_is_slow_to_reach_yarn(box: Sandbox, clock: ManualClock) -> None:
    box.yarn_slow(90)
    tags = {"spark.yarn.tags": "a"}
    call(box, "POST", "/livy/v1/batches", file="hdfs:///x.jar", name="a", args=["--sleep", "3600"], conf=tags)
    assert box.ledger.started("a")
    asked = "/resourcemanager/v1/cluster/apps?applicationTags=a"
    clock.forward(90)
    assert call(box, "GET", asked) == {"apps": {}}
    clock.forward(4)
    assert "app" in str(call(box, "GET", asked)["apps"])


def test_yarns_memory_begins_by_the_same_clock(box: Sandbox, clock: ManualClock) -> None:
    clock.forward(100)
    box.yarn_restart()
    info = call(box, "GET", "/resourcemanager/v1/cluster/info")["clusterInfo"]
    assert isinstance(info, dict)
    assert info["startedOn"] == (START + 100) * 1000


def test_a_start_that_stands_still_is_a_phantom_until_it_goes_on(box: Sandbox) -> None:
    start = box._livy.current().post_slowly({"file": "hdfs:///x.jar", "name": "a"})
    assert start is not None
    seen = call(box, "GET", "/livy/v1/batches/a")
    assert (seen["state"], seen["appId"], seen["log"]) == ("starting", None, [])
    assert not box.ledger.started("a")
    start()
    assert box.ledger.started("a")


def test_a_start_that_stands_still_dies_with_its_livy(box: Sandbox) -> None:
    start = box._livy.current().post_slowly({"file": "hdfs:///x.jar", "name": "a"})
    assert start is not None
    box.restart()
    with pytest.raises(BackendGone):
        start()
    assert not box.ledger.started("a")


def test_a_slow_post_is_refused_as_any_other(box: Sandbox) -> None:
    livy = box._livy.current()
    assert livy.post_slowly({"file": "hdfs:///x.jar", "name": "a"}) is not None
    assert livy.post_slowly({"file": "hdfs:///x.jar", "name": "a"}) is None  # the name is held
    assert livy.post_slowly({"file": "hdfs:///x.jar", "name": "7"}) is None  # no name at all
