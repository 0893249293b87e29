"""What Livy refuses, how, and what stays behind: nothing, or a phantom (real-behaviour.md §f, fact 1)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.wires import HTML, JSON, Wire

CAST = "java.lang.ClassCastException: class java.lang.{} cannot be cast to class java.lang.Integer"
LEAVES_A_PHANTOM: dict[str, tuple[dict[str, Any], int, str]] = {
    "file null": ({"file": None}, 400, "requirement failed: File is required."),
    "file empty": ({"file": ""}, 500, "java.lang.IndexOutOfBoundsException: 0"),
    "file outside": (
        {"file": "file:///etc/passwd"},
        400,
        "requirement failed: Local path /etc/passwd cannot be added to user sessions.",
    ),
    "file relative": ({"file": "recovery.jar"}, 400, "requirement failed: Path 'recovery.jar' is not absolute."),
    "file with a blank": ({"file": "hdfs:///a b.jar"}, 400, "java.net.URISyntaxException: Illegal character in path"),
    "file with %20": ({"file": "/a%20b.jar"}, 500, "java.net.URISyntaxException: Illegal character in path"),
    "jars outside": ({"jars": ["file:///etc/passwd"]}, 400, "requirement failed: Local path /etc/passwd cannot be"),
    "jars null in it": ({"jars": [None]}, 500, "java.lang.NullPointerException"),
    "conf jars": ({"conf": {"spark.jars": "hdfs:///a.jar,b.jar"}}, 400, "requirement failed: Path 'b.jar' is not"),
    "conf blacklisted": (
        {"conf": {"spark.master": "local"}},
        400,
        "Blacklisted configuration values in session config: spark.master",
    ),
    "integer as text": ({"numExecutors": "2"}, 500, CAST.format("String")),
    "integer with a point": ({"driverCores": 1.5}, 500, CAST.format("Double")),
    "integer true": ({"driverCores": True}, 500, CAST.format("Boolean")),
    "integer too big": ({"executorCores": 2**40}, 500, CAST.format("Long")),
    "args null in it": ({"args": ["a", None]}, 500, "java.lang.NullPointerException"),
    "one argument too long": ({"args": ["x" * 140_000]}, 500, 'java.io.IOException: Cannot run program "'),
}
LEAVES_NOTHING: dict[str, tuple[dict[str, Any], int, str]] = {
    "unknown field": ({"bogus": 1}, 400, 'Unrecognized field "bogus" (class org.apache.livy.server.batch.Cre'),
    "args a text": ({"args": "a b"}, 400, "Cannot deserialize instance of `scala.collection.immutable.List` out of "),
    "args an object in it": ({"args": [{}]}, 400, "Cannot deserialize instance of `java.lang.String` out of START_OB"),
    "conf nested": ({"conf": {"spark.a": {}}}, 400, "Cannot deserialize instance of `java.lang.String` out of START"),
    "conf a list": ({"conf": [1]}, 400, "Cannot deserialize instance of `scala.collection.immutable.Map` out of "),
    "file a list": ({"file": ["x"]}, 400, "Cannot deserialize instance of `java.lang.String` out of START_ARRAY tok"),
    "args null": ({"args": None}, 500, "java.lang.NullPointerException"),
    "jars null": ({"jars": None}, 500, "java.lang.NullPointerException"),
    "conf null": ({"conf": None}, 500, "java.lang.NullPointerException"),
}


@pytest.mark.parametrize("case", LEAVES_A_PHANTOM)
def test_a_refused_start_leaves_a_phantom_that_holds_the_name_until_it_is_deleted(wire: Wire, case: str) -> None:
    change, status, words = LEAVES_A_PHANTOM[case]
    name = wire.name("phantom")
    answer = wire.post(name=name, **change)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, JSON)
    # 400 is an object with `msg`, 500 is a bare JSON string
    told = answer.json() if status == 500 else answer.json()["msg"]
    # a JVM that threw the same often enough leaves the message out
    assert told.startswith(words) or (status == 500 and told == words.partition(":")[0])
    phantom = wire.batch(name)
    assert phantom is not None
    assert (phantom["state"], phantom["appId"], phantom["log"]) == ("starting", None, [])
    assert wire.log(name) == {"id": phantom["id"], "from": 0, "total": 0, "log": []}
    assert "Duplicate session name" in wire.post(name=name).json()["msg"]
    assert wire.delete(name).json() == {"msg": "deleted"}
    assert wire.batch(name) is None


def test_a_missing_file_is_a_phantom_too(wire: Wire) -> None:
    name = wire.name("phantom")
    answer = wire.call("POST", "/livy/v1/batches", json={"name": name})
    assert (answer.status_code, answer.json()) == (400, {"msg": "requirement failed: File is required."})
    assert wire.batch(name) is not None


@pytest.mark.parametrize("case", LEAVES_NOTHING)
def test_what_the_parser_refuses_is_a_json_string_and_leaves_nothing(wire: Wire, case: str) -> None:
    change, status, words = LEAVES_NOTHING[case]
    name = wire.name("nothing")
    answer = wire.post(name=name, **change)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, JSON)
    assert isinstance(answer.json(), str)
    assert answer.json().startswith(words)
    assert wire.batch(name) is None


def test_an_unknown_field_is_told_with_the_sixteen_known_ones(wire: Wire) -> None:
    told = wire.post(bogus=1).json()
    assert "not marked as ignorable (16 known properties: " in told
    known = told.partition("properties: ")[2].partition("]")[0].replace('"', "").split(", ")
    assert sorted(known) == [
        "archives", "args", "className", "conf", "driverCores", "driverMemory", "executorCores", "executorMemory",
        "file", "files", "jars", "name", "numExecutors", "proxyUser", "pyFiles", "queue",
    ]  # fmt: skip


@pytest.mark.parametrize("body", [b"[1]", b'"text"', b'{"file":', b"", b"nonsense"])
def test_what_is_no_object_is_refused_by_knox_as_a_500_page(wire: Wire, body: bytes) -> None:
    answer = wire.call("POST", "/livy/v1/batches", data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, HTML)
    assert "java.security.PrivilegedActionException: com.fasterxml.jackson" in answer.text


def test_scalars_of_another_kind_are_taken_as_text(wire: Wire) -> None:
    name = wire.name("scalars")
    change: dict[str, Any] = {"args": [1, 2.5, True], "conf": {"spark.a": 1, "spark.b": True}, "queue": None}
    assert wire.post(name=name, driverMemory="lots", **change).status_code == 201


def test_the_last_of_two_equal_keys_wins(wire: Wire) -> None:
    name = wire.name("keys")
    body = f'{{"name": "{wire.name("keys")}", "name": "{name}", "conf": {{"spark.master": "x"}}, "file": "{wire.jar}"}}'
    assert wire.call("POST", "/livy/v1/batches", data=body).status_code == 400
    assert wire.batch(name) is not None
