"""The table "Bad input and what it gets": refused field by field, in the user's language, and nothing is stored."""

from __future__ import annotations

from typing import Any

import pytest

from recovery.models import Recovery, RecoveryEvent, SubjectType
from tests.doors.api.conftest import (
    BODY,
    CREATE,
    EXECUTE,
    PREVIEW,
    assert_problem,
    client_of,
    post,
    sentence,
    token_client,
)
from tests.factories import JAR, make_gateway, make_profile

pytestmark = pytest.mark.django_db

LONG = "x" * (128 * 1024)
SCHEMES = "abfs, abfss, gs, hdfs, http, https, ofs, s3a, viewfs"
ROWS: list[tuple[dict[str, Any], str, str, dict[str, Any]]] = [
    ({"jarPath": ""}, "jarPath", "path_empty", {}),
    ({"jarPath": "  "}, "jarPath", "path_empty", {}),
    ({"jarPath": "recovery.jar"}, "jarPath", "path_relative", {"value": "recovery.jar"}),
    ({"jarPath": "hdfs:///a b.jar"}, "jarPath", "path_blank", {"value": "hdfs:///a b.jar"}),
    ({"jarPath": "file:///a.jar"}, "jarPath", "path_scheme", {"scheme": "file", "allowed": SCHEMES}),
    ({"jarPath": "hdfs:///a`id`.jar"}, "jarPath", "backtick", {"position": 1}),
    ({"jarPath": "hdfs:///" + "a" * 1000}, "jarPath", "too_long", {"limit": 1000}),
    ({"jarArgs": "`id`"}, "jarArgs", "backtick", {"position": 1}),
    ({"jarArgs": ["a", "{{x}}"]}, "jarArgs", "double_brace", {"position": 2}),
    ({"jarArgs": "a\0b"}, "jarArgs", "nul", {"position": 1}),
    ({"jarArgs": LONG}, "jarArgs", "argument_too_long", {"position": 1, "size": len(LONG), "limit": 128 * 1024 - 1}),
    ({"reason": "x" * 501}, "reason", "too_long", {"limit": 500}),
    ({"reason": "a\0"}, "reason", "nul", {"position": 2}),
    ({"profile": "nowhere"}, "profile", "unknown_profile", {"value": "nowhere"}),
    ({"profile": "off"}, "profile", "unknown_profile", {"value": "off"}),
    ({"profile": "old"}, "profile", "gateway_follow_only", {}),
    ({"driverMemory": "512"}, "driverMemory", "memory", {"value": "512"}),
    ({"numExecutors": 0}, "numExecutors", "positive_integer", {"value": 0}),
    ({"queue": "a b"}, "queue", "word", {"value": "a b"}),
    ({"className": "a b"}, "className", "class_name", {"value": "a b"}),
    ({"jars": ["a.jar"]}, "jars", "path_relative", {"value": "a.jar"}),
    ({"conf": {"spark.master": "local"}}, "conf", "conf_blacklisted", {"key": "spark.master"}),
    ({"conf": {"spark.a": None}}, "conf", "conf_scalar", {"key": "spark.a"}),
    ({"conf": {"spark.a": {"b": 1}}}, "conf", "conf_scalar", {"key": "spark.a"}),
    ({"jarpath": JAR}, "jarpath", "unknown_field", {}),
    ({"name": "mine"}, "name", "unknown_field", {}),
]


def _nothing_stored() -> None:
    assert not Recovery.objects.exists()
    assert not RecoveryEvent.objects.exclude(subject_type=SubjectType.TOKEN).exists()


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(("change", "field", "code", "params"), ROWS, ids=[f"{r[1]}-{r[2]}" for r in ROWS])
def test_bad_input_is_refused_on_its_field_and_nothing_is_stored(
    steward, profile, language, change, field, code, params
):
    make_profile(name="off", enabled=False)
    make_profile(name="old", gateway=make_gateway(follow_only=True))
    client = client_of(steward, language=language)
    response = post(client, CREATE, {**BODY, "profile": "small", **change})
    body = assert_problem(response, 400, code=code, field=field)
    assert body["errors"] == {field: [sentence(language, code, **params)]}
    assert response["Content-Language"] == language
    _nothing_stored()


@pytest.mark.parametrize(
    ("args", "code"), [("a 'b", "unbalanced_quote"), ('a "b', "unbalanced_quote"), ("a\\", "dangling_escape")]
)
def test_an_unbalanced_quote_is_refused_in_split_mode_only(api, profile, args, code):
    make_profile(name="cut", args_mode="split")
    assert_problem(post(api, EXECUTE, {**BODY, "profile": "cut", "jarArgs": args}), 400, code=code, field="jarArgs")
    _nothing_stored()
    assert post(api, EXECUTE, {**BODY, "profile": "small", "jarArgs": args}).status_code == 202


