"""YARN cluster mode, and the ResourceManager through Knox (real-behaviour.md §a, §n)."""

import time
from typing import Any

import pytest

from sandbox import Sandbox
from tests.sandbox.helpers import Door, eventually

KILL = {"data": b'{"state":"KILLED"}', "headers": {"Content-Type": "application/json"}}


def apps(door: Door, tag: str) -> list[dict[str, object]]:
    return door.yarn(f"/apps?applicationTags={tag}").json()["apps"].get("app", [])


def test_a_batch_goes_from_starting_without_id_to_its_end() -> None:
    with Sandbox(speed=20, mode="yarn", post_cost=0) as sb:
        door = Door(sb)
        created = door.post("job").json()
        assert (created["state"], created["appId"]) == ("starting", None)
        assert created["log"] == ["stdout: ", "\nstderr: ", "\nYARN Diagnostics: "]
        seen: list[tuple[str, bool, bool, bool]] = []
        while not seen or seen[-1][0] != "success":
            batch = door.get("/batches/job").json()
            links = batch["appInfo"]
            now = (batch["state"], bool(batch["appId"]), bool(links["driverLogUrl"]), bool(links["sparkUiUrl"]))
            if not seen or seen[-1] != now:
                seen.append(now)
    steps = [
        ("starting", False, False, False),
        ("starting", True, False, False),
        ("starting", True, True, True),
        ("running", True, True, True),
        ("success", True, False, True),
    ]
    # A step of 50 ms can be missed on a busy machine; nothing else may be seen, and in no other order.
    assert seen == [step for step in steps if step in seen]
    assert (seen[0], seen[-1]) == (steps[0], steps[-1])


def test_the_log_is_the_clients_and_not_the_jobs(yarn_door: Door) -> None:
    yarn_door.post("job", args=["--throw"])
    yarn_door.until("job", "dead")
    log = yarn_door.get("/batches/job/log").json()["log"]
    assert not any("argc" in line for line in log)
    after = log[log.index("\nYARN Diagnostics: ") + 1 :]
    assert after[0] == "User class threw exception: java.lang.IllegalStateException: RECOVERY asked to throw"


@pytest.mark.parametrize(
    ("change", "final", "words"),
    [
        ({}, ("FINISHED", "SUCCEEDED"), ""),
        ({"args": ["--throw"]}, ("FINISHED", "FAILED"), "User class threw exception"),
        ({"args": ["--fail 3"]}, ("FINISHED", "FAILED"), "Shutdown hook called before final status"),
        ({"args": ["--no-spark"]}, ("FAILED", "FAILED"), "exitCode: 13"),
    ],
)
def test_yarn_tells_how_it_ended(yarn_door: Door, change: dict[str, Any], final: tuple[str, str], words: str) -> None:
    yarn_door.post("job", conf={"spark.yarn.tags": "Token-1"}, **change)
    yarn_door.until("job", "success", "dead")
    (app,) = apps(yarn_door, "token-1")
    assert (app["state"], app["finalStatus"]) == final
    assert words in str(app["diagnostics"])
    assert app == yarn_door.yarn(f"/apps/{app['id']}").json()["app"] | {"elapsedTime": app["elapsedTime"]}


def test_tags_are_livys_own_and_ours_in_lower_case(on_yarn: Sandbox, yarn_door: Door) -> None:
    assert yarn_door.yarn("/apps?applicationTags=portal-1").json() == {"apps": {}}
    yarn_door.post("job", conf={"spark.yarn.tags": "Portal-1, x"}, args=["--sleep 100000"])
    (app,) = eventually(lambda: apps(yarn_door, "nope,PORTAL-1"))
    tags = str(app["applicationTags"]).split(",")
    assert tags[0].startswith("livy-batch-0-")
    assert tags[1:] == ["portal-1", "x"]
    assert apps(yarn_door, "livy-batch") == []
    assert on_yarn.ledger.by_tag("PORTAL-1")[0].app_id == app["id"]
    assert yarn_door.get("/batches/job").json()["appId"] in (None, app["id"])


def test_an_application_runs_before_it_ends() -> None:
    with Sandbox(speed=20, mode="yarn", post_cost=0) as sb:
        door = Door(sb)
        door.post("job", conf={"spark.yarn.tags": "t"}, args=["--sleep 100000"])
        (app,) = eventually(lambda: apps(door, "t"))
        assert (app["state"], app["finalStatus"], app["progress"]) == ("ACCEPTED", "UNDEFINED", 0)
        assert "trackingUrl" not in app
        eventually(lambda: apps(door, "t")[0]["state"] == "RUNNING")
        (app,) = apps(door, "t")
        assert (app["finalStatus"], app["progress"], app["finishedTime"]) == ("UNDEFINED", 10, 0)
        assert door.yarn("/apps?states=RUNNING&applicationTypes=SPARK").json()["apps"]["app"]
        assert door.yarn("/apps?states=KILLED").json() == {"apps": {}}
        assert door.yarn(f"/apps?startedTimeBegin={int(app['startedTime']) + 1}").json() == {"apps": {}}  # type: ignore[call-overload]


@pytest.mark.parametrize("query", ["states=NOPE", "limit=x", "limit=0"])
def test_a_bad_query_is_400(yarn_door: Door, query: str) -> None:
    answer = yarn_door.yarn(f"/apps?{query}")
    assert answer.status_code == 400
    assert answer.json()["RemoteException"]["exception"] == "BadRequestException"


