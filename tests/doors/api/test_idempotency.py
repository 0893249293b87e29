"""H3: filing is once. The same key and content give the same recovery, another content 422."""

from __future__ import annotations

import pytest

from recovery.domain.states import State
from recovery.models import Recovery
from tests.doors.api.conftest import BODY, CREATE, EXECUTE, assert_problem, client_of, post, sentence
from tests.factories import make_recovery, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("url", [EXECUTE, CREATE])
def test_h3_the_same_key_and_content_give_the_same_recovery(api, profile, url):
    first = post(api, url, BODY, Idempotency_Key="k-1")
    again = post(api, url, BODY, Idempotency_Key="k-1")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert first["Location"] == again["Location"]
    assert "Idempotent-Replay" not in first
    assert again["Idempotent-Replay"] == "true"
    assert Recovery.objects.count() == 1


@pytest.mark.parametrize("change", [{"jarArgs": "other"}, {"reason": "other"}, {"queue": "other"}])
def test_h3_the_same_key_with_another_content_is_unprocessable(api, profile, change):
    post(api, CREATE, BODY, Idempotency_Key="k-1")
    response = post(api, CREATE, {**BODY, **change}, Idempotency_Key="k-1")
    body = assert_problem(response, 422, code="filing_key_reused", field="Idempotency-Key")
    assert body["detail"] == sentence("en", "filing_key_reused")
    assert Recovery.objects.count() == 1


def test_h3_keys_are_each_users_own(api, profile):
    other = client_of(make_user(groups=["Stewards"]))
    ids = {post(client, EXECUTE, BODY, Idempotency_Key="k-1").json()["id"] for client in (api, other)}
    assert len(ids) == 2


def test_without_a_key_each_request_is_a_recovery(api, profile):
    assert post(api, EXECUTE, BODY).json()["id"] != post(api, EXECUTE, BODY).json()["id"]


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "é", "a\x7f"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_key_has_a_form(steward, profile, key, language):
    response = post(client_of(steward, language=language), EXECUTE, BODY, Idempotency_Key=key)
    body = assert_problem(response, 400, code="filing_key_form", field="Idempotency-Key")
    assert body["errors"]["Idempotency-Key"] == [sentence(language, "filing_key_form")]
    assert not Recovery.objects.exists()


@pytest.mark.parametrize("key", ["!", "~" * 200, "6c0b0b3e-8f1a-4d53-9d0c-2f6a1f0f7b11"])
def test_keys_that_are_fine(api, profile, key):
    assert post(api, EXECUTE, BODY, Idempotency_Key=key).status_code == 202


def test_h3_a_resubmission_is_once_too(api, profile, steward):
    parent = make_recovery(profile=profile, by=steward, state=State.FAILED)
    url = f"/api/v1/recoveries/{parent.pk}/resubmit/"
    first = post(api, url, {"reason": "again"}, Idempotency_Key="k-2")
    again = post(api, url, {"reason": "again"}, Idempotency_Key="k-2")
    assert first.status_code == again.status_code == 202, again.content
    assert first.json()["id"] == again.json()["id"]
    assert again["Idempotent-Replay"] == "true"
    assert_problem(post(api, url, {"reason": "other"}, Idempotency_Key="k-2"), 422, code="filing_key_reused")
    assert_problem(post(api, url, {"reason": "again"}, Idempotency_Key="k-3"), 409, code="live_child")
    assert parent.resubmissions.count() == 1
