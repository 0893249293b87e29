"""The table of refusals (real-behaviour.md §f): status, shape, and what stays."""

from typing import Any

import pytest

from sandbox import Sandbox
from tests.sandbox.helpers import JAR, Door

CAST = "java.lang.ClassCastException: class java.lang.{} cannot be cast to class java.lang.Integer"
LEAVES_A_PHANTOM: list[tuple[dict[str, Any], int, str]] = [
    ({"file": None}, 400, "requirement failed: File is required."),
    ({"file": ""}, 500, "java.lang.IndexOutOfBoundsException: 0"),
    ({"file": "/etc/passwd"}, 400, "requirement failed: Local path /etc/passwd cannot be added to user sessions."),
    ({"file": "file:///etc/x"}, 400, "requirement failed: Local path /etc/x cannot be added to user sessions."),
    ({"file": "recovery.jar"}, 400, "requirement failed: Path 'recovery.jar' is not absolute."),
    ({"file": "hdfs:///a b.jar"}, 400, "java.net.URISyntaxException: Illegal character in path at index 9"),
    ({"file": "/jobs/a%20b.jar"}, 500, "java.net.URISyntaxException: "),
    ({"jars": ["/etc/passwd"]}, 400, "requirement failed: Local path /etc/passwd cannot be"),
    ({"jars": [None]}, 500, "java.lang.NullPointerException"),
    ({"conf": {"spark.jars": "hdfs:///a.jar,b.jar"}}, 400, "requirement failed: Path 'b.jar' is not absolute."),
    ({"conf": {"spark.master": "local"}}, 400, "Blacklisted configuration values in session config: spark.master"),
    ({"conf": {"spark.yarn.jar": "x"}}, 400, "Blacklisted configuration values in session config: spark.yarn.jar"),
    ({"numExecutors": "2"}, 500, CAST.format("String")),
    ({"driverCores": 1.5}, 500, CAST.format("Double")),
    ({"driverCores": True}, 500, CAST.format("Boolean")),
    ({"executorCores": 2**40}, 500, CAST.format("Long")),
    ({"args": ["a", None]}, 500, "java.lang.NullPointerException"),
    ({"args": ["x" * 140_000]}, 500, 'java.io.IOException: Cannot run program "'),
    ({"args": ["x" * 1000] * 3000}, 500, 'java.io.IOException: Cannot run program "'),
]
LEAVES_NOTHING: list[tuple[dict[str, Any], int, str]] = [
    ({"bogus": 1}, 400, 'Unrecognized field "bogus" (class org.apache.livy.server.batch.CreateBatchRequest)'),
    ({"args": "a b"}, 400, "Cannot deserialize instance of `scala.collection.immutable.List` out of VALUE_STRING"),
    ({"jars": 5}, 400, "Cannot deserialize instance of `scala.collection.immutable.List` out of VALUE_NUMBER_INT"),
    ({"args": [{"a": 1}]}, 400, "Cannot deserialize instance of `java.lang.String` out of START_OBJECT token"),
    ({"conf": {"spark.a": {"b": 1}}}, 400, "Cannot deserialize instance of `java.lang.String` out of START_OBJECT"),
    ({"conf": [1]}, 400, "Cannot deserialize instance of `scala.collection.immutable.Map` out of START_ARRAY"),
    ({"className": False}, 201, ""),
    ({"file": [JAR]}, 400, "Cannot deserialize instance of `java.lang.String` out of START_ARRAY token"),
    ({"args": None}, 500, "java.lang.NullPointerException"),
    ({"conf": None}, 500, "java.lang.NullPointerException"),
]


def words(body: Any) -> str:
    return body if isinstance(body, str) else body["msg"]


@pytest.mark.parametrize(("change", "status", "start"), LEAVES_A_PHANTOM)
def test_what_start_refuses_leaves_a_phantom(
    sb: Sandbox, door: Door, change: dict[str, Any], status: int, start: str
) -> None:
    refused = door.post("refused", **change)
    assert refused.status_code == status
    assert words(refused.json()).startswith(start)
    # 500 is a bare JSON string, 400 an object with `msg`.
    assert isinstance(refused.json(), str) == (status == 500)
    assert door.get("/batches/refused").json()["log"] == []
    assert sb.ledger.started() == []


