"""The payload, its two frozen texts (N3), what is left out (N4), the tag (N2), and Livy's own rules."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.domain.errors import InvalidInput
from recovery.domain.payload import FIELD_NAMES, TAGS_KEY, WIRE_NAMES, Payload, canonical, sent_text, sha256
from recovery.domain.payload_rules import (
    BLACKLIST,
    DEFAULT_SCHEMES,
    PATH_LIST_KEYS,
    check_payload,
    count_problems,
    memory_problems,
    path_problems,
    word_problems,
)

NAME = "portal-recovery-0123456789ab"
JAR = "hdfs:///user/sddesigner/recovery.jar"
FULL = Payload(
    file=JAR,
    args=("--date 20240101 --table splio.active",),
    class_name="com.example.Main",
    queue="root.datalake",
    proxy_user="sddesigner",
    driver_memory="4g",
    driver_cores=2,
    executor_memory="4g",
    executor_cores=2,
    num_executors=4,
    jars=("hdfs:///a.jar",),
    files=("hdfs:///b.properties#alias",),
    py_files=("hdfs:///c.py",),
    archives=("hdfs:///d.tgz",),
    conf={"spark.a": "é"},
)

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
lists = st.lists(texts, max_size=3).map(tuple)
payloads = st.builds(
    Payload,
    file=texts,
    args=lists,
    class_name=st.none() | texts,
    queue=st.none() | texts,
    proxy_user=st.none() | texts,
    driver_memory=st.none() | texts,
    driver_cores=st.none() | st.integers(1, 99),
    executor_memory=st.none() | texts,
    executor_cores=st.none() | st.integers(1, 99),
    num_executors=st.none() | st.integers(1, 99),
    jars=lists,
    files=lists,
    py_files=lists,
    archives=lists,
    conf=st.dictionaries(texts, texts, max_size=3),
)


# ── the two texts ───────────────────────────────────────────────────────────────────────────────────────────────


def test_livys_sixteen_fields_are_ours_and_the_name() -> None:
    known = (
        "file proxyUser args className jars pyFiles files driverMemory driverCores executorMemory executorCores "
        "numExecutors archives queue name conf"
    )  # real-behaviour.md §f
    assert {*WIRE_NAMES.values(), "name"} == set(known.split())
    assert set(WIRE_NAMES) == set(FIELD_NAMES)


def test_n3_the_payload_holds_neither_name_nor_tag_and_the_sent_one_holds_both() -> None:
    text = FULL.text()
    assert text == canonical(json.loads(text))
    assert json.loads(text) == {
        "file": JAR,
        "args": ["--date 20240101 --table splio.active"],
        "className": "com.example.Main",
        "queue": "root.datalake",
        "proxyUser": "sddesigner",
        "driverMemory": "4g",
        "driverCores": 2,
        "executorMemory": "4g",
        "executorCores": 2,
        "numExecutors": 4,
        "jars": ["hdfs:///a.jar"],
        "files": ["hdfs:///b.properties#alias"],
        "pyFiles": ["hdfs:///c.py"],
        "archives": ["hdfs:///d.tgz"],
        "conf": {"spark.a": "é"},
    }
    sent = json.loads(sent_text(text, name=NAME))
    assert sent.pop("name") == NAME
    assert sent["conf"].pop(TAGS_KEY) == NAME
    assert sent == json.loads(text)


@pytest.mark.parametrize(
    ("tags", "sent"),
    [
        (None, NAME),
        ("team-a", f"team-a,{NAME}"),
        ("a,b", f"a,b,{NAME}"),
        ("a, ", f"a,{NAME}"),
        (" ,", NAME),
    ],
)
def test_n2_a_users_own_tags_stay(tags: str | None, sent: str) -> None:
    payload = Payload(file=JAR, conf={TAGS_KEY: tags} if tags is not None else {})
    assert json.loads(sent_text(payload.text(), name=NAME))["conf"] == {TAGS_KEY: sent}


def test_n4_what_is_empty_is_left_out() -> None:
    """Equal for Livy; null is not: `conf: null` loses the rest (contract §1)."""
    assert Payload(file=JAR).to_json() == {"file": JAR}
    assert Payload(file=JAR, queue="", proxy_user="", conf={}, jars=()).text() == f'{{"file":"{JAR}"}}'
    assert Payload(file=JAR, args=("",)).to_json() == {"file": JAR, "args": [""]}  # one empty argument is one


@given(payloads)
def test_n3_a_frozen_payload_is_read_back_as_it_was(payload: Payload) -> None:
    again = Payload.from_json(json.loads(payload.text()))
    assert again == payload
    assert again.text() == payload.text()
    assert canonical(json.loads(payload.text())) == payload.text()


@given(payloads)
def test_n3_the_sent_text_is_the_payload_name_and_tag_and_nothing_else(payload: Payload) -> None:
    sent = json.loads(sent_text(payload.text(), name=NAME))
    assert sent_text(payload.text(), name=NAME) == canonical(sent)
    assert sent.pop("name") == NAME
    assert sent["conf"].pop(TAGS_KEY).split(",")[-1] == NAME
    if not sent["conf"]:
        del sent["conf"]
    expected = json.loads(payload.text())
    expected.get("conf", {}).pop(TAGS_KEY, None)
    if not expected.get("conf", True):
        del expected["conf"]
    assert sent == expected


@given(payloads)
def test_n3_the_hash_is_of_the_bytes(payload: Payload) -> None:
    assert sha256(payload.text()) == hashlib.sha256(payload.text().encode("utf-8")).hexdigest()


def test_a_canonical_text_is_one_text_for_one_value() -> None:
    assert canonical({"b": 1, "a": ["é", None, True]}) == '{"a":["é",null,true],"b":1}'
    with pytest.raises(ValueError, match="Out of range float"):
        canonical(float("nan"))


def test_a_changed_copy_leaves_the_first_alone() -> None:
    changed = FULL.with_changes(queue="other", args=())
    assert (changed.queue, changed.args, changed.file) == ("other", (), JAR)
    assert FULL.queue == "root.datalake"


# ── the rules ───────────────────────────────────────────────────────────────────────────────────────────────────


def problems_of(**changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        check_payload(FULL.with_changes(**changes))
    return [(problem.field, problem.code) for problem in caught.value.problems]


def test_a_good_payload_passes() -> None:
    check_payload(FULL)
    check_payload(Payload(file="/user/x.jar"))
    check_payload(Payload(file="file:///x.jar"), schemes=("file",))


@pytest.mark.parametrize(
    "path",
    [
        JAR,
        "hdfs://nameservice1/a.jar",
        "HDFS:///a.jar",
        "hdfs:/a.jar",
        "s3a://bucket/a%20b.jar",
        "/a.jar",
        "/é.jar",
        "hdfs:///" + "x" * 992,
    ],
)
def test_a_good_path(path: str) -> None:
    assert path_problems(path, field="jarPath", schemes=frozenset(DEFAULT_SCHEMES)) == []


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", "path_empty"),
        ("  ", "path_empty"),
        ("recovery.jar", "path_relative"),
        ("./recovery.jar", "path_relative"),
        ("hdfs:recovery.jar", "path_relative"),
        ("hdfs://", "path_relative"),
        ("hdfs:///", "path_relative"),
        ("hdfs:///a b.jar", "path_blank"),
        (" hdfs:///a.jar", "path_blank"),
        ("hdfs:///a.jar\n", "path_blank"),
        ("/a%20b.jar", "path_percent"),
        ("file:///a.jar", "path_scheme"),
        ("local:///a.jar", "path_scheme"),
        ("ftp://h/a.jar", "path_scheme"),
        ("C:/a.jar", "path_scheme"),
        ("hdfs:///`id`.jar", "backtick"),
        ("hdfs:///{{x}}.jar", "double_brace"),
        ("hdfs:///a\0.jar", "nul"),
        ("hdfs:///\ud800.jar", "not_unicode"),
        ("hdfs:///" + "x" * 1000, "too_long"),
    ],
    ids=lambda value: str(value)[:25].encode("ascii", "replace").decode(),
)
def test_a_bad_path(path: str, code: str) -> None:
    assert problems_of(file=path) == [("jarPath", code)]


@pytest.mark.parametrize("field", ["jars", "files", "pyFiles", "archives"])
def test_each_list_of_paths_is_looked_at(field: str) -> None:
    attribute = {"pyFiles": "py_files"}.get(field, field)
    assert problems_of(**{attribute: ("hdfs:///ok.jar", "no.jar", "hdfs:///a,b")}) == [
        (field, "path_relative"),
        (field, "path_comma"),
    ]


def test_a_scheme_that_is_not_allowed_is_told_with_those_that_are() -> None:
    (problem,) = path_problems("gs://b/x", field="jarPath", schemes=frozenset({"hdfs", "file"}))
    assert dict(problem.params) == {"value": "gs://b/x", "scheme": "gs", "allowed": "file, hdfs"}


@pytest.mark.parametrize("memory", [None, "4g", "512m", "1T", "1024Kb", "99999999g"])
def test_a_good_size(memory: str | None) -> None:
    assert memory_problems(memory, field="driverMemory") == []


@pytest.mark.parametrize("memory", ["", "512", "lots", "0g", "-1g", "1.5g", "4 g", "4g ", "4p", "4\u212a", "٤g"])
def test_a_bad_size(memory: str) -> None:
    """The sign of Kelvin is a K for a regular expression that folds case."""
    assert problems_of(driver_memory=memory, executor_memory=memory) == [
        ("driverMemory", "memory"),
        ("executorMemory", "memory"),
    ]


@pytest.mark.parametrize("number", [None, 1, 2**31 - 1])
def test_a_good_count(number: int | None) -> None:
    assert count_problems(number, field="driverCores") == []


@pytest.mark.parametrize("number", [0, -1, 2**31, "2", 1.0, True, [1]])
def test_a_bad_count(number: object) -> None:
    assert problems_of(driver_cores=number, executor_cores=number, num_executors=number) == [
        ("driverCores", "positive_integer"),
        ("executorCores", "positive_integer"),
        ("numExecutors", "positive_integer"),
    ]


@pytest.mark.parametrize("name", ["Main", "com.example.Main$Inner", "_x.Y", "été.Éte"])
def test_a_good_class_name(name: str) -> None:
    check_payload(FULL.with_changes(class_name=name))


@pytest.mark.parametrize("name", ["", "a b", "1a", "a..b", ".a", "a.", "a-b", "a;b", "a\n"])
def test_a_bad_class_name(name: str) -> None:
    assert problems_of(class_name=name) == [("className", "class_name")]


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("", "word"),
        ("a b", "word"),
        ("a\x1fb", "word"),
        ("`id`", "backtick"),
        ("a\ud800", "not_unicode"),
        ("x" * 151, "too_long"),
    ],
    ids=lambda value: str(value)[:12].encode("ascii", "replace").decode(),
)
def test_a_bad_queue_or_user(word: str, code: str) -> None:
    assert problems_of(queue=word, proxy_user=word) == [("queue", code), ("proxyUser", code)]


def test_a_word_that_is_not_given_is_no_problem() -> None:
    assert word_problems(None, field="queue") == []
    assert word_problems("x" * 150, field="queue") == []


@pytest.mark.parametrize(
    ("key", "value", "codes"),
    [
        ("spark.sql.shuffle.partitions", "200", []),
        ("spark.x", "", []),
        ("spark.executor.extraJavaOptions", "-Dx=y -Dz='a b'", []),
        ("spark.sql.note", "`id` {{x}}", []),
        ("spark.jars", "hdfs:///a.jar, hdfs:///b.jar,", []),
        ("spark.yarn.tags", "team-a,team-b", []),
        *((key, "x", ["conf_blacklisted"]) for key in sorted(BLACKLIST)),
        ("", "x", ["conf_key"]),
        ("spark x", "x", ["conf_key"]),
        ("spark.é", "x", ["conf_key"]),
        ("spark.a\n", "x", ["conf_key"]),
        ("hive.exec.x", "x", ["conf_not_spark"]),
        ("spark.x", "a\0b", ["nul"]),
        ("spark.x", "\ud800", ["not_unicode"]),
        ("spark.driver.extraJavaOptions", "-Dx=`id`", ["backtick"]),
        ("spark.executor.extraLibraryPath", "{{PWD}}", ["double_brace"]),
        ("spark.yarn.appMasterEnv.X", "`id`", ["backtick"]),
        *((key, "no.jar", ["path_relative"]) for key in sorted(PATH_LIST_KEYS)),
        ("spark.files", "file:///etc/passwd,hdfs:///ok", ["path_scheme"]),
        ("spark.jars", "hdfs:///a\0", ["nul"]),
    ],
    ids=lambda value: str(value)[:30].encode("ascii", "replace").decode(),
)
def test_a_key_of_conf(key: str, value: str, codes: list[str]) -> None:
    payload = FULL.with_changes(conf={key: value})
    if codes:
        assert problems_of(conf={key: value}) == [("conf", code) for code in codes]
    else:
        check_payload(payload)


def test_every_problem_of_every_field_is_told_at_once() -> None:
    assert problems_of(file="", queue="a b", driver_memory="x", conf={"spark.master": "yarn", "a": "b"}) == [
        ("jarPath", "path_empty"),
        ("driverMemory", "memory"),
        ("queue", "word"),
        ("conf", "conf_blacklisted"),
        ("conf", "conf_not_spark"),
    ]


def test_the_field_of_the_path_is_named_as_the_door_calls_it() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_payload(Payload(file=""), file_field="file")
    assert caught.value.problems[0].field == "file"


@given(payloads)
def test_what_passes_the_rules_can_be_frozen_and_sent(payload: Payload) -> None:
    with suppress(InvalidInput):
        check_payload(payload)
        sha256(sent_text(payload.text(), name=NAME))
