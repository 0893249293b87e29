"""The preflight through the API: shown by the preview, kept on the recovery; red stops, but for the guide's door."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from recovery.domain.states import State
from recovery.models import LivyProfile, Recovery
from sandbox import Sandbox
from tests.doors.api.conftest import BODY, CREATE, EXECUTE, PREVIEW, assert_problem, client_of, post
from tests.factories import make_gateway, make_profile, make_recovery, make_user

pytestmark = pytest.mark.django_db
MISSING = {**BODY, "jarPath": "hdfs:///nope.jar"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(post_cost=0.0, speed=50.0) as box:
        yield box


@pytest.fixture
def profile(sandbox: Sandbox, db: None, monkeypatch: pytest.MonkeyPatch) -> LivyProfile:
    monkeypatch.setenv("SANDBOX_PASSWORD", "svc-password")
    reference = {"user": "svc_portal", "secret_ref": "env:SANDBOX_PASSWORD"}
    return make_profile(gateway=make_gateway(base_url=sandbox.url, webhdfs_path="webhdfs/v1", **reference))


def lights(seen: dict[str, Any], light: str) -> set[str]:
    return {check["check"] for check in seen["checks"] if check["light"] == light}


def test_the_preview_looks_and_stores_nothing(api, profile):
    seen = post(api, PREVIEW, BODY).json()["preflight"]
    assert seen["light"] == "green"
    assert {"gateway_ok", "file_ok", "home_ok"} <= lights(seen, "green")
    jar = next(check for check in seen["checks"] if check["check"] == "file_ok")
    assert jar["text"].startswith("recovery.jar is there and may be read (6.1")
    assert (jar["subject"], jar["params"]["length"]) == (BODY["jarPath"], 6226)
    assert lights(post(api, PREVIEW, MISSING).json()["preflight"], "red") == {"file_missing"}
    assert not Recovery.objects.exists()


def test_sentences_are_in_the_language_of_the_request(api, profile):
    english, french = (
        post(client_of(make_user(groups=["Stewards"]), language=language), PREVIEW, MISSING).json()["preflight"]
        for language in ("en", "fr")
    )
    texts = [{check["check"]: check["text"] for check in seen["checks"]} for seen in (english, french)]
    assert texts[0]["file_missing"] == "nope.jar does not exist. Check the path, or have the file put there."
    assert texts[1]["file_missing"] != texts[0]["file_missing"]


def test_what_was_seen_is_kept_on_the_recovery_and_not_in_lists(api, profile):
    filed = post(api, CREATE, BODY)
    assert filed.status_code == 202
    assert filed.json()["preflight"]["light"] == "green"
    assert api.get(filed["Location"]).json()["preflight"] == filed.json()["preflight"]
    assert api.get(CREATE).json()["results"][0]["preflight"] is None


def test_red_stops_whatever_is_confirmed(api, profile):
    for confirm in ({}, {"confirm": True}, {"confirm": False}):
        body = assert_problem(post(api, CREATE, MISSING | confirm), 422, code="preflight_red", field="preflight")
        assert body["errors"]["preflight"] == [
            "Not filed: nope.jar does not exist. Check the path, or have the file put there."
        ]
    assert not Recovery.objects.exists()


def test_amber_is_noted_unless_the_caller_wants_to_be_stopped(api, profile):
    first = make_recovery(profile=profile, state=State.SUCCEEDED)
    body = assert_problem(post(api, CREATE, {**BODY, "confirm": False}), 422, code="preflight_amber")
    assert f"no. {first.pk}" in body["detail"]
    shown = post(api, CREATE, BODY).json()
    assert lights(shown["preflight"], "amber") == {"same_done"}
    shown = post(api, CREATE, {**BODY, "confirm": True}).json()
    assert lights(shown["preflight"], "amber") == {"same_live"}


def test_confirm_is_true_or_false(api, profile):
    assert_problem(post(api, CREATE, {**BODY, "confirm": "yes"}), 400, code="wrong_type", field="confirm")


def test_the_guides_door_records_and_never_blocks(api, profile):
    shown = post(api, EXECUTE, MISSING)
    assert shown.status_code == 202
    assert lights(shown.json()["preflight"], "red") == {"file_missing"}
    assert_problem(post(api, EXECUTE, {**BODY, "confirm": True}), 400, code="unknown_field", field="confirm")


def test_an_ill_gateway_blocks_no_door(api, profile, monkeypatch):
    monkeypatch.setenv("SANDBOX_PASSWORD", "wrong")
    for url in (EXECUTE, CREATE):
        shown = post(api, url, BODY)
        assert shown.status_code == 202
        assert "gateway_ill" in lights(shown.json()["preflight"], "amber")


def test_a_recovery_from_before_shows_none(api, profile):
    row = make_recovery(profile=profile)
    assert api.get(f"{CREATE}{row.pk}/").json()["preflight"] is None


def test_a_repetition_asks_nobody(api, profile, sandbox):
    first = post(api, CREATE, BODY, Idempotency_Key="k")
    sandbox.hdfs.nodes.clear()
    again = post(api, CREATE, BODY, Idempotency_Key="k")
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])


def test_values_over_the_profiles_are_for_those_who_may(profile):
    user = make_user()
    names = ["file_recovery", "view_recovery", "resubmit_recovery"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = client_of(user)
    ended = make_recovery(profile=profile, state=State.FAILED)
    more = {**BODY, "executorMemory": "8g", "conf": {"spark.a": "b"}}
    for url in (CREATE, PREVIEW, f"{CREATE}{ended.pk}/resubmit/"):
        body = assert_problem(post(client, url, more), 403, code="override_forbidden", field="executorMemory")
        assert set(body["errors"]) == {"executorMemory", "conf"}
    assert post(client, CREATE, BODY).status_code == 202
