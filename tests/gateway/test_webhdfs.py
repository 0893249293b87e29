"""HDFS through Knox: shapes, verdicts, redirects (livy-knox-contract.md §12, real-behaviour.md §m)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from recovery.domain.gateways import AuthKind, Condition
from recovery.gateway.endpoint import Endpoint
from recovery.gateway.errors import Forbidden, GatewayError, NotFound, NotSent
from recovery.gateway.transport import Answer, Call
from recovery.gateway.webhdfs import WRITE_INTO, WebHdfsClient
from sandbox import Node, Sandbox

PATH = "webhdfs/v1"
JAR = "/user/sddesigner/recovery.jar"
KNOX = "http://knox/gateway/x"


@pytest.fixture
def hdfs(endpoint: Endpoint) -> Iterator[WebHdfsClient]:
    with WebHdfsClient(endpoint, PATH) as client:
        yield client


class Canned:
    """A transport that gives its answers in order."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.calls: list[Call] = []

    def send(self, call: Call) -> Answer:
        self.calls.append(call)
        return self.answers.pop(0)

    def close(self) -> None:
        pass


def answer(status: int, body: object, content_type: str = "application/json", **fields: str) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status=status, content_type=content_type, body=raw, **fields)  # type: ignore[arg-type]


def client_of(sender: Canned, limit: float | None = None) -> WebHdfsClient:
    endpoint = Endpoint(base_url=KNOX, auth=AuthKind.NONE, secret="hush-hush")
    return WebHdfsClient(endpoint, PATH, transport=sender, limit=limit)


def canned(status: int, body: object, content_type: str = "application/json") -> WebHdfsClient:
    return client_of(Canned(answer(status, body, content_type)))


def remote(exception: str, message: str = "") -> dict[str, object]:
    return {"RemoteException": {"exception": exception, "javaClassName": f"x.{exception}", "message": message}}


def test_a_file_and_a_directory(hdfs: WebHdfsClient) -> None:
    status = hdfs.status(JAR)
    assert (status.kind, status.is_file, status.length) == ("FILE", True, 6226)
    assert (status.owner, status.permission) == ("sddesigner", "644")
    assert status.modified.tzinfo is not None
    assert not hdfs.status("/user").is_file


def test_home_says_who_we_are_and_not_that_it_is_there(sandbox: Sandbox, endpoint: Endpoint) -> None:
    guest = replace(endpoint, user="guest", secret="guest-password")
    with WebHdfsClient(guest, PATH) as client:
        assert client.home() == "/user/guest"
        with pytest.raises(NotFound):
            client.status("/user/guest")


def test_reading_is_another_question_than_being_there(hdfs: WebHdfsClient) -> None:
    hdfs.check_access(JAR)
    hdfs.check_access("/user/svc_portal", WRITE_INTO)
    assert hdfs.status("/user/sddesigner/private.jar").is_file
    with pytest.raises(Forbidden) as told:
        hdfs.check_access("/user/sddesigner/private.jar")
    assert "access=READ" in told.value.words
    with pytest.raises(NotFound):
        hdfs.check_access("/nope")


def test_a_path_below_a_file_is_missing_though_its_status_is_403(hdfs: WebHdfsClient) -> None:
    with pytest.raises(NotFound) as told:
        hdfs.status(f"{JAR}/below")
    assert told.value.status == 403


def test_below_a_closed_directory_nothing_can_be_said(hdfs: WebHdfsClient) -> None:
    with pytest.raises(Forbidden):
        hdfs.status("/user/sddesigner/private/recovery.jar")


@pytest.mark.parametrize("name", ["a b", "%20", "a=b", "+", "é", "日本", "a&b?c#d", "'\"", ";*", "{c}", "[b]", "`x`"])
def test_each_segment_is_encoded(sandbox: Sandbox, hdfs: WebHdfsClient, name: str) -> None:
    sandbox.hdfs.add(f"/odd/{name}", Node(type="FILE", permission="644", length=3))
    assert hdfs.status(f"/odd/{name}").length == 3


def test_a_checksum_follows_the_redirect_to_the_gateway_itself(sandbox: Sandbox, hdfs: WebHdfsClient) -> None:
    first = hdfs.checksum(JAR)
    assert first.startswith("MD5-of-0MD5-of-512CRC32C:")
    assert hdfs.checksum(JAR) == first
    sandbox.hdfs.add(JAR, Node(type="FILE", permission="644", length=6226, content="another build"))
    assert hdfs.checksum(JAR) != first
    with pytest.raises(Forbidden):
        hdfs.checksum("/user/sddesigner/private.jar")
    with pytest.raises(NotFound):
        hdfs.checksum("/user/sddesigner")
    with pytest.raises(NotFound):
        hdfs.checksum("/nope")


@pytest.mark.parametrize("place", ["http://datanode:9864/webhdfs/v1/x", f"{KNOX}y/webhdfs", "/webhdfs/data/v1/x"])
def test_p4_a_redirect_elsewhere_is_not_followed(place: str) -> None:
    sender = Canned(answer(307, b"", location=place))
    with pytest.raises(NotSent) as told:
        client_of(sender).checksum(JAR)
    assert told.value.condition is Condition.REDIRECT
    assert len(sender.calls) == 1


