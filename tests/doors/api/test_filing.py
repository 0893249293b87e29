"""Filing through the API: the guide's door, create with overrides, preview."""

from __future__ import annotations

import hashlib
import json

import pytest

from recovery.domain.payload import canonical
from recovery.models import Recovery, RecoveryEvent
from tests.doors.api.conftest import BODY, CREATE, EXECUTE, PREVIEW, assert_problem, client_of, post, token_client
from tests.factories import ARGS, JAR, make_gateway, make_profile, make_user

pytestmark = pytest.mark.django_db

SHOWN = """
    id state stateLabel jarPath jarArgs args argsMode profile profileVersion gateway payload payloadSha256 sentPayload
    batchName batchId appId livyState askedProxyUser proxyUser requestedBy reason resubmissionOf attempt tries
    preflight cancelRequestedAt settledAs settledReason settledBy settledAt linkedBatchId linkedBatchName linkedAppId
    createdAt submittedAt startedAt finishedAt outcome outcomeLabel
    outcomeWords hold sparkUiUrl driverLogUrl mayHaveStarted channel lastSeenAt links
"""


def test_execute_jar_files_a_recovery_and_says_where_it_is(api, profile, steward):
    response = post(api, EXECUTE, BODY)
    assert response.status_code == 202
    row = Recovery.objects.get()
    assert response["Location"] == f"/api/v1/recoveries/{row.pk}/"
    shown = response.json()
    assert shown["id"] == row.pk
    assert shown["state"] == "queued"
    assert shown["batchName"] == row.batch_name
    assert shown["batchId"] is None
    assert (shown["channel"], shown["requestedBy"], shown["reason"]) == ("api", "sabine", BODY["reason"])
    assert (row.requester, row.channel, row.token) == (steward, "api", None)
    assert "Idempotent-Replay" not in response


def test_a_recovery_shows_every_field_at_its_location(api, profile):
    response = post(api, EXECUTE, BODY)
    shown = api.get(response["Location"]).json()
    assert set(shown) == set(SHOWN.split())
    assert shown == response.json()
    assert set(shown["links"]) == {"self", "events", "log", "resubmit", "cancel"}
    assert shown["links"]["self"] == response["Location"]
    for name in ("self", "events", "log"):
        assert api.get(shown["links"][name]).status_code == 200


def test_batch_id_zero_is_an_id(api, profile):
    location = post(api, EXECUTE, BODY)["Location"]
    Recovery.objects.update(livy_id=0)
    assert api.get(location).json()["batchId"] == 0


def test_jar_args_is_one_argument_in_single_mode_and_cut_in_split_mode(api, profile):
    make_profile(name="cut", args_mode="split")
    one = post(api, EXECUTE, {**BODY, "profile": "small"}).json()
    assert (one["args"], one["argsMode"], one["jarArgs"]) == ([ARGS], "single", ARGS)
    cut = post(api, EXECUTE, {**BODY, "profile": "cut"}).json()
    assert (cut["args"], cut["argsMode"]) == (["--date", "20240101", "--table", "splio.active"], "split")


def test_jar_args_as_a_list_is_passed_as_it_is(api, profile):
    shown = post(api, EXECUTE, {"jarPath": JAR, "jarArgs": ["--a b", "", "c"]}).json()
    assert (shown["args"], shown["argsMode"]) == (["--a b", "", "c"], "list")
    assert json.loads(shown["jarArgs"]) == ["--a b", "", "c"]


@pytest.mark.parametrize("body", [{"jarPath": JAR}, {"jarPath": JAR, "jarArgs": ""}, {"jarPath": JAR, "jarArgs": []}])
def test_no_jar_args_sends_no_args(api, profile, body):
    assert "args" not in post(api, EXECUTE, body).json()["payload"]


def test_without_profile_the_one_kept_by_env_is_taken(api, profile):
    make_profile(name="env", managed_by_env=True)
    assert post(api, EXECUTE, BODY).json()["profile"] == "env"


