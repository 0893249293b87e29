"""KnoxLivyClient against the sandbox: each call, by name and by id, and what it raises."""

from __future__ import annotations

import json
from typing import Any

import pytest

from recovery.domain.gateways import AuthKind, Condition
from recovery.domain.pacing import Pacing
from recovery.gateway.endpoint import Endpoint
from recovery.gateway.errors import Ambiguous, DuplicateName, Forbidden, NotFound, NotSent, Refused
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.transport import Answer, Call
from sandbox import Fault, Sandbox
from tests.gateway.conftest import Serve
from tests.gateway.raw import Peer, json_answer

NAME = "portal-recovery-0123456789ab"


def body(name: str = NAME, **fields: Any) -> str:
    return json.dumps({"file": "hdfs:///user/sddesigner/recovery.jar", "name": name} | fields)


@pytest.fixture
def client(endpoint: Endpoint) -> Any:
    with KnoxLivyClient.at(endpoint) as one:
        yield one


def create(client: KnoxLivyClient, name: str = NAME, **fields: Any) -> Any:
    return client.create(body(name, **fields), name=name, deadline=10)


def test_a_batch_from_its_start_to_its_end(client: KnoxLivyClient, sandbox: Sandbox) -> None:
    batch = create(client, args=["--sleep 10000"])
    assert (batch.id, batch.name) == (0, NAME)
    assert client.get(NAME).id == client.get(0).id == 0
    page = client.list()
    assert (page.start, page.total, [one.name for one in page.batches]) == (0, 1, [NAME])
    assert client.list(start=5, size=0).batches == ()
    sandbox.finish(NAME)
    assert client.state(NAME) == client.state(0) == "success"
    assert client.log(NAME).lines[0] == "stdout: "
    assert len(client.log(0, size=1).lines) == 1
    client.delete(NAME)
    with pytest.raises(NotFound):
        client.get(NAME)
    with pytest.raises(NotFound):
        client.delete(NAME)


def test_what_is_posted_are_the_bytes_that_were_given(client: KnoxLivyClient, sandbox: Sandbox) -> None:
    """preview == row == wire: nobody builds the body anew."""
    text = body(args=["é \u2028 {}"]).replace(": ", ":  ")
    client.create(text, name=NAME, deadline=10)
    (post,) = [one for one in sandbox.requests if one.method == "POST"]
    assert post.body == text.encode()


def test_the_version(client: KnoxLivyClient) -> None:
    assert client.version().knows_names is True


def test_a7_a_taken_name(client: KnoxLivyClient, sandbox: Sandbox) -> None:
    create(client)
    with pytest.raises(DuplicateName):
        create(client)
    assert len(sandbox.ledger.started(NAME)) == 1


def test_a3_a_refused_payload(client: KnoxLivyClient) -> None:
    with pytest.raises(Refused, match="is not absolute"):
        create(client, file="recovery.jar")
    assert client.get(NAME).phantom_shape  # the refusal left it there


def test_a4_knoxs_500_is_a_doubt_and_the_batch_runs(client: KnoxLivyClient, sandbox: Sandbox) -> None:
    sandbox.add_fault(Fault("POST /batches", "knox_500", when="after"))
    with pytest.raises(Ambiguous):
        create(client)
    assert client.get(NAME).id == 0


def test_a2_wrong_credentials(sandbox: Sandbox) -> None:
    endpoint = Endpoint(base_url=sandbox.url, user="svc_portal", secret="wrong")
    with KnoxLivyClient.at(endpoint) as client:
        for call in (client.version, client.list, lambda: create(client), lambda: client.delete(NAME)):
            with pytest.raises(NotSent) as caught:
                call()
            assert caught.value.condition is Condition.CREDENTIALS


def test_a_bearer_token_lets_us_in(sandbox: Sandbox) -> None:
    endpoint = Endpoint(base_url=sandbox.token_url, auth=AuthKind.BEARER, secret="sandbox-token")
    with KnoxLivyClient.at(endpoint) as client:
        assert client.version().knows_names


def test_p3_an_unknown_topology_is_a_condition_and_no_proof_that_a_name_is_free(sandbox: Sandbox) -> None:
    endpoint = Endpoint(base_url=f"{sandbox.root}/gateway/nowhere", user="svc_portal", secret="svc-password")
    with KnoxLivyClient.at(endpoint) as client, pytest.raises(NotSent) as caught:
        client.get(NAME)
    assert caught.value.condition is Condition.NO_ROUTE


def test_p3_a_name_is_free_when_livy_itself_says_so(client: KnoxLivyClient, sandbox: Sandbox) -> None:
    assert client.is_free(NAME)
    create(client)
    assert not client.is_free(NAME)
    sandbox.livy_down()
    with pytest.raises(NotSent):
        client.is_free(NAME)


