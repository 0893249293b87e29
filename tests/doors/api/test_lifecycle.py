"""What can be done with a recovery, and what is kept of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from recovery import wording
from recovery.domain.states import State
from recovery.models import RecoveryEvent, RecoveryLog, SubjectType
from recovery.services import events
from tests.doors.api.conftest import assert_problem, client_of, post, sentence
from tests.factories import ARGS, JAR, make_profile, make_recovery

pytestmark = pytest.mark.django_db


def _url(row, part=""):
    return f"/api/v1/recoveries/{row.pk}/{part}"


def test_resubmitted_as_it_was_the_payload_is_the_same(api, profile, steward):
    row = make_recovery(profile=profile, state=State.FAILED)
    profile.driver_memory, profile.args_mode = "9g", "split"
    profile.save()
    response = post(api, _url(row, "resubmit/"))
    assert response.status_code == 202, response.content
    child = response.json()
    assert response["Location"] == f"/api/v1/recoveries/{child['id']}/" != _url(row)
    assert (child["payload"], child["payloadSha256"]) == (row.payload_json, row.payload_sha256)
    assert (child["resubmissionOf"], child["attempt"]) == (row.pk, 2)
    assert child["batchName"] != row.batch_name
    assert child["requestedBy"] == steward.username


def test_resubmitted_with_changes_the_rest_stays_as_it_was(api, profile):
    row = make_recovery(profile=profile, state=State.FAILED, jar_args="--a 'b c'")
    profile.driver_memory, profile.args_mode = "9g", "split"
    profile.save()
    body = {"jarPath": "hdfs:///other.jar", "numExecutors": 7, "reason": "bigger"}
    child = post(api, _url(row, "resubmit/"), body).json()
    assert child["payload"] == row.payload_json | {"file": "hdfs:///other.jar", "numExecutors": 7}
    assert (child["jarArgs"], child["argsMode"]) == (row.raw_jar_args, "single")


def test_resubmitted_on_a_profile_it_takes_the_values_of_today(api, profile):
    row = make_recovery(profile=profile, state=State.FAILED)
    make_profile(name="large", driver_memory="8g", args_mode="split")
    child = post(api, _url(row, "resubmit/"), {"profile": "large"}).json()
    assert (child["profile"], child["payload"]["driverMemory"]) == ("large", "8g")
    assert child["args"] == ARGS.split()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_only_ended_recoveries_are_resubmitted(steward, profile, language):
    row = make_recovery(profile=profile, state=State.RUNNING)
    body = assert_problem(post(client_of(steward, language=language), _url(row, "resubmit/")), 409, code="not_ended")
    assert body["detail"] == sentence(language, "not_ended")


def test_a_lost_one_is_resubmitted_by_an_operator_with_a_reason(api, operator, profile):
    row = make_recovery(profile=profile, state=State.LOST)
    assert_problem(post(api, _url(row, "resubmit/"), {"reason": "checked"}), 409, code="unsettled")
    assert_problem(post(client_of(operator), _url(row, "resubmit/")), 409, code="unsettled")
    assert post(client_of(operator), _url(row, "resubmit/"), {"reason": "checked"}).status_code == 202


@pytest.mark.parametrize("body", [{"jarPath": "x.jar"}, {"jarPath": 1}, {"unknown": 1}, {"profile": "nowhere"}])
def test_a_wrong_change_resubmits_nothing(api, profile, body):
    row = make_recovery(profile=profile, state=State.FAILED)
    assert_problem(post(api, _url(row, "resubmit/"), body), 400, field=next(iter(body)))
    assert not row.resubmissions.exists()


def test_what_was_never_sent_is_cancelled_at_once(api, profile, steward):
    row = make_recovery(profile=profile, by=steward)
    response = post(api, _url(row, "cancel/"), {"reason": "wrong day"})
    assert response.status_code == 202
    assert (response.json()["state"], response.json()["outcome"]) == ("cancelled", "cancelled_before_start")
    asked = RecoveryEvent.objects.of(SubjectType.RECOVERY, row.pk).get(kind="cancel_requested")
    assert (asked.actor, asked.facts["reason"]) == (steward, "wrong day")


def test_a_running_one_keeps_its_state_until_livy_confirms(api, profile, steward):
    row = make_recovery(profile=profile, by=steward, state=State.RUNNING)
    shown = post(api, _url(row, "cancel/")).json()
    assert shown["state"] == "running"
    assert shown["cancelRequestedAt"]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_cancel_is_asked_for_once_and_before_the_end(steward, profile, language):
    client = client_of(steward, language=language)
    running = make_recovery(profile=profile, by=steward, state=State.RUNNING)
    post(client, _url(running, "cancel/"))
    ended = make_recovery(profile=profile, by=steward, state=State.SUCCEEDED)
    for row in (running, ended):
        body = assert_problem(post(client, _url(row, "cancel/")), 409, code="not_cancellable")
        assert body["detail"] == sentence(language, "not_cancellable")


@pytest.mark.parametrize("word", ["succeeded", "failed", "never_ran"])
def test_an_operator_settles_a_lost_one_once(operator, profile, word):
    row = make_recovery(profile=profile, state=State.LOST)
    client = client_of(operator)
    body = {"settledAs": word, "reason": "looked at the table"}
    shown = post(client, _url(row, "settle/"), body)
    assert shown.status_code == 200, shown.content
    assert shown.json()["state"] == "lost"
    assert (shown.json()["settledAs"], shown.json()["settledReason"]) == (word, body["reason"])
    assert_problem(post(client, _url(row, "settle/"), body), 409, code="not_settleable")


def test_what_is_known_is_not_settled(operator, profile):
    profile.gateway.last_seen_at = timezone.now()
    profile.gateway.save()
    for state in (State.RUNNING, State.FAILED):
        row = make_recovery(profile=profile, state=state)
        response = post(client_of(operator), _url(row, "settle/"), {"settledAs": "failed", "reason": "x"})
        assert_problem(response, 409, code="not_settleable")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"settledAs": "linked", "reason": "x"}, "settledAs"),
        ({"settledAs": 1, "reason": "x"}, "settledAs"),
        ({"reason": "x"}, "settledAs"),
        ({"settledAs": "failed"}, "reason"),
        ({"settledAs": "failed", "reason": " "}, "reason"),
        ({"settledAs": "failed", "reason": 1}, "reason"),
        ({"settledAs": "failed", "reason": "x", "state": "failed"}, "state"),
    ],
)
def test_a_settlement_has_a_word_and_a_reason(operator, profile, body, field):
    row = make_recovery(profile=profile, state=State.LOST)
    problem = assert_problem(post(client_of(operator), _url(row, "settle/"), body), 400)
    assert field in problem["errors"]
    row.refresh_from_db()
    assert row.settled_as == ""


@pytest.mark.parametrize("language", ["en", "fr"])
def test_events_are_told_in_order_and_in_the_language_of_the_request(steward, profile, language):
    row = make_recovery(profile=profile, by=steward)
    events.of_recovery(row.pk, "not_sent", cause="tls", words="no")
    found = client_of(steward, language=language).get(_url(row, "events/")).json()["results"]
    assert [event["seq"] for event in found] == [1, 2]
    assert [event["kind"] for event in found] == ["filed", "not_sent"]
    with translation.override(language):
        assert [event["text"] for event in found] == [
            f"{wording.event_text(kind)} – {wording.cause_text(cause)}"
            for kind, cause in (("filed", "admin"), ("not_sent", "tls"))
        ]
    assert (found[0]["actor"], found[1]["actor"]) == (steward.username, None)
    assert found[0]["data"]["sha256"] == row.payload_sha256
    assert (found[1]["cause"], found[1]["data"]) == ("tls", {"words": "no"})
    assert set(found[0]) == {"seq", "at", "kind", "text", "cause", "actor", "data"}


def test_events_come_in_pages(api, profile):
    row = make_recovery(profile=profile)
    for _ in range(4):
        events.of_recovery(row.pk, "looked")
    page = api.get(_url(row, "events/"), {"pageSize": 2}).json()
    seen = [event["seq"] for event in page["results"]]
    while page["next"]:
        page = api.get(page["next"]).json()
        seen += [event["seq"] for event in page["results"]]
    assert seen == [1, 2, 3, 4, 5]
    assert_problem(api.get(_url(row, "events/"), {"kind": "looked"}), 400, code="unknown_field", field="kind")


def test_the_log_is_empty_until_something_was_read(api, profile):
    row = make_recovery(profile=profile)
    nothing = {"output": "", "diagnostics": "", "final": False, "withheld": False, "readAt": None}
    assert api.get(_url(row, "log/")).json() == nothing
    assert not RecoveryLog.objects.exists()


def test_the_log_as_json_and_as_text(api, profile):
    row = make_recovery(profile=profile)
    now = timezone.now() - timedelta(minutes=1)
    RecoveryLog.objects.create(recovery=row, output="un\nété", diagnostics="killed", final=True, read_at=now)
    shown = api.get(_url(row, "log/")).json()
    assert (shown["output"], shown["diagnostics"], shown["final"]) == ("un\nété", "killed", True)
    assert shown["readAt"] == now.isoformat().replace("+00:00", "Z")
    for response in (
        api.get(_url(row, "log/"), headers={"Accept": "text/plain"}),
        api.get(_url(row, "log/?format=text")),
    ):
        assert response["Content-Type"] == "text/plain; charset=utf-8"
        assert response.content.decode() == "un\nété\n\nkilled"


def test_a_text_log_that_is_not_there_is_a_problem(api):
    assert_problem(api.get("/api/v1/recoveries/1/log/", headers={"Accept": "text/plain"}), 404)


def test_times_are_utc(api, profile):
    row = make_recovery(profile=profile, jar_path=JAR)
    assert api.get(_url(row)).json()["createdAt"].endswith("Z")