def test_without_profile_the_only_usable_one_is_taken(api, profile):
    make_profile(name="off", enabled=False)
    make_profile(name="theirs", groups=["Others"])
    make_profile(name="old", gateway=make_gateway(follow_only=True))
    assert post(api, EXECUTE, BODY).json()["profile"] == "small"


def test_without_profile_and_with_several_it_has_to_be_named(api, profile):
    make_profile(name="large")
    assert_problem(post(api, EXECUTE, BODY), 400, code="required", field="profile")
    assert not Recovery.objects.exists()


def test_create_takes_livys_fields_over_the_profiles(api, profile):
    over = {
        "className": "com.example.Main",
        "queue": "root.other",
        "proxyUser": "someone",
        "driverMemory": "1g",
        "driverCores": 1,
        "executorMemory": "2g",
        "executorCores": 3,
        "numExecutors": 5,
        "jars": ["hdfs:///a.jar"],
        "files": ["hdfs:///a.txt#b"],
        "pyFiles": ["hdfs:///a.py"],
        "archives": ["hdfs:///a.zip"],
        "conf": {"spark.a": "x", "spark.b": 2, "spark.c": True, "spark.d": 0.5},
    }
    response = post(api, CREATE, {**BODY, **over})
    assert response.status_code == 202, response.content
    shown = response.json()
    text = {"spark.a": "x", "spark.b": "2", "spark.c": "true", "spark.d": "0.5"}
    assert shown["payload"] == {"file": JAR, "args": [ARGS], **over, "conf": text}
    assert shown["askedProxyUser"] == "someone"
    assert response["Location"] == f"/api/v1/recoveries/{shown['id']}/"


def test_never_restart_in_yarn_outlives_another_conf(api):
    make_profile(name="once", never_restart_in_yarn=True)
    shown = post(api, CREATE, {**BODY, "conf": {"spark.a": "x"}}).json()
    assert shown["payload"]["conf"] == {"spark.a": "x", "spark.yarn.maxAppAttempts": "1"}


def test_execute_jar_takes_the_guides_body_only(api, profile):
    assert_problem(post(api, EXECUTE, {**BODY, "queue": "q"}), 400, code="unknown_field", field="queue")


@pytest.mark.parametrize("args", [ARGS, ["--a", "b c"], "é « ü »"])
def test_preview_is_row_is_hash_and_stores_nothing(api, profile, args):
    body = {**BODY, "jarArgs": args, "conf": {"spark.yarn.tags": "mine"}}
    shown = post(api, PREVIEW, body)
    assert shown.status_code == 200
    assert not Recovery.objects.exists()
    assert not RecoveryEvent.objects.exists()
    preview = shown.json()
    filed = post(api, CREATE, body).json()
    row = Recovery.objects.get()
    assert preview["payload"] == filed["payload"] == json.loads(row.payload)
    assert preview["payloadSha256"] == filed["payloadSha256"] == row.payload_sha256
    assert preview["payloadSha256"] == hashlib.sha256(row.payload.encode()).hexdigest()
    assert canonical(preview["payload"]) == row.payload
    assert preview["sentPayload"].replace("…", row.batch_name) == row.sent_payload
    assert filed["sentPayload"] == json.loads(row.sent_payload)
    assert (preview["args"], preview["argsMode"]) == (filed["args"], filed["argsMode"])


def test_preview_refuses_what_filing_refuses(api, profile):
    body = {**BODY, "jarPath": "recovery.jar", "driverMemory": "512"}
    errors = assert_problem(post(api, PREVIEW, body), 400)["errors"]
    assert errors == assert_problem(post(api, CREATE, body), 400)["errors"]
    assert set(errors) == {"jarPath", "driverMemory"}


def test_a_token_is_kept_on_the_row(steward, profile):
    shown = post(token_client(steward), EXECUTE, BODY)
    assert shown.status_code == 202
    row = Recovery.objects.get()
    assert row.token is not None
    assert row.token.user == steward


def test_labels_are_in_the_language_of_the_request(profile):
    user = make_user(groups=["Stewards"])
    location = post(client_of(user), EXECUTE, BODY)["Location"]
    for language in ("en", "fr"):
        response = client_of(user, language=language).get(location)
        assert response["Content-Language"] == language