@pytest.mark.parametrize(("change", "status", "start"), [row for row in LEAVES_NOTHING if row[1] != 201])
def test_what_the_parser_refuses_leaves_nothing(
    sb: Sandbox, door: Door, change: dict[str, Any], status: int, start: str
) -> None:
    refused = door.post("refused", **change)
    assert refused.status_code == status
    assert isinstance(refused.json(), str)
    assert refused.json().startswith(start)
    assert door.get("/batches").json()["total"] == 0
    assert sb.ledger.started() == []


@pytest.mark.parametrize(
    "change",
    [
        {"className": None, "queue": None, "driverMemory": None, "numExecutors": None},
        {"args": [1, 2.5, True]},
        {"conf": {"spark.a": 1, "spark.b": True, "other.key": "x"}},
        {"file": "s3a://bucket/x.jar"},
        {"file": "/jobs/recovery.jar"},
        {"file": "file:///jobs/recovery.jar", "jars": ["local:/x.jar"]},
        {"driverCores": 2, "numExecutors": 4, "driverMemory": "4g"},
        {"className": False},
    ],
)
def test_what_livy_takes(door: Door, change: dict[str, Any]) -> None:
    assert door.post("taken", **change).status_code == 201


def test_scalars_become_strings(sb: Sandbox, door: Door) -> None:
    door.post("scalars", args=[1, 2.5, True], conf={"spark.a": 1, "spark.b": True})
    (start,) = sb.ledger.started()
    assert start.args == ("1", "2.5", "true")
    assert start.conf == {"spark.a": "1", "spark.b": "true"}


@pytest.mark.parametrize("body", [b"", b"[]", b'"text"', b"not json", b'{"file": NaN}', b'{"a":1} x', b"\xff"])
def test_a_body_that_is_no_object_is_refused_by_knox_itself(door: Door, body: bytes) -> None:
    refused = door.call("POST", "/livy/v1/batches", data=body)
    assert refused.status_code == 500
    assert refused.headers["Content-Type"] == "text/html;charset=iso-8859-1"
    assert "JsonParseException" in refused.text
    assert "Service connectivity error" not in refused.text


def test_the_last_of_two_equal_keys_wins(sb: Sandbox, door: Door) -> None:
    body = b'{"file": "hdfs:///a.jar", "name": "n", "file": "hdfs:///b.jar"}'
    assert door.call("POST", "/livy/v1/batches", data=body).status_code == 201
    assert sb.ledger.started("n")[0].file == "hdfs:///b.jar"


def test_a_plain_path_lies_on_the_default_file_system() -> None:
    with Sandbox(speed=100, post_cost=0, default_fs="hdfs") as sb:
        door = Door(sb)
        assert door.post("plain", file="/etc/passwd").status_code == 201
        assert sb.ledger.started("plain")[0].file == "hdfs://127.0.0.1:18050/etc/passwd"


@pytest.mark.parametrize("mode", ["local", "yarn"])
@pytest.mark.parametrize(
    "change",
    [{"driverMemory": "lots"}, {"executorMemory": "512"}, {"driverCores": -1}, {"file": "hdfs:///missing.jar"}],
)
def test_what_livy_takes_and_spark_does_not_is_dead_soon(mode: str, change: dict[str, Any]) -> None:
    with Sandbox(speed=100, post_cost=0, mode=mode) as sb:
        door = Door(sb)
        assert door.post("doomed", **change).status_code == 201
        assert door.until("doomed", "dead", "success") == "dead"
        assert door.get("/batches/doomed").json()["appId"] is None
        assert len(sb.ledger.started("doomed")) == 1


def test_csrf_wants_a_header_on_post_and_delete_only() -> None:
    with Sandbox(speed=100, post_cost=0, csrf=True) as sb:
        door = Door(sb)
        refused = door.post("csrf")
        assert refused.status_code == 400
        assert "Missing Required Header for CSRF protection." in refused.text
        assert refused.headers["Content-Type"].startswith("text/html")
        header = {"X-Requested-By": "me"}
        assert door.post("csrf", options={"headers": header}).status_code == 201
        assert door.get("/batches/csrf").status_code == 200
        assert door.delete("/batches/csrf").status_code == 400
        assert door.delete("/batches/csrf", headers=header).status_code == 200