def test_s2_a_log_that_is_withheld(client: KnoxLivyClient, sandbox: Sandbox) -> None:
    create(client)
    sandbox.add_fault(Fault("GET /batches/{x}/log", "status", code=403, body="empty"))
    with pytest.raises(Forbidden):
        client.log(NAME)


@pytest.mark.parametrize("name", ["a b", "é", "a/b?c=d&'\"", "%41", "..", "#x"])
def test_any_name_is_one_segment_of_the_path(client: KnoxLivyClient, name: str) -> None:
    """ "..": the client must not let it be resolved away."""
    with pytest.raises((NotFound, NotSent)) as caught:
        client.get(name)
    if name != "..":
        assert isinstance(caught.value, NotFound)


# ── answers that no sandbox gives ───────────────────────────────────────────────────────────────────────────────


class Canned:
    """A transport that gives one answer, or raises it."""

    def __init__(self, given: Answer | Exception) -> None:
        self.given = given
        self.calls: list[Call] = []
        self.closed = False

    def send(self, call: Call) -> Answer:
        self.calls.append(call)
        if isinstance(self.given, Exception):
            raise self.given
        return self.given

    def close(self) -> None:
        self.closed = True


def canned(status: int, text: str) -> Canned:
    return Canned(Answer(status=status, content_type="application/json", body=text.encode()))


ENDPOINT = Endpoint(base_url="https://knox:8443/gateway/t")


def test_f2_another_batch_under_the_name_that_was_asked_for_is_no_answer() -> None:
    client = KnoxLivyClient.at(ENDPOINT, transport=canned(200, '{"id":0,"name":"other","state":"running"}'))
    with pytest.raises(NotSent) as caught:
        client.get(NAME)
    assert caught.value.condition is Condition.GARBLED
    assert client.get(0).name == "other"  # by id the identity is the caller's matter


@pytest.mark.parametrize("text", ["[]", "null", "{}", '{"state":3}'])
def test_a_state_of_another_shape_is_no_answer(text: str) -> None:
    client = KnoxLivyClient.at(ENDPOINT, transport=canned(200, text))
    with pytest.raises(NotSent) as caught:
        client.state(NAME)
    assert caught.value.condition is Condition.GARBLED


@pytest.mark.parametrize("call", ["get", "log", "list", "version"])
def test_an_answer_of_another_shape_is_no_answer(call: str) -> None:
    client = KnoxLivyClient.at(ENDPOINT, transport=canned(200, "[]"))
    arguments = (NAME,) if call in {"get", "log"} else ()
    with pytest.raises(NotSent) as caught:
        getattr(client, call)(*arguments)
    assert caught.value.condition is Condition.GARBLED


def test_a_get_whose_answer_was_lost_is_no_answer() -> None:
    client = KnoxLivyClient.at(ENDPOINT, transport=Canned(Ambiguous("no answer: TimeoutError")))
    with pytest.raises(NotSent) as caught:
        client.get(NAME)
    assert caught.value.condition is Condition.TIMEOUT


def test_c2_a_delete_whose_answer_was_lost_is_a_doubt() -> None:
    client = KnoxLivyClient.at(ENDPOINT, transport=Canned(Ambiguous("no answer: TimeoutError")))
    with pytest.raises(Ambiguous):
        client.delete(NAME)


def test_each_call_has_its_deadline_and_only_a_post_is_fresh() -> None:
    pacing = Pacing(get_deadline=11, read_timeout=22)
    transport = canned(200, '{"id":0,"name":"n","state":"running","version":"0.7","msg":"deleted"}')
    client = KnoxLivyClient.at(ENDPOINT, pacing=pacing, transport=transport)
    client.get(0)
    client.version()
    client.delete(0)
    with pytest.raises(Ambiguous):
        client.create("{}", name="n", deadline=33)
    assert [(c.method, c.url.rpartition("/v1/")[2], c.deadline, c.fresh) for c in transport.calls] == [
        ("GET", "batches/0", 11, False),
        ("GET", "version", 11, False),
        ("DELETE", "batches/0", 22, False),
        ("POST", "batches", 33, True),
    ]
    client.close()
    assert transport.closed


def test_a_kept_connection_that_dies_while_it_is_used_is_no_answer(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.read()
        peer.say(json_answer("200 OK", '{"version":"0.7"}'))
        peer.read()
        peer.reset()

    server = serve(script)
    with KnoxLivyClient.at(Endpoint(base_url=server.url, auth=AuthKind.NONE)) as client:
        client.version()
        with pytest.raises(NotSent) as caught:
            client.version()
    assert caught.value.condition is Condition.TIMEOUT
    assert server.accepted == 1