def test_file_uris_go_where_the_gateway_takes_them(api):
    make_profile(name="local", gateway=make_gateway(allowed_schemes=["file"]))
    assert post(api, EXECUTE, {"jarPath": "file:///a.jar"}).status_code == 202


def test_a_profile_of_others_is_forbidden(api, profile):
    make_profile(name="theirs", groups=["Others"])
    response = post(api, EXECUTE, {**BODY, "profile": "theirs"})
    assert_problem(response, 403, code="profile_forbidden", field="profile")
    _nothing_stored()


@pytest.mark.parametrize("url", [EXECUTE, CREATE, PREVIEW])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("jarPath", 7),
        ("jarPath", None),
        ("jarPath", ["hdfs:///a.jar"]),
        ("jarArgs", 7),
        ("jarArgs", True),
        ("jarArgs", [1]),
        ("jarArgs", {"a": "b"}),
        ("jarArgs", None),
        ("profile", 1),
        ("profile", None),
        ("reason", ["why"]),
    ],
)
def test_a_wrong_type_is_named_and_not_coerced(api, profile, url, field, value):
    assert_problem(post(api, url, {**BODY, field: value}), 400, code="wrong_type", field=field)
    _nothing_stored()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("queue", 1),
        ("queue", None),
        ("driverCores", "2"),
        ("driverCores", 2.0),
        ("driverCores", True),
        ("jars", "hdfs:///a.jar"),
        ("files", [1]),
        ("conf", []),
        ("conf", "a"),
    ],
)
def test_a_wrong_type_of_livys_fields_is_named(api, profile, field, value):
    assert_problem(post(api, CREATE, {**BODY, field: value}), 400, code="wrong_type", field=field)
    _nothing_stored()


def test_all_problems_are_told_at_once(api, profile):
    body = {"jarArgs": 1, "jarpath": "a", "queue": 2}
    errors = assert_problem(post(api, CREATE, body), 400)["errors"]
    assert set(errors) == {"jarArgs", "jarpath", "queue", "jarPath"}
    assert errors["jarPath"] == [sentence("en", "required")]


@pytest.mark.parametrize("text", ["[]", '"a"', "1", "null", "true"])
def test_a_body_that_is_no_object_is_refused(api, profile, text):
    response = api.post(EXECUTE, text, content_type="application/json")
    assert_problem(response, 400, code="wrong_type", field="body")


@pytest.mark.parametrize(
    "text", ["{", "jarPath=hdfs:///a.jar", '{"jarPath": NaN}', "[" * 200_000, b"\xff\xfe", '{"a":' + "9" * 5000 + "}"]
)
def test_a_body_that_is_no_json_is_refused(api, profile, text):
    response = api.post(EXECUTE, text, content_type="application/json")
    assert_problem(response, 400, code="parse_error")
    _nothing_stored()


def test_an_empty_body_misses_its_fields(api, profile):
    assert_problem(post(api, EXECUTE), 400, code="required", field="jarPath")


@pytest.mark.parametrize("by_token", [False, True])
def test_a_body_over_one_mebibyte_is_too_large(api, steward, profile, by_token):
    client = token_client(steward) if by_token else api
    text = '{"jarPath": "' + "x" * (1024 * 1024) + '"}'
    assert_problem(client.post(EXECUTE, text, content_type="application/json"), 413, code="body_too_large")
    _nothing_stored()


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_another_media_type_is_not_read(api, profile, media):
    assert_problem(api.post(EXECUTE, "jarPath=hdfs:///a.jar", content_type=media), 415)


@pytest.mark.parametrize("field", ["jarPath", "jarArgs", "profile", "reason", "queue"])
def test_half_a_surrogate_is_refused(api, profile, field):
    text = f'{{"jarPath": "{JAR}", "{field}": "hdfs:///\\ud800"}}'
    assert_problem(api.post(CREATE, text, content_type="application/json"), 400, code="not_unicode", field=field)
    _nothing_stored()


def test_half_a_surrogate_in_conf_is_refused(api, profile):
    text = f'{{"jarPath": "{JAR}", "conf": {{"spark.a": "\\ud800"}}}}'
    assert_problem(api.post(CREATE, text, content_type="application/json"), 400, code="not_unicode", field="conf")


@pytest.mark.parametrize("code", sorted({row[2] for row in ROWS}))
def test_the_sentences_differ_between_the_languages(code):
    assert sentence("fr", code) != sentence("en", code)
