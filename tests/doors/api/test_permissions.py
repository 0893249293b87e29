"""Who may do what: each group by each verb, sessions with CSRF, and nobody."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from recovery.domain.states import State
from recovery.models import Recovery
from recovery.services import duplicates
from tests.doors.api.conftest import BODY, CREATE, EXECUTE, PREVIEW, assert_problem, client_of, post
from tests.factories import make_profile, make_recovery, make_user

pytestmark = pytest.mark.django_db

READS = [
    "/api/v1/recoveries/",
    "/api/v1/recoveries/{id}/",
    "/api/v1/recoveries/{id}/events/",
    "/api/v1/recoveries/{id}/log/",
    "/api/v1/profiles/",
    "/api/v1/profiles/small/",
    "/api/v1/gateways/",
    "/api/v1/statistics/",
]
SETTLE = {"settledAs": "failed", "reason": "looked at the table"}
BODIES = {"settle": SETTLE, "acknowledge": {"reason": "the second one was stopped"}}
WRITES = [EXECUTE, CREATE, PREVIEW, "resubmit", "cancel own", "cancel other", "settle", "acknowledge"]
MAY = {
    "Stewards": {EXECUTE, CREATE, PREVIEW, "resubmit", "cancel own"},
    "Operators": set(WRITES),
    "Auditors": set(),
    "": set(),
}


@pytest.mark.parametrize("group", MAY)
@pytest.mark.parametrize("url", READS)
def test_reading_by_group(profile, group, url):
    recovery = make_recovery(profile=profile)
    client = client_of(make_user(groups=[group] if group else []))
    response = client.get(url.format(id=recovery.pk))
    if group:
        assert response.status_code == 200, response.content
    else:
        assert_problem(response, 403, code="permission_denied")


@pytest.mark.parametrize("group", MAY)
@pytest.mark.parametrize("deed", WRITES)
def test_writing_by_group(profile, group, deed):
    user = make_user(groups=[group] if group else [])
    states = {"resubmit": State.FAILED, "settle": State.LOST}
    owner = user if deed == "cancel own" else make_user()
    row = make_recovery(profile=profile, by=owner, state=states.get(deed, State.RUNNING))
    url = deed if deed.startswith("/") else f"/api/v1/recoveries/{row.pk}/{deed.split()[0]}/"
    body = BODY if deed.startswith("/") else BODIES.get(deed)
    if deed == "acknowledge":
        duplicates.raise_alarm(row.pk, cause="yarn", applications=["application_1_1", "application_1_2"])
    before = Recovery.objects.values().get(pk=row.pk)
    response = post(client_of(user), url, body)
    if deed in MAY[group]:
        assert response.status_code in (200, 202), response.content
    else:
        assert_problem(response, 403, code="permission_denied")
        assert Recovery.objects.values().get(pk=row.pk) == before
        assert Recovery.objects.count() == 1


@pytest.mark.parametrize("url", [*READS, "/api/v1/schema/", "/api/v1/docs/"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_nobody_reads(profile, url, language):
    recovery = make_recovery(profile=profile)
    response = client_of(language=language).get(url.format(id=recovery.pk))
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"
    assert_problem(response, 401, code="not_authenticated")


@pytest.mark.parametrize("url", [EXECUTE, CREATE, PREVIEW, "/api/v1/recoveries/1/cancel/"])
def test_nobody_writes(profile, url):
    assert_problem(post(client_of(), url, BODY), 401)
    assert not Recovery.objects.exists()


def test_a_session_needs_its_csrf_token(steward, profile):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(steward)
    assert_problem(post(client, EXECUTE, BODY), 403, code="permission_denied")
    assert not Recovery.objects.exists()


def test_resubmitting_needs_the_right_to_the_profile(api):
    theirs = make_profile(groups=["Others"])
    row = make_recovery(profile=theirs, state=State.FAILED)
    response = post(api, f"/api/v1/recoveries/{row.pk}/resubmit/")
    assert_problem(response, 403, code="profile_forbidden", field="profile")
    assert not row.resubmissions.exists()


def test_a_disabled_profile_launches_nothing_any_more(api, profile):
    row = make_recovery(profile=profile, state=State.FAILED)
    profile.enabled = False
    profile.save()
    assert_problem(post(api, f"/api/v1/recoveries/{row.pk}/resubmit/"), 400, code="unknown_profile")


def test_profiles_are_those_that_one_may_use(api, profile):
    make_profile(name="theirs", groups=["Others"])
    make_profile(name="ours", groups=["Stewards"])
    make_profile(name="off", enabled=False)
    assert [row["name"] for row in api.get("/api/v1/profiles/").json()["results"]] == ["ours", "small"]
    for name in ("theirs", "off", "nowhere"):
        assert_problem(api.get(f"/api/v1/profiles/{name}/"), 404)