def test_a_checksum_given_at_once_is_taken() -> None:
    body = {"FileChecksum": {"algorithm": "MD5", "bytes": "00ff", "length": 28}}
    assert canned(200, body).checksum(JAR) == "MD5:00ff"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, remote("FileNotFoundException", "File does not exist: /x"), NotFound),
        (403, remote("AccessControlException", "/x (is not a directory)"), NotFound),
        (403, remote("AccessControlException", "Permission denied"), Forbidden),
        (403, remote("SafeModeException", "Name node is in safe mode.\nThe reported blocks"), NotSent),
        (403, remote("RetriableException", "NameNode still not started"), NotSent),
        (403, remote("StandbyException"), NotSent),
        (400, remote("IllegalArgumentException", "Invalid value for webhdfs parameter"), NotSent),
        (401, b"", NotSent),
        (403, b"", NotSent),
        (403, b"<html>no</html>", NotSent),
        (404, b"", NotSent),
        (302, b"", NotSent),
        (307, b"", NotSent),
        (500, b"<html>Service connectivity error.</html>", NotSent),
        (500, {"RemoteException": "odd"}, NotSent),
        (500, {"RemoteException": {"exception": 7}}, NotSent),
        (500, ["odd"], NotSent),
        (200, b"not json", NotSent),
    ],
)
def test_the_exception_decides_never_the_status(status: int, body: object, error: type[GatewayError]) -> None:
    with pytest.raises(error) as told:
        canned(status, body).status("/x")
    assert told.type is error
    assert told.value.status == status


@pytest.mark.parametrize(
    ("status", "body", "condition"),
    [
        (404, b"", Condition.NO_ROUTE),
        (403, b"", Condition.FORBIDDEN),
        (500, b"", Condition.SERVER_ERROR),
        (403, remote("SafeModeException", "safe"), Condition.SERVER_ERROR),
    ],
)
def test_why_there_is_no_answer(status: int, body: object, condition: Condition) -> None:
    with pytest.raises(NotSent) as told:
        canned(status, body).status("/x")
    assert told.value.condition is condition


def test_words_are_one_line_and_free_of_our_secret() -> None:
    with pytest.raises(NotSent) as told:
        canned(403, remote("SafeModeException", "hush-hush is on.\nMore.")).status("/x")
    assert told.value.words == "SafeModeException: *** is on."


@pytest.mark.parametrize(
    "body",
    [
        [], {}, {"FileStatus": []}, {"FileStatus": {"type": "FILE"}},
        {"FileStatus": {"type": 1, "length": 1, "modificationTime": 1}},
        {"FileStatus": {"type": "FILE", "length": -1, "modificationTime": 1}},
        {"FileStatus": {"type": "FILE", "length": True, "modificationTime": 1}},
        {"FileStatus": {"type": "FILE", "length": 1, "modificationTime": 10**30}},
    ],
)  # fmt: skip
def test_a_status_of_another_shape_is_no_answer(body: object) -> None:
    with pytest.raises(NotSent) as told:
        canned(200, body).status("/x")
    assert told.value.condition is Condition.GARBLED


@pytest.mark.parametrize("body", [[], {}, {"Path": 7}, {"Path": "home"}])
def test_a_home_of_another_shape_is_no_answer(body: object) -> None:
    with pytest.raises(NotSent):
        canned(200, body).home()


@pytest.mark.parametrize("body", [{}, {"FileChecksum": {"algorithm": "MD5"}}, {"FileChecksum": {"bytes": "00"}},
                                  {"FileChecksum": {"algorithm": "MD5", "bytes": ""}}])  # fmt: skip
def test_a_checksum_of_another_shape_is_no_answer(body: object) -> None:
    with pytest.raises(NotSent):
        canned(200, body).checksum("/x")


def test_a_page_that_answers_200_is_no_yes() -> None:
    with pytest.raises(NotSent) as told:
        canned(200, b"<html><form>log in</form></html>", "text/html").check_access("/x")
    assert told.value.condition is Condition.LOGIN_PAGE
    with pytest.raises(NotSent) as told:
        canned(200, {"ok": True}).check_access("/x")
    assert told.value.condition is Condition.GARBLED


def test_all_calls_share_one_limit() -> None:
    body = {"Path": "/user/x"}
    sender = Canned(answer(200, body), answer(200, body))
    unlimited, limited = client_of(sender), client_of(sender, limit=2.0)
    unlimited.home()
    limited.home()
    assert sender.calls[0].deadline > 2.0
    assert 0 < sender.calls[1].deadline <= 2.0


def test_what_is_unreachable_is_no_answer(sandbox: Sandbox, hdfs: WebHdfsClient) -> None:
    sandbox.hdfs_down()
    with pytest.raises(NotSent) as told:
        hdfs.home()
    assert told.value.condition is Condition.SERVER_ERROR
