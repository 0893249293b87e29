"""Linking in two steps, alarms, and what is counted."""

from __future__ import annotations

import json

import pytest

from recovery.domain.states import State
from recovery.models import Recovery
from recovery.services import duplicates, events
from recovery.services.gateways import open_client
from sandbox import Sandbox
from tests.doors.api.conftest import assert_problem, client_of, post, token_client
from tests.factories import make_gateway, make_profile, make_recovery

pytestmark = pytest.mark.django_db


@pytest.fixture
def livy(monkeypatch):
    monkeypatch.setenv("SANDBOX_PASSWORD", "svc-password")
    with Sandbox(post_cost=0.0, retain=100_000) as box:
        yield box


@pytest.fixture
def lost(livy):
    gateway = make_gateway(base_url=livy.url, user="svc_portal", secret_ref="env:SANDBOX_PASSWORD")
    row = make_recovery(profile=make_profile(gateway=gateway), state=State.LOST)
    with open_client(gateway) as client:
        client.create(json.dumps({"file": "hdfs:///a.jar", "name": "by-hand"}), name="by-hand", deadline=5)
    return row


def _url(row, name="link"):
    return f"/api/v1/recoveries/{row.pk}/{name}/"


def _echo(shown, **more):
    return {name: shown[name] for name in ("name", "batchId", "appId")} | {"batch": "by-hand", "reason": "seen"} | more


def test_h1_looked_at_then_linked(operator, lost):
    client = client_of(operator)
    looked = client.get(_url(lost), {"batch": "by-hand"})
    assert looked.status_code == 200, looked.content
    shown = looked.json()
    assert (shown["toldBy"], shown["name"], shown["batchId"]) == ("livy", "by-hand", 0)
    assert {"appId", "state", "owner"} <= shown.keys()
    assert client.get(f"/api/v1/recoveries/{lost.pk}/").json()["settledAs"] is None
    linked = post(client, _url(lost), _echo(shown))
    assert linked.status_code == 200, linked.content
    body = linked.json()
    assert (body["state"], body["settledAs"], body["settledBy"], body["settledReason"]) == (
        "lost", "linked", "omar", "seen",
    )  # fmt: skip
    assert (body["linkedBatchId"], body["linkedBatchName"], body["linkedAppId"]) == (0, "by-hand", None)
    assert body["settledAt"]
    text = client.get(f"/api/v1/recoveries/{lost.pk}/events/").json()["results"][-1]["text"]
    assert text == "settled by a person: linked to batch 0, “by-hand”"
    assert_problem(post(client, _url(lost), _echo(shown)), 409, code="not_settleable")


@pytest.mark.parametrize("spoilt", [{"name": "other"}, {"name": None}, {"batchId": 1}, {"batchId": None}])
def test_h1_another_batch_than_the_one_shown_is_not_linked(operator, lost, spoilt):
    client = client_of(operator)
    shown = client.get(_url(lost), {"batch": "by-hand"}).json()
    assert_problem(post(client, _url(lost), _echo(shown, **spoilt)), 409, code="link_changed", field="batch")
    assert Recovery.objects.get(pk=lost.pk).settled_as == ""


def test_h1_what_cannot_be_linked(operator, lost, livy):
    client = client_of(operator)
    assert_problem(client.get(_url(lost)), 400, code="required", field="batch")
    assert_problem(client.get(_url(lost), {"batch": "x", "other": "y"}), 400, code="unknown_field", field="other")
    assert_problem(client.get(_url(lost), {"batch": "nobody"}), 400, code="link_unknown", field="batch")
    assert_problem(client.get(_url(lost), {"batch": "application_1_1"}), 400, code="link_no_yarn", field="batch")
    other = make_recovery()
    Recovery.objects.filter(pk=other.pk).update(batch_name="by-hand")
    assert_problem(client.get(_url(lost), {"batch": "0"}), 409, code="link_of_other", field="batch")
    livy.livy_down()
    problem = assert_problem(client.get(_url(lost), {"batch": "0"}), 502, code="gateway_unusable")
    assert "Livy may be down" in problem["detail"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"batchId": "0"}, "batchId"),
        ({"batchId": True}, "batchId"),
        ({"name": 1}, "name"),
        ({"reason": " "}, "reason"),
        ({"batch": None}, "batch"),
        ({"settledAs": "linked"}, "settledAs"),
    ],
)
def test_h1_the_body_of_a_link_is_read_strictly(operator, lost, change, field):
    shown = client_of(operator).get(_url(lost), {"batch": "by-hand"}).json()
    assert_problem(post(client_of(operator), _url(lost), _echo(shown, **change)), 400, field=field)


