"""Every error is a problem+json: what is not there, not possible, not now."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import pytest
from django.db import InterfaceError, OperationalError
from rest_framework.exceptions import Throttled, ValidationError

from recovery.api.errors import problem_handler
from recovery.api.problems import problem
from recovery.models import Recovery
from tests.doors.api.conftest import BODY, CREATE, EXECUTE, assert_problem, client_of, post
from tests.factories import make_gateway, make_recovery, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("url", ["recoveries/99/", f"recoveries/{10**30}/", "recoveries/99/events/", "profiles/none/"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_is_not_there_is_a_404(steward, url, language):
    response = client_of(steward, language=language).get("/api/v1/" + url)
    assert_problem(response, 404, code="not_found")
    assert response["Content-Language"] == language


@pytest.mark.parametrize("url", ["", "nothing", "recoveries", "recoveries/x/", "recoveries/1", "recovery/execute-jar/"])
@pytest.mark.parametrize("verb", ["get", "post", "put", "delete"])
def test_an_unknown_address_is_a_404_and_no_redirect_that_would_lose_the_body(api, profile, url, verb):
    assert_problem(getattr(api, verb)("/api/v1/" + url, BODY, format="json"), 404)
    assert not Recovery.objects.exists()


def test_details_are_in_the_language_of_the_request(steward):
    details = {
        language: client_of(steward, language=language).get("/api/v1/recoveries/9/").json()["detail"]
        for language in ("en", "fr")
    }
    assert details["en"] != details["fr"]


@pytest.mark.parametrize(
    ("verb", "url"),
    [
        ("get", EXECUTE),
        ("put", CREATE),
        ("delete", CREATE),
        ("delete", "/api/v1/recoveries/1/"),
        ("patch", "/api/v1/recoveries/1/"),
        ("get", "/api/v1/recoveries/1/cancel/"),
        ("post", "/api/v1/profiles/"),
        ("post", "/api/v1/gateways/"),
        ("options", CREATE),
    ],
)
def test_a_verb_that_is_not_possible_is_a_405_that_says_which_are(api, verb, url):
    response = getattr(api, verb)(url)
    assert_problem(response, 405, code="method_not_allowed")
    assert "OPTIONS" not in response["Allow"]


def test_what_cannot_be_answered_is_a_406(api):
    assert_problem(api.get(CREATE, headers={"Accept": "application/xml"}), 406, code="not_acceptable")


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_lost_database_is_a_503_with_retry_after(steward, profile, error, language):
    with patch("recovery.api.execute_jar.file_recovery", side_effect=error("gone")):
        response = post(client_of(steward, language=language), EXECUTE, BODY)
    assert_problem(response, 503, code="database_unavailable")
    assert response["Retry-After"]
    assert not Recovery.objects.exists()


def test_a_database_lost_while_asking_who_it_is_is_a_503_too(db):
    with patch("recovery.api.authentication.find_token", side_effect=OperationalError("gone")):
        assert_problem(client_of(authorization="Token rp_x").get(CREATE), 503)


def test_a_mistake_of_ours_is_not_hidden(api, profile):
    with patch("recovery.api.execute_jar.file_recovery", side_effect=ZeroDivisionError):
        api.raise_request_exception = False
        assert post(api, EXECUTE, BODY).status_code == 500


def _handled(error: Exception) -> Any:
    response = problem_handler(error, {})
    assert response is not None
    return response


def test_the_frameworks_other_errors_are_problems_too():
    body = json.loads(_handled(ValidationError(["no"])).content)
    assert body["errors"] == {"body": ["no"]}
    assert _handled(Throttled(wait=3)).status_code == 429
    assert _handled(ValidationError({"a": ["no"]})).status_code == 400


def test_gateways_are_shown_without_secrets_and_with_their_condition():
    make_gateway(name="a", base_url="https://me:hunter2@knox.example.org/gateway/x", secret_ref="env:TOP_SECRET")
    make_gateway(name="b", condition="tls", paused=True, paused_reason="works", livy_version="0.8.0", follow_only=True)
    response = client_of(make_user(groups=["Auditors"])).get("/api/v1/gateways/")
    text = response.content.decode()
    assert "hunter2" not in text
    assert "TOP_SECRET" not in text
    first, second = response.json()["results"]
    names = """
        name baseUrl condition conditionLabel conditionSince nextTryAt lastSeenAt livyVersion livyRestartedAt
        paused pausedReason followOnly
    """
    assert set(first) == set(names.split())
    assert (first["condition"], first["conditionLabel"], first["livyVersion"]) == (None, None, None)
    assert (second["condition"], second["paused"], second["pausedReason"]) == ("tls", True, "works")
    assert second["conditionLabel"]
    assert second["followOnly"] is True


def test_a_profile_is_shown_in_livys_names(api, profile):
    shown = api.get("/api/v1/profiles/small/").json()
    assert shown["driverMemory"] == "4g"
    assert shown["gateway"] == profile.gateway.name
    assert shown["managedByEnv"] is False
    assert {"name", "description", "version", "argsMode", "enabled", "pyFiles", "conf", "className"} <= set(shown)


def test_head_is_as_get(api, profile):
    row = make_recovery(profile=profile)
    assert api.head(f"/api/v1/recoveries/{row.pk}/").status_code == 200


def test_a_problem_may_have_no_code():
    assert "code" not in json.loads(problem(400, "no").content)
