"""YARN's ResourceManager through Knox: shapes, absences, kills (real-behaviour.md §n)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from recovery.domain.gateways import AuthKind, Condition
from recovery.gateway.endpoint import Endpoint
from recovery.gateway.errors import Ambiguous, Forbidden, NotFound, NotSent
from recovery.gateway.transport import Answer, Call
from recovery.gateway.yarn import YarnClient
from sandbox import Sandbox

PATH = "resourcemanager/v1/cluster"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(mode="yarn", speed=50.0, post_cost=0.0) as box:
        yield box


@pytest.fixture
def yarn(sandbox: Sandbox) -> Iterator[YarnClient]:
    endpoint = Endpoint(base_url=sandbox.url, auth=AuthKind.BASIC, user="svc_portal", secret="svc-password")
    with YarnClient(endpoint, PATH) as client:
        yield client


class Canned:
    """A transport that gives one answer."""

    def __init__(self, status: int, body: object, content_type: str = "application/json") -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answer = Answer(status=status, content_type=content_type, body=raw)
        self.calls: list[Call] = []

    def send(self, call: Call) -> Answer:
        self.calls.append(call)
        return self.answer

    def close(self) -> None:
        pass


def _canned(status: int, body: object, content_type: str = "application/json") -> YarnClient:
    sender = Canned(status, body, content_type)
    return YarnClient(Endpoint(base_url="http://knox/gateway/x", auth=AuthKind.NONE), PATH, transport=sender)


def test_since_when_it_remembers(yarn: YarnClient) -> None:
    assert yarn.info().started.tzinfo is not None


def test_what_is_not_there(yarn: YarnClient) -> None:
    assert yarn.by_tag("nope") == ()
    with pytest.raises(NotFound):
        yarn.by_id("application_1_0001")
    with pytest.raises(NotFound):
        yarn.kill("application_1_0001")


def test_unreachable(sandbox: Sandbox, yarn: YarnClient) -> None:
    sandbox.yarn_down()
    with pytest.raises(NotSent):
        yarn.info()
    with pytest.raises(Ambiguous):
        yarn.kill("application_1_0001")


def test_none_comes_in_two_shapes() -> None:
    assert _canned(200, {"apps": None}).by_tag("x") == ()
    assert _canned(200, {"apps": {}}).by_tag("x") == ()


@pytest.mark.parametrize(
    "body",
    [
        {}, [], {"apps": []}, {"apps": {"app": "x"}}, {"apps": {"app": ["x"]}},
        {"apps": {"app": [{"id": "application_1_1"}]}},
        {"apps": {"app": [{"id": 7, "finalStatus": "FAILED"}]}},
    ],
)  # fmt: skip
def test_other_shapes_are_no_answer(body: object) -> None:
    with pytest.raises(NotSent) as told:
        _canned(200, body).by_tag("x")
    assert told.value.condition is Condition.GARBLED


def test_an_info_of_another_shape_is_no_answer() -> None:
    with pytest.raises(NotSent):
        _canned(200, {"clusterInfo": {"startedOn": "yesterday"}}).info()


def test_an_application_says_whether_it_is_over() -> None:
    app = {"id": "application_1_1", "state": "FINISHED", "finalStatus": "FAILED", "applicationTags": "livy-1,portal-x"}
    found = _canned(200, {"app": app}).by_id("application_1_1")
    assert (found.is_over, found.tags, found.diagnostics) == (True, ("livy-1", "portal-x"), "")
    found = _canned(200, {"app": app | {"state": "RUNNING", "finalStatus": "UNDEFINED"}}).by_id("application_1_1")
    assert not found.is_over


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b"", NotSent),
        (403, b"", Forbidden),
        (404, b"", NotSent),
        (400, {"RemoteException": {"exception": "BadRequestException"}}, NotSent),
        (500, b"<html>Service connectivity error</html>", NotSent),
    ],
)
def test_other_answers(status: int, body: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        _canned(status, body).by_id("application_1_1")


def test_a_kill_that_is_not_allowed() -> None:
    with pytest.raises(Forbidden):
        _canned(403, b"").kill("application_1_1")