def test_h1_linking_is_for_operators(steward, operator, lost):
    for client in (client_of(steward), token_client(operator, scopes=["read"])):
        response = post(client, _url(lost), {"batch": "0", "name": "by-hand", "batchId": 0, "reason": "x"})
        assert_problem(response, 403, code="permission_denied")
    assert_problem(client_of(steward).get(_url(lost), {"batch": "0"}), 403, code="permission_denied")
    narrow = token_client(operator, profiles=[make_profile()])
    for response in (
        narrow.get(_url(lost), {"batch": "0"}),
        post(narrow, _url(lost), {"batch": "0", "name": "by-hand", "batchId": 0, "reason": "x"}),
    ):
        assert_problem(response, 403, code="profile_forbidden")


def test_an_alarm_is_shown_until_it_is_acknowledged(operator):
    client, row = client_of(operator), make_recovery(state=State.SUCCEEDED)
    assert_problem(post(client, _url(row, "acknowledge"), {"reason": "x"}), 409, code="no_alarm")
    duplicates.raise_alarm(row.pk, cause="late_answer", batch=3, known=1)
    assert client.get("/api/v1/statistics/").json()["duplicateAlarms"] == [row.pk]
    assert_problem(post(client, _url(row, "acknowledge"), {}), 400, field="reason")
    assert post(client, _url(row, "acknowledge"), {"reason": "3 was stopped"}).status_code == 200
    assert client.get("/api/v1/statistics/").json()["duplicateAlarms"] == []
    kinds = [event["kind"] for event in client.get(_url(row, "events")).json()["results"]]
    assert kinds[-2:] == ["duplicate", "acknowledged"]


def test_second_launches_avoided_are_counted(steward):
    row, other = make_recovery(), make_recovery()
    events.of_recovery(row.pk, "adopted", batch=17)
    events.of_recovery(row.pk, "adopted", cause="found_before_post", batch=17)
    events.of_recovery(row.pk, "looked", cause="duplicate_name")
    shown = client_of(steward).get("/api/v1/statistics/").json()
    assert shown["duplicatesAvoided"] == {
        "total": 3, "last30Days": 3, "adopted": 1, "foundBeforePost": 1, "refusedByName": 1,
    }  # fmt: skip
    assert shown["duplicatesAvoidedByGateway"] == {row.gateway.name: 3, other.gateway.name: 0}


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("en", ["answer lost after 20 s; it may have started – no clear answer",
                "found under its name as batch 17, adopted · no second launch"]),
        ("fr", ["réponse perdue au bout de 20 s ; il a pu démarrer – pas de réponse claire",
                "retrouvé sous son nom comme batch 17, repris · pas de second lancement"]),
    ],
)  # fmt: skip
def test_events_tell_the_story_in_the_language_of_the_request(steward, language, lines):
    row = make_recovery()
    events.of_recovery(row.pk, "answer_lost", cause="Ambiguous", after=20)
    events.of_recovery(row.pk, "adopted", batch=17)
    shown = client_of(steward, language=language).get(_url(row, "events")).json()["results"]
    assert [event["text"] for event in shown[1:]] == lines


def test_a_restart_of_livy_is_shown_with_the_gateway(steward):
    make_gateway(livy_restarted_at="2026-01-02T03:04:05Z")
    assert client_of(steward).get("/api/v1/gateways/").json()["results"][0]["livyRestartedAt"] == "2026-01-02T03:04:05Z"