def test_unknown_and_malformed_ids(yarn_door: Door) -> None:
    unknown = yarn_door.yarn("/apps/application_1_0001")
    assert unknown.status_code == 404
    assert unknown.json()["RemoteException"]["message"] == (
        "java.lang.Exception: app with id: application_1_0001 not found"
    )
    assert [yarn_door.yarn(f"/apps/{bad}").status_code for bad in ("foo", "application_x_1")] == [400, 400]
    assert yarn_door.yarn("/nope").status_code == 404
    assert yarn_door.call("GET", "/resourcemanager/ws/v1/cluster/info").content == b""


def test_delete_waits_for_the_application_and_kills_it(on_yarn: Sandbox, yarn_door: Door) -> None:
    yarn_door.post("job", conf={"spark.yarn.tags": "t"}, args=["--sleep 100000"])
    assert yarn_door.delete("/batches/job").status_code == 200
    (app,) = apps(yarn_door, "t")
    assert (app["state"], app["finalStatus"]) == ("KILLED", "KILLED")
    assert [end.kind for end in on_yarn.ledger.ended()] == ["killed"]


def test_a_kill_through_yarn_is_seen_by_livy(on_yarn: Sandbox, yarn_door: Door) -> None:
    yarn_door.post("job", args=["--sleep 100000"])
    app = eventually(lambda: yarn_door.get("/batches/job").json()["appId"])
    path = f"/apps/{app}/state"
    assert yarn_door.yarn(path).json()["state"] in ("ACCEPTED", "RUNNING")
    for body, status in ((b'{"state":"RUNNING"}', 400), (b"{}", 500), (b"", 500)):
        assert yarn_door.yarn(path, "PUT", **(KILL | {"data": body})).status_code == status
    assert yarn_door.yarn(path, "PUT", data=KILL["data"]).status_code == 500
    killed = yarn_door.yarn(path, "PUT", **KILL)
    assert (killed.status_code, killed.json()) == (202, {"state": "KILLING"})
    assert yarn_door.state("job") == "killed"
    assert any("was killed by user svc_portal" in line for line in yarn_door.get("/batches/job").json()["log"])
    again = yarn_door.yarn(path, "PUT", **KILL)
    assert (again.status_code, again.json()) == (200, {"state": "KILLED"})


def test_an_application_outlives_a_livy_that_forgot_it(on_yarn: Sandbox, yarn_door: Door) -> None:
    yarn_door.post("job", conf={"spark.yarn.tags": "t"})
    on_yarn.restart()
    assert yarn_door.state("job") is None
    assert eventually(lambda: [app for app in apps(yarn_door, "t") if app["finalStatus"] == "SUCCEEDED"])


def test_a_restarted_resource_manager_has_forgotten_and_says_so_by_its_start(on_yarn: Sandbox, yarn_door: Door) -> None:
    yarn_door.post("job", conf={"spark.yarn.tags": "t"}, args=["--sleep 100000"])
    (app,) = eventually(lambda: apps(yarn_door, "t"))
    before = yarn_door.yarn("/info").json()["clusterInfo"]["startedOn"]
    assert str(app["id"]).startswith(f"application_{before}_")
    on_yarn.yarn_restart()
    assert apps(yarn_door, "t") == []
    assert yarn_door.yarn(f"/apps/{app['id']}").status_code == 404
    assert yarn_door.yarn("/info").json()["clusterInfo"]["startedOn"] > before


def test_a_resource_manager_may_have_been_up_for_a_day() -> None:
    with Sandbox(mode="yarn", yarn_age=86_400) as sb:
        info = Door(sb).yarn("/info").json()["clusterInfo"]
        assert info["startedOn"] / 1000 == pytest.approx(time.time() - 86_400, abs=60)


def test_yarn_down(on_yarn: Sandbox, yarn_door: Door) -> None:
    on_yarn.yarn_down()
    assert yarn_door.yarn("/info").headers["Content-Type"].startswith("text/html")
    put = yarn_door.yarn("/apps/application_1_1/state", "PUT", **KILL)
    assert (put.status_code, put.content) == (500, b"")
    on_yarn.yarn_up()
    assert yarn_door.yarn("/info").status_code == 200


def test_what_yarn_refuses_has_no_application(yarn_door: Door) -> None:
    yarn_door.post("queue", queue="nope", conf={"spark.yarn.tags": "t"})
    assert yarn_door.until("queue", "dead") == "dead"
    log = yarn_door.get("/batches/queue/log").json()["log"]
    assert any("to unknown queue: nope" in line for line in log)
    assert log[-1] == "spark-submit start failed"
    assert apps(yarn_door, "t") == []


@pytest.mark.parametrize(
    ("file", "app", "words"),
    [
        ("hdfs:///user/sddesigner/nope.jar", False, "File does not exist"),
        ("hdfs:///user/sddesigner/private/recovery.jar", False, "access=EXECUTE"),
        ("hdfs:///user/sddesigner/private.jar", True, "access=READ"),
        ("hdfs:///user/sddesigner", True, "Failed to download resource"),
        ("hdfs:///user/sddesigner/recovery.jar", True, ""),
    ],
)
def test_a_file_that_cannot_be_had(file: str, app: bool, words: str) -> None:
    with Sandbox(speed=100, mode="yarn", post_cost=0, check_hdfs=True) as sb:
        door = Door(sb)
        door.post("job", file=file)
        state = door.until("job", "dead", "success")
        batch = door.get("/batches/job").json()
        assert (state == "dead") == bool(words)
        assert bool(batch["appId"]) == app
        assert words in "\n".join(batch["log"])
