"""The portal's own client on the same wire: each answer is read as what it means (protocol A1 to A4, A7)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from recovery.domain.gateways import AuthKind, Condition
from recovery.gateway.errors import Ambiguous, DuplicateName, NotFound, NotSent, Refused
from recovery.gateway.livy import KnoxLivyClient
from tests.contract.wires import Wire


def create(client: KnoxLivyClient, wire: Wire, name: str, **fields: Any) -> Any:
    return client.create(json.dumps({"file": wire.jar, "name": name} | fields), name=name, deadline=60)


def test_a_batch_from_its_start_to_its_removal(wire: Wire) -> None:
    name = wire.name("client")
    with wire.client() as client:
        assert client.version().text == "0.7.1-incubating"
        assert client.version().knows_names is True
        assert client.is_free(name)
        batch = create(client, wire, name, driverMemory="lots")
        assert (batch.name, batch.app_id, batch.owner, batch.proxy_user) == (name, None, None, None)
        assert not batch.phantom_shape
        assert client.get(name).id == client.get(batch.id).id == batch.id
        assert client.state(name) in {"starting", "running", "dead"}
        assert client.log(name).lines[0] == "stdout: "
        page = client.list(size=100_000)
        assert page.total == len(page.batches)
        assert [one.id for one in page.batches if one.name == name] == [batch.id]
        client.delete(name)
        with pytest.raises(NotFound):
            client.delete(name)
        with pytest.raises(NotFound):
            client.get(batch.id)
        assert client.is_free(name)


def test_a_name_that_is_taken(wire: Wire) -> None:
    name = wire.name("client")
    with wire.client() as client:
        with pytest.raises(Refused) as refused:
            create(client, wire, name, conf={"spark.master": "local"})
        assert refused.value.words == "Blacklisted configuration values in session config: spark.master"
        assert client.get(name).phantom_shape
        assert client.log(name).lines == ()
        with pytest.raises(DuplicateName):
            create(client, wire, name)


@pytest.mark.parametrize(
    "fields", [{"args": "a b"}, {"bogus": 1}, {"numExecutors": "2"}, {"file": None}, {"args": None}, {"queue": {}}]
)
def test_livys_own_refusals(wire: Wire, fields: dict[str, Any]) -> None:
    with wire.client() as client, pytest.raises(Refused) as refused:
        create(client, wire, wire.name("client"), **fields)
    assert not isinstance(refused.value, DuplicateName)
    assert refused.value.status in (400, 500)


def test_what_knox_cannot_parse_is_a_doubt(wire: Wire) -> None:
    with wire.client() as client, pytest.raises(Ambiguous) as doubt:
        client.create("[1]", name=wire.name("client"), deadline=60)
    assert doubt.value.status == 500


def test_livy_down_is_a_doubt_for_post_and_delete_and_no_answer_for_get(wire: Wire) -> None:
    name = wire.name("client")
    with wire.client(topology="livydown") as client:
        with pytest.raises(NotSent) as unanswered:
            client.get(name)
        assert unanswered.value.condition is Condition.SERVER_ERROR
        with pytest.raises(Ambiguous) as doubt:
            create(client, wire, name)
        with pytest.raises(Ambiguous):
            client.delete(name)
    for error in (unanswered.value, doubt.value):
        # in people's words: the page's message, without its URL, its servlet and its list of causes
        assert error.words.endswith("java.io.IOException: Service connectivity error.")
        assert error.words.startswith("javax.servlet.ServletException: ")
        assert error.words.count("Service connectivity error.") == 1


@pytest.mark.parametrize(
    ("changes", "condition"),
    [
        ({"secret": "wrong"}, Condition.CREDENTIALS),
        ({"auth": AuthKind.NONE}, Condition.CREDENTIALS),
        ({"topology": "tokenbased"}, Condition.CREDENTIALS),
        ({"topology": "nope"}, Condition.NO_ROUTE),
        ({"livy_path": "nope/v1"}, Condition.NO_ROUTE),
        ({"livy_path": "livy/v2"}, Condition.NO_ROUTE),
    ],
)
def test_conditions_of_the_gateway(wire: Wire, changes: dict[str, Any], condition: Condition) -> None:
    name = wire.name("client")
    with wire.client(**changes) as client:
        for act in (
            lambda: client.get(name),
            lambda: create(client, wire, name),
            lambda: client.delete(name),
            client.version,
        ):
            with pytest.raises(NotSent) as unsent:
                act()
            assert unsent.value.condition is condition
    assert wire.batch(name) is None


def test_a_bearer_token(wire: Wire) -> None:
    token = wire.call("GET", "/knoxtoken/api/v1/token").json()["access_token"]
    name = wire.name("client")
    with wire.client(topology="tokenbased", auth=AuthKind.BEARER, user="", secret=token) as client:
        create(client, wire, name, driverMemory="lots")
    assert wire.batch(name) is not None


def test_an_unknown_authority_is_no_gateway(wire: Wire) -> None:
    if not wire.real:
        pytest.skip("the sandbox speaks plain HTTP")
    with wire.client(ca_bundle="") as client, pytest.raises(NotSent) as unsent:
        client.version()
    assert unsent.value.condition is Condition.TLS
    with wire.client(ca_bundle="", verify_tls=False) as client, pytest.warns(match="Unverified HTTPS"):
        assert client.version().knows_names is True
