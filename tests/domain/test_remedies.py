"""A remedy is a change of the payload, one a line."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from recovery.domain import remedies
from recovery.domain.payload import Payload

PAYLOAD = Payload(
    file="hdfs:///x.jar", args=("--a b",), executor_memory="4g", num_executors=4, queue="root.a",
    conf={"spark.a": "1", "spark.b": "2"},
)  # fmt: skip


def values(text: str, **given: str) -> dict[str, Any]:
    assert remedies.problems(text) == []
    return remedies.overrides(remedies.parse(text), PAYLOAD, groups={"key": "spark.b"}, given=given)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("executorMemory x2", {"executor_memory": "8g"}),
        ("executorMemory  ×  1.5", {"executor_memory": "6g"}),
        ("executorMemory*0.5", {"executor_memory": "2g"}),
        ("driverMemory x2", {"driver_memory": "2g"}),
        ("driverCores x2", {"driver_cores": 2}),
        ("numExecutors x1.5\n\nexecutorMemory x2", {"num_executors": 6, "executor_memory": "8g"}),
        ("numExecutors = 9", {"num_executors": 9}),
        ("queue = root.other", {"queue": "root.other"}),
        ("queue=root.a", {}),
        ("conf spark.c = x y", {"conf": {"spark.a": "1", "spark.b": "2", "spark.c": "x y"}}),
        ("conf - spark.a", {"conf": {"spark.b": "2"}}),
        ("conf - {key}", {"conf": {"spark.a": "1"}}),
        ("conf - {other}", {}),
        ("className ?", {}),
        ("args split", {}),
        ("", {}),
    ],
)
def test_changes(text: str, wanted: dict[str, Any]) -> None:
    assert values(text) == wanted


def test_what_is_asked_for_is_given_by_a_person() -> None:
    changes = remedies.parse("className ?\nargs split\nexecutorMemory x2")
    assert remedies.asked(changes) == ["className"]
    assert remedies.splits(changes)
    assert not remedies.splits(changes[:1])
    assert values("className ?", className=" com.example.Main ") == {"class_name": "com.example.Main"}


@pytest.mark.parametrize(
    "line",
    ["executorMemory", "proxyUser = root", "executorMemory x0", "executorMemory ?", "file = x", "numExecutors = many",
     "conf spark.a", "args join", "rm -rf /", "jars x2", "driverCores = 0"],
)  # fmt: skip
def test_what_is_no_change_is_named(line: str) -> None:
    problems = remedies.problems(f"executorMemory x2\n{line}")
    assert [(p.code, p.params["value"]) for p in problems] == [("remedy_line", line)]
    assert len(remedies.parse(f"executorMemory x2\n{line}")) == 1


def test_too_many_changes_are_refused() -> None:
    assert [p.code for p in remedies.problems("args split\n" * 21)] == ["remedy_long"]


@pytest.mark.parametrize(
    ("value", "by", "wanted"),
    [("3g", "1.5", "4608m"), ("4G", "2", "8g"), ("4gb", "2", "8g"), ("512m", "3", "1536m"), ("1t", "0.5", "512g"),
     ("1k", "0.1", "1k"), ("odd", "2", "odd"), (1, "0.1", 1), (4, "1.5", 6)],
)  # fmt: skip
def test_sizes_are_multiplied_in_whole_units(value: str | int, by: str, wanted: str | int) -> None:
    assert remedies.multiplied(value, Fraction(by)) == wanted
