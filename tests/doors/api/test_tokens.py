"""API tokens: made once, narrowed, ended; and the command that makes one."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from recovery.domain.states import State
from recovery.models import ApiToken, RecoveryEvent, SubjectType
from recovery.services.tokens import READ, create_token, find_token, revoke
from tests.doors.api.conftest import BODY, CREATE, EXECUTE, assert_problem, client_of, post, token_client
from tests.factories import make_profile, make_recovery

pytestmark = pytest.mark.django_db


def _get(raw, url=CREATE, keyword="Token"):
    return client_of(authorization=f"{keyword} {raw}").get(url)


def test_only_the_hash_of_a_token_is_stored(steward, operator):
    row, raw = create_token(user=steward, name="ci", by=operator)
    assert raw.startswith("rp_")
    assert len(raw) > 40
    assert row.prefix == raw[:12]
    assert row.sha256 == hashlib.sha256(raw.encode()).hexdigest()
    assert raw not in str(ApiToken.objects.values().get())
    event = RecoveryEvent.objects.of(SubjectType.TOKEN, row.pk).get()
    assert (event.kind, event.actor, event.facts["user"]) == ("created", operator, "sabine")
    assert raw not in event.data


@pytest.mark.parametrize("keyword", ["Token", "token", "TOKEN"])
def test_a_good_token_is_its_user(steward, keyword):
    _row, raw = create_token(user=steward, name="ci", by=None)
    assert _get(raw, keyword=keyword).status_code == 200


@pytest.mark.parametrize("header", ["Token", "Token a b", "Token rp_nothing", "Token é", "Token " + "x" * 5000])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_token_that_is_none_is_a_401(db, header, language):
    response = client_of(language=language, authorization=header).get(CREATE)
    assert response["WWW-Authenticate"] == "Token"
    assert response["Content-Language"] == language
    assert_problem(response, 401, code="authentication_failed")


def test_another_scheme_is_nobody(db):
    assert_problem(client_of(authorization="Basic YTpi").get(CREATE), 401, code="not_authenticated")


def test_a_revoked_token_is_refused_from_then_on(steward, operator):
    row, raw = create_token(user=steward, name="ci", by=None)
    assert revoke(token=row, by=operator, now=timezone.now())
    assert not revoke(token=row, by=operator, now=timezone.now())
    assert_problem(_get(raw), 401)
    kinds = [event.kind for event in RecoveryEvent.objects.of(SubjectType.TOKEN, row.pk)]
    assert kinds == ["created", "revoked"]


def test_a_token_ends_at_its_time(steward):
    now = timezone.now()
    row, raw = create_token(user=steward, name="ci", by=None, expires_at=now + timedelta(hours=1))
    assert find_token(raw, now=now) == row
    assert find_token(raw, now=now + timedelta(hours=1)) is None
    ApiToken.objects.update(expires_at=now - timedelta(seconds=1))
    assert_problem(_get(raw), 401)


def test_a_token_of_an_inactive_user_is_refused(steward):
    _row, raw = create_token(user=steward, name="ci", by=None)
    steward.is_active = False
    steward.save()
    assert_problem(_get(raw), 401)


def test_its_use_is_written_once_a_minute(steward):
    now = timezone.now()
    _row, raw = create_token(user=steward, name="ci", by=None)
    used = []
    for after in (0, 30, 59, 61, 100, 130):
        find_token(raw, now=now + timedelta(seconds=after))
        used.append((ApiToken.objects.get().last_used_at - now).total_seconds())
    assert used == [0, 0, 0, 61, 61, 130]


def test_a_read_only_token_reads(steward, profile):
    client = token_client(steward, scopes=[READ])
    row = make_recovery(profile=profile, by=steward)
    assert client.get(CREATE).status_code == 200
    for url in (EXECUTE, CREATE, f"/api/v1/recoveries/{row.pk}/cancel/", "/api/v1/recoveries/preview/"):
        assert_problem(post(client, url, BODY), 403, code="permission_denied")
    row.refresh_from_db()
    assert row.state == State.QUEUED


def test_an_unknown_scope_gives_nothing_more(steward, profile):
    assert_problem(post(token_client(steward, scopes=["everything"]), EXECUTE, BODY), 403)


def test_a_token_for_some_profiles_uses_no_other(operator, profile):
    other = make_profile(name="other")
    client = token_client(operator, profiles=[other])
    assert [row["name"] for row in client.get("/api/v1/profiles/").json()["results"]] == ["other"]
    assert post(client, EXECUTE, BODY).json()["profile"] == "other"
    assert_problem(post(client, EXECUTE, {**BODY, "profile": "small"}), 403, code="profile_forbidden")
    deeds = {
        "resubmit": (State.FAILED, None),
        "cancel": (State.RUNNING, None),
        "settle": (State.LOST, {"settledAs": "failed", "reason": "x"}),
    }
    for deed, (state, body) in deeds.items():
        for of, status in ((profile, 403), (other, None)):
            row = make_recovery(profile=of, state=state)
            response = post(client, f"/api/v1/recoveries/{row.pk}/{deed}/", body)
            if status is None:
                assert response.status_code in (200, 202), response.content
            else:
                assert_problem(response, status, code="profile_forbidden")


def _command(*args):
    out, err = StringIO(), StringIO()
    call_command("create_api_token", *args, stdout=out, stderr=err)
    return out.getvalue().strip(), err.getvalue()


def test_the_command_prints_the_token_once(steward, profile):
    raw, told = _command("sabine", "--name", "nightly", "--days", "30", "--profile", "small", "--read-only")
    row = ApiToken.objects.get()
    assert row.sha256 == hashlib.sha256(raw.encode()).hexdigest()
    assert raw not in told
    assert (row.name, row.scopes, list(row.profiles.all())) == ("nightly", [READ], [profile])
    assert timedelta(days=29) < row.expires_at - timezone.now() <= timedelta(days=30)
    assert _get(raw).status_code == 200


def test_the_command_without_options_gives_all_of_the_user(steward, profile):
    raw, _told = _command("sabine")
    row = ApiToken.objects.get()
    assert (row.name, row.scopes, row.expires_at, row.profiles.count()) == ("API", [], None, 0)
    assert post(client_of(authorization=f"Token {raw}"), EXECUTE, BODY).status_code == 202


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["nobody"], "nobody"),
        (["gone"], "not active"),
        (["sabine", "--days", "0"], "--days"),
        (["sabine", "--profile", "nowhere"], "nowhere"),
    ],
)
def test_the_command_says_what_is_wrong(steward, django_user_model, args, words):
    django_user_model.objects.create_user("gone", is_active=False)
    with pytest.raises(CommandError, match=words):
        _command(*args)
    assert not ApiToken.objects.exists()
