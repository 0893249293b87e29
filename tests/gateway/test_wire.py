"""The table of answers (livy-knox-contract.md §8) as data: what each one means for a POST, a GET and a DELETE."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.domain.gateways import Condition
from recovery.gateway import wire
from recovery.gateway.errors import (
    Ambiguous,
    DuplicateName,
    Forbidden,
    Garbled,
    GatewayError,
    NotFound,
    NotSent,
    Refused,
)
from recovery.gateway.transport import Answer
from recovery.gateway.wire import Batch

NAME = "portal-recovery-0123456789ab"
KNOX_500 = (
    "<html><head><title>Error 500 javax.servlet.ServletException</title></head><body><h2>HTTP ERROR 500</h2>"
    "<p>java.io.IOException: Service connectivity error.</p></body></html>"
)
JETTY_JSON = '{"url":"/x","status":"%s","message":"%s","servlet":"livy"}'
DUPLICATE = '{"msg":"Rejected, Reason: Duplicate session name: Some(%s) for session 3"}' % NAME  # noqa: UP031
TOO_MANY = '{"msg":"Rejected, too many sessions are being created!"}'
LOGIN = "<html><form action=/login><input type=password></form></html>"
NOT_FOUND = '{"msg":"Session \'%s\' not found."}' % NAME  # noqa: UP031


def answer(status: int, body: str | bytes = b"", kind: str | None = None, **more: Any) -> Answer:
    """`kind` by the look of the body when unsaid."""
    data = body.encode() if isinstance(body, str) else body
    if kind is None:
        kind = "text/html" if data.startswith(b"<") else "application/json" if data[:1] in b'{["' and data else ""
    return Answer(status=status, content_type=kind, body=data, **more)


def batch_json(**changes: Any) -> str:
    return json.dumps({"id": 0, "name": NAME, "state": "starting", "appId": None, "log": []} | changes)


def created(given: Answer, name: str | None = NAME) -> Batch:
    return wire.read_created(given, name=name)


def error_of(given: Answer) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        created(given)
    return caught.value


# ── POST /batches ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a1_a_201_with_our_name_is_our_batch_and_id_0_is_an_id() -> None:
    body = batch_json(
        id=0,
        appId="application_1_0001",
        owner="svc",
        proxyUser="svc_portal",
        state="running",
        appInfo={"driverLogUrl": "https://d", "sparkUiUrl": None},
        log=["stdout: ", "line"],
        unheard="of",
    )
    assert created(answer(201, body)) == Batch(
        id=0,
        name=NAME,
        state="running",
        app_id="application_1_0001",
        owner="svc",
        proxy_user="svc_portal",
        driver_log_url="https://d",
        log=("stdout: ", "line"),
    )


def test_a1_an_old_livy_leaves_fields_out() -> None:
    assert created(answer(201, '{"id":7,"state":"starting"}'), name=None) == Batch(id=7, name=None, state="starting")


@pytest.mark.parametrize("kind", ["text/html", "", "text/plain"])
def test_a1_the_content_type_of_a_201_does_not_matter(kind: str) -> None:
    assert created(answer(201, batch_json(), kind)).id == 0


CONDITIONS: list[tuple[Answer, Condition]] = [
    (answer(401), Condition.CREDENTIALS),
    (answer(401, "<html>Token has expired</html>"), Condition.CREDENTIALS),
    (answer(401, '{"msg":"who are you"}'), Condition.CREDENTIALS),
    (answer(403, "<html>Forbidden</html>"), Condition.FORBIDDEN),
    (answer(403), Condition.FORBIDDEN),
    (answer(403, JETTY_JSON % (403, "Forbidden")), Condition.FORBIDDEN),
    (answer(404), Condition.NO_ROUTE),
    (answer(404, "<html>HTTP ERROR 404 Not Found</html>"), Condition.NO_ROUTE),
    (answer(404, "not here", "text/plain"), Condition.NO_ROUTE),
    (answer(404, JETTY_JSON % (404, "Not Found")), Condition.NO_ROUTE),
    (answer(301), Condition.REDIRECT),
    (answer(302, "<html>Found</html>"), Condition.REDIRECT),
    (answer(307), Condition.REDIRECT),
    (answer(308, batch_json()), Condition.REDIRECT),
    (answer(429), Condition.THROTTLED),
    (answer(429, "<html>slow down</html>"), Condition.THROTTLED),
    (answer(503, "<html><p>503 Service Unavailable</p></html>"), Condition.INACTIVE),
    (answer(503, "<html>HTTP ERROR 503 Service Unavailable</html>"), Condition.INACTIVE),
    (answer(400, "<html>Missing Required Header for CSRF protection.</html>"), Condition.CSRF),
    (answer(400, "<html>Missing Required Header for Vulnerability Protection</html>"), Condition.CSRF),
    (answer(400, JETTY_JSON % (400, "Missing Required Header for CSRF protection.")), Condition.CSRF),
    (answer(400, TOO_MANY), Condition.TOO_MANY_SESSIONS),
]


def name_of(value: object) -> str:
    return f"{value.status}-{value.body[:40]!r}" if isinstance(value, Answer) else str(value)


@pytest.mark.parametrize(("given", "condition"), CONDITIONS, ids=name_of)
def test_a2_the_gateways_condition(given: Answer, condition: Condition) -> None:
    error = error_of(given)
    assert type(error) is NotSent
    assert error.condition is condition
    assert error.status == given.status


def test_a2_the_pause_that_is_asked_for_is_passed_on() -> None:
    error = error_of(answer(429, retry_after=17.0))
    assert isinstance(error, NotSent)
    assert error.retry_after == 17.0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (answer(400, '{"msg":"requirement failed: File is required."}'), "File is required"),
        (answer(400, '{"msg":"Blacklisted configuration values in session config: spark.master"}'), "Blacklisted"),
        (answer(400, '{"msg":"Invalid session name: 12345"}'), "Invalid session name"),
        (answer(400, '"Unrecognized field \\"bogus\\" (class X), not marked as ignorable"'), 'field "bogus"'),
        (answer(400, '"Cannot deserialize instance of List"', "text/plain"), "Cannot deserialize"),
        (answer(403, "{\"msg\":\"User 'a' not allowed to impersonate 'Some(b)'.\"}"), "impersonate"),
        (answer(406, '"Accept is strange"'), "Accept"),
        (answer(422, '{"msg":"no"}'), "no"),
        (answer(500, '"java.lang.IndexOutOfBoundsException: 0"'), "IndexOutOfBounds"),
        (answer(500, '"java.io.IOException: Cannot run program: error=7, Argument list too long"'), "too long"),
        (answer(413), "HTTP 413"),
        (answer(414, "<html>URI too long</html>"), "URI too long"),
        (answer(415, "<html>no</html>"), "no"),
        (answer(431, "<html>Request Header Fields Too Large</html>"), "Header Fields"),
    ],
    ids=name_of,
)
def test_a3_livys_own_verdict_on_the_payload(given: Answer, words: str) -> None:
    error = error_of(given)
    assert type(error) is Refused
    assert words in error.words
    assert error.status == given.status


@pytest.mark.parametrize(
    "given",
    [
        answer(500, KNOX_500),
        answer(500),
        answer(500, JETTY_JSON % (500, "Service connectivity error.")),
        answer(500, '{"msg":"upstream connect error"}'),
        answer(500, '{"message":"Internal Server Error"}'),
        answer(502, "<html>Service connection error, HA failover disabled</html>"),
        answer(502),
        answer(504, "<html>Gateway Time-out</html>"),
        answer(520, '{"msg":"odd"}'),
        answer(503),
        answer(503, "upstream connect error or disconnect/reset before headers", "text/plain"),
        answer(503, "<html>Service Unavailable: upstream timed out</html>"),
        answer(400, "<html>Bad Request</html>"),
        answer(400),
        answer(400, "{}"),
        answer(400, "[1]"),
        answer(400, '{"msg":3}'),
        answer(400, '"No content to map due to end-of-input"'),
        answer(400, '"Unexpected end-of-input in VALUE_STRING"'),
        answer(404, NOT_FOUND),
        answer(405),
        answer(405, '{"msg":"no"}'),
        answer(409, '{"msg":"no"}'),
        answer(418, "<html>teapot</html>"),
        answer(101),
    ],
    ids=name_of,
)
def test_a4_everything_else_is_a_doubt(given: Answer) -> None:
    error = error_of(given)
    assert type(error) is Ambiguous
    assert error.status == given.status


@pytest.mark.parametrize(
    "given",
    [
        answer(201),
        answer(201, "{}"),
        answer(201, "[]"),
        answer(201, "3"),
        answer(201, "{", "application/json"),
        answer(201, b'{"id":0,"name":"\xff\xfe'),
        answer(201, "[" * 100_000),
        answer(201, "<html>created</html>"),
        answer(201, LOGIN),
        answer(201, batch_json(name="somebody-elses")),
        answer(201, batch_json(name=None)),
        answer(201, batch_json(name=NAME.upper())),
        answer(201, batch_json(id="0")),
        answer(201, batch_json(id=True)),
        answer(201, batch_json(id=-1)),
        answer(201, batch_json(id=2**31)),
        answer(201, batch_json(id=1.0)),
        answer(201, batch_json(state=None)),
        answer(201, batch_json(appId=3)),
        answer(201, batch_json(appInfo=["x"])),
        answer(201, batch_json(appInfo={"sparkUiUrl": 3})),
        answer(201, batch_json(log="line")),
        answer(201, batch_json(log=[1])),
        answer(200),
        answer(200, batch_json()),
        answer(202, batch_json()),
        answer(204),
        answer(200, "<html>welcome</html>"),
        answer(200, LOGIN),
        answer(202, "<html>Login, please</html>"),
    ],
    ids=name_of,
)
def test_a4_a_2xx_that_is_not_about_our_batch_is_a_doubt(given: Answer) -> None:
    """Knox may answer 200 with an empty body when the backend dies in the middle of its answer."""
    error = error_of(given)
    assert type(error) is Garbled
    assert isinstance(error, Ambiguous)
    assert error.status == given.status


@pytest.mark.parametrize("body", [DUPLICATE, DUPLICATE.replace("Rejected, Reason: ", "")], ids=["0.8", "0.7"])
def test_a7_a_duplicate_name_is_told_apart(body: str) -> None:
    error = error_of(answer(400, body))
    assert type(error) is DuplicateName
    assert isinstance(error, Refused)


def test_a7_too_many_sessions_is_tested_before_the_duplicate() -> None:
    """As in Livy itself: the one would mask the other."""
    error = error_of(answer(400, '{"msg":"too many sessions; Duplicate session name"}'))
    assert isinstance(error, NotSent)


@given(
    st.integers(100, 599),
    st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=10),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["id", "name", "state", "msg", "log", "appInfo", "status"]), inner)
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    ),
    st.sampled_from(["application/json", "text/html", ""]),
)
def test_a4_no_answer_whatsoever_is_taken_for_our_start_or_breaks_the_reader(
    status: int, body: bytes, kind: str
) -> None:
    given = Answer(status=status, content_type=kind, body=body)
    with pytest.raises(GatewayError):
        wire.read_created(given, name=NAME)
    for read in (wire.read_value, wire.read_deleted):
        with suppress(GatewayError):
            read(given)


# ── GET ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def value_error(given: Answer) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        wire.read_value(given)
    return caught.value


def test_a_200_with_json_is_the_value() -> None:
    assert wire.read_value(answer(200, '{"a":[1]}')) == {"a": [1]}
    assert wire.read_value(answer(200, "null", "text/html")) is None


@pytest.mark.parametrize(
    "body",
    [
        NOT_FOUND,
        "\"Session 'x' not found.\"",
        '{"msg":"Session \'a\\nb\' not found."}',
        '{"msg":"Session \'7\' already stopped."}',
    ],
)
def test_p3_f6_livys_own_404_is_the_only_proof_that_it_knows_no_such_batch(body: str) -> None:
    error = value_error(answer(404, body))
    assert type(error) is NotFound
    with pytest.raises(NotFound):
        wire.read_deleted(answer(404, body))


@pytest.mark.parametrize(
    "given",
    [
        answer(404),
        answer(404, "<html>Session 'x' not found.</html>"),
        answer(404, "Session 'x' not found.", "text/plain"),
        answer(404, JETTY_JSON % (404, "Session 'x' not found.")),
        answer(404, '{"msg":"Not Found"}'),
        answer(404, '"not found"'),
        answer(404, '{"msg":"no Route matched with those values"}'),
    ],
    ids=name_of,
)
def test_p3_f6_any_other_404_is_the_gateways_condition(given: Answer) -> None:
    """Never take it as "batch gone"."""
    for error in (value_error(given), delete_error(given)):
        assert isinstance(error, NotSent)
        assert error.condition is Condition.NO_ROUTE


@pytest.mark.parametrize("given", [answer(403), answer(403, '{"msg":"no"}')], ids=name_of)
def test_s2_livys_403_withholds_one_thing(given: Answer) -> None:
    """An empty body: no right to view; a log that is withheld proves nothing about a phantom."""
    assert type(value_error(given)) is Forbidden
    assert type(delete_error(given)) is Forbidden


@pytest.mark.parametrize(
    ("given", "condition"),
    [
        (answer(401), Condition.CREDENTIALS),
        (answer(403, "<html>no</html>"), Condition.FORBIDDEN),
        (answer(302), Condition.REDIRECT),
        (answer(429), Condition.THROTTLED),
        (answer(503), Condition.INACTIVE),
        (answer(200, LOGIN), Condition.LOGIN_PAGE),
        (answer(200), Condition.GARBLED),
        (answer(200, "{"), Condition.GARBLED),
        (answer(200, "<html>hello</html>"), Condition.GARBLED),
        (answer(500, KNOX_500), Condition.SERVER_ERROR),
        (answer(500, '"java.lang.NullPointerException"'), Condition.SERVER_ERROR),
        (answer(400, '{"msg":"For input string"}'), Condition.SERVER_ERROR),
        (answer(502), Condition.SERVER_ERROR),
        (answer(201, "{}"), Condition.SERVER_ERROR),
        (answer(204), Condition.SERVER_ERROR),
    ],
    ids=name_of,
)
def test_a2_a_get_that_cannot_be_understood_is_no_answer(given: Answer, condition: Condition) -> None:
    error = value_error(given)
    assert isinstance(error, NotSent)
    assert error.condition is condition


# ── DELETE ──────────────────────────────────────────────────────────────────────────────────────────────────────


def delete_error(given: Answer) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        wire.read_deleted(given)
    return caught.value


def test_c2_deleted_is_said_by_livy() -> None:
    wire.read_deleted(answer(200, '{"msg":"deleted"}'))


@pytest.mark.parametrize(
    "given",
    [
        answer(200),
        answer(200, "{}"),
        answer(200, "<html>hello</html>"),
        answer(202),
        answer(204),
        answer(500, KNOX_500),
        answer(502),
        answer(504),
        answer(500, '"java.lang.Exception"'),
    ],
    ids=name_of,
)
def test_c2_a_delete_that_knox_cut_is_a_doubt(given: Answer) -> None:
    assert type(delete_error(given)) is Ambiguous


@pytest.mark.parametrize("status", [302, 401, 429, 503])
def test_c2_a_delete_that_never_reached_livy_is_not_sent(status: int) -> None:
    assert isinstance(delete_error(answer(status)), NotSent)


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (answer(400, '{"msg":"no\\n  such\\tthing"}'), "no such thing"),
        (answer(400, '"Some(x)"'), "Some(x)"),
        (answer(400, '{"a":1}'), '{"a":1}'),
        (answer(418), "HTTP 418"),
        (answer(418, "   "), "HTTP 418"),
        (answer(500, "<style>p{}</style><script>x()</script><p>Tom &amp; J&eacute;r&ocirc;me</p>"), "Tom & Jérôme"),
        (answer(500, b"\xff plain \xe9", "text/plain"), "\N{REPLACEMENT CHARACTER} plain \N{REPLACEMENT CHARACTER}"),
        (answer(500, JETTY_JSON % (500, "It&apos;s\nbroken")), "It's broken"),
        (answer(500, '{"status":500,"message":["x"]}'), '{"status":500,"message":["x"]}'),
        (answer(400, '{"msg":"nul\\u0000 and \\ud800"}'), "nul\N{SYMBOL FOR NULL} and ?"),
    ],
    ids=name_of,
)
def test_what_the_server_said_for_people(given: Answer, words: str) -> None:
    assert wire.words_of(given) == words


def test_words_are_short_and_hold_no_secret() -> None:
    given = answer(500, '{"msg":"svc-password and token=hunter22 %s"}' % ("x" * 100_000))
    words = wire.words_of(given, "svc-password")
    assert len(words) == wire.WORDS
    assert words.startswith("*** and token=*** xxx")


# ── values ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changes", "phantom"),
    [
        ({}, True),
        ({"log": ["stdout: "]}, False),
        ({"appId": "application_1_1"}, False),
        ({"state": "running"}, False),
        ({"state": "recovering"}, False),
    ],
)
def test_s2_the_shape_of_a_phantom(changes: dict[str, Any], phantom: bool) -> None:
    assert created(answer(201, batch_json(**changes))).phantom_shape is phantom


@pytest.mark.parametrize(
    ("text", "knows"),
    [
        ("0.7.1-incubating", True),
        ("0.6.0", True),
        ("0.10.0", True),
        ("1.0", True),
        ("0.7.23.1-3", True),
        ("0.5.0-incubating", False),
        ("0.05", False),
        ("master", None),
        ("v0.8.0", None),
        ("", None),
        ("1" * 5000 + "." + "1" * 5000, None),
    ],
)
def test_p1_names_came_with_livy_0_6(text: str, knows: bool | None) -> None:
    assert wire.version_of({"version": text}).knows_names is knows


def test_f3_an_unknown_word_is_kept() -> None:
    assert wire.batch_of(json.loads(batch_json(state="contemplating"))).state == "contemplating"


def test_what_no_database_takes_is_replaced_on_the_way_in() -> None:
    assert wire.batch_of(json.loads(batch_json(owner="a\0b"))).owner == "a\N{SYMBOL FOR NULL}b"
    log = wire.log_of({"id": 0, "log": ["x\0", "\ud800"]})
    assert log.lines == ("x\N{SYMBOL FOR NULL}", "?")


def test_a_page_and_a_log() -> None:
    page = wire.page_of({"from": 2, "total": 9, "sessions": [json.loads(batch_json(id=4))]})
    assert (page.start, page.total, [one.id for one in page.batches]) == (2, 9, [4])
    assert wire.page_of({"total": 0, "sessions": []}).start == 0
    log = wire.log_of({"id": 0, "from": 0, "total": 2, "log": ["stdout: ", "a"]})
    assert (log.id, log.total, log.lines) == (0, 2, ("stdout: ", "a"))
    assert wire.log_of({"id": 0, "log": []}).total == 0


def test_a_page_passes_over_what_says_the_same_but_for_its_log() -> None:
    first: Any = {"total": 3, "sessions": [json.loads(batch_json(id=n, name=f"n{n}", log=["a"])) for n in range(3)]}
    page = wire.page_of(first)
    marks = {batch.name: mark for batch, mark in zip(page.batches, page.marks, strict=True)}
    first["sessions"][0]["log"] = ["b"]
    first["sessions"][1]["state"] = "dead"
    again = wire.page_of(first, lambda name, number, mark: marks[name] == mark)
    assert ([batch.id for batch in again.batches], again.passed_over, again.length) == ([1], ("n0", "n2"), 3)


@pytest.mark.parametrize(
    "odd", [{"id": 0, "state": [], "name": "n"}, {"id": 0, "state": "x", "name": "n", "appInfo": "text"}, {"id": []}, 7]
)
def test_what_is_no_batch_is_never_passed_over(odd: object) -> None:
    with pytest.raises(NotSent):
        wire.shaped(lambda value: wire.page_of(value, lambda *said: True), {"total": 1, "sessions": [odd]})
    unnamed = wire.page_of({"total": 1, "sessions": [json.loads(batch_json(name=None))]}, lambda *said: True)
    assert (unnamed.length, unnamed.marks) == (1, (0,))


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        (wire.batch_of, None),
        (wire.batch_of, []),
        (wire.page_of, []),
        (wire.page_of, {}),
        (wire.page_of, {"sessions": {}}),
        (wire.page_of, {"sessions": []}),
        (wire.page_of, {"sessions": [], "total": "1"}),
        (wire.page_of, {"sessions": [], "total": 1, "from": None}),
        (wire.page_of, {"sessions": [{}], "total": 1}),
        (wire.log_of, None),
        (wire.log_of, {"id": 0, "log": "x"}),
        (wire.log_of, {"id": None, "log": []}),
        (wire.log_of, {"id": 0, "total": "1", "log": []}),
        (wire.log_of, {"id": 0, "log": [None]}),
        (wire.version_of, "0.7"),
        (wire.version_of, {"version": 0.7}),
    ],
)
def test_another_shape_is_no_answer(parse: Any, value: object) -> None:
    with pytest.raises(NotSent) as caught:
        wire.shaped(parse, value)
    assert caught.value.condition is Condition.GARBLED
