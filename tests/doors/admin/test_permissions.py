"""Who may do what, by address too: an address is not a secret."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from recovery.domain.states import State
from recovery.models import Recovery, RecoveryEvent, RecoveryLog
from recovery.services.tokens import create_token
from tests.doors.admin.conftest import Door
from tests.doors.admin.pages import FILE, LIST, page, text
from tests.factories import make_profile, make_recovery, make_user

GROUPS = ("Stewards", "Operators", "Auditors")


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_sees_recoveries_profiles_gateways_events(door: Door, group: str) -> None:
    client, recovery = door(group), make_recovery(state="failed")
    for url in (
        "/admin/",
        LIST,
        page(recovery),
        "/admin/recovery/livyprofile/",
        f"/admin/recovery/livyprofile/{recovery.profile_id}/change/",
        "/admin/recovery/gateway/",
        f"/admin/recovery/gateway/{recovery.gateway_id}/change/",
        f"/admin/recovery/gateway/{recovery.gateway_id}/history/",
        "/admin/recovery/recoveryevent/",
        f"/admin/recovery/recoveryevent/{RecoveryEvent.objects.latest('id').pk}/change/",
    ):
        assert client.get(url).status_code == 200, url


ALLOWED = {
    # (address, method): the groups that get through
    "file": {"Stewards", "Operators"},
    "resubmit": {"Stewards", "Operators"},
    "edit": {"Stewards", "Operators"},
    "cancel theirs": {"Operators"},
    "settle": {"Operators"},
    "acknowledge": {"Operators"},
    "profile add": {"Operators"},
    "profile duplicate": {"Operators"},
    "profile test": {"Operators"},
    "gateway add": {"Operators"},
    "gateway test": {"Operators"},
    "gateway pause": {"Operators"},
    "gateway resume": {"Operators"},
    "tokens": {"Auditors"},
    "token revoke": set(),
    "users": set(),
    "logs": set(),
}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("what", list(ALLOWED))
def test_each_page_by_its_address(door: Door, group: str, what: str) -> None:
    client = door(group)
    ended, running, lost = (make_recovery(state=state) for state in (State.FAILED, State.RUNNING, State.LOST))
    owner = make_user()
    token, _raw = create_token(user=owner, name="t", by=owner)
    profile, gateway = (f"/admin/recovery/{name}" for name in ("livyprofile", "gateway"))
    url = {
        "file": FILE,
        "resubmit": page(ended, "resubmit"),
        "edit": page(ended, "edit"),
        "cancel theirs": page(running, "cancel"),
        "settle": page(lost, "settle"),
        "acknowledge": page(lost, "acknowledge"),
        "profile add": f"{profile}/add/",
        "profile duplicate": f"{profile}/{ended.profile_id}/duplicate/",
        "profile test": f"{profile}/{ended.profile_id}/test/",
        "gateway add": f"{gateway}/add/",
        "gateway test": f"{gateway}/{ended.gateway_id}/test/",
        "gateway pause": f"{gateway}/{ended.gateway_id}/pause/",
        "gateway resume": f"{gateway}/{ended.gateway_id}/resume/",
        "tokens": "/admin/recovery/apitoken/",
        "token revoke": f"/admin/recovery/apitoken/{token.pk}/revoke/",
        "users": "/admin/auth/user/",
        "logs": "/admin/recovery/recoverylog/",
    }[what]
    refused = 404 if what == "logs" else 403
    assert client.get(url).status_code == (200 if group in ALLOWED[what] else refused)
    if group not in ALLOWED[what]:
        before = list(Recovery.objects.values_list("pk", "state", "cancel_requested_at"))
        send = {"reason": "x", "filingKey": "0" * 32, "settledAs": "failed", "name": "copy"}
        assert client.post(url, send).status_code == refused
        assert list(Recovery.objects.values_list("pk", "state", "cancel_requested_at")) == before


def test_stewards_cancel_their_own(steward: Client) -> None:
    mine = make_recovery(by=steward.person, state="running")  # type: ignore[attr-defined]
    assert steward.get(page(mine, "cancel")).status_code == 200


@pytest.mark.parametrize("group", GROUPS)
def test_nothing_in_history_is_changed_or_deleted(door: Door, group: str) -> None:
    """Invariant 5. By a superuser neither."""
    recovery = make_recovery(state="failed")
    RecoveryLog.objects.create(recovery=recovery, output="x")
    event = RecoveryEvent.objects.latest("id")
    for client in (door(group), door(is_superuser=True)):
        for url in (page(recovery), f"/admin/recovery/recoveryevent/{event.pk}/change/"):
            assert client.post(url, {"state": "succeeded", "kind": "x"}).status_code == 403
        for url in (page(recovery, "delete"), f"/admin/recovery/recoveryevent/{event.pk}/delete/"):
            assert client.post(url, {"post": "yes"}).status_code == 403
        assert client.get("/admin/recovery/recoveryevent/add/").status_code == 403
        for listing in (LIST, "/admin/recovery/recoveryevent/"):
            assert "delete_selected" not in text(client.get(listing))
            client.post(listing, {"action": "delete_selected", "_selected_action": [str(recovery.pk)], "post": "yes"})
    assert Recovery.objects.get(pk=recovery.pk).state == "failed"
    assert RecoveryEvent.objects.filter(pk=event.pk).exists()


@pytest.mark.parametrize("name", ["livyprofile", "gateway", "apitoken"])
def test_configuration_is_never_deleted(door: Door, name: str) -> None:
    profile = make_profile()
    owner = make_user()
    pk = {
        "livyprofile": profile.pk,
        "gateway": profile.gateway_id,
        "apitoken": create_token(user=owner, name="t", by=owner)[0].pk,
    }[name]
    admin = door(is_superuser=True)
    url = reverse(f"admin:recovery_{name}_delete", args=[pk])
    assert admin.get(url).status_code == 403
    assert admin.post(url, {"post": "yes"}).status_code == 403


def test_auditors_have_no_buttons_and_change_nothing(auditor: Client) -> None:
    recovery = make_recovery(state="failed")
    shown = auditor.get(page(recovery))
    assert shown.context["buttons"] == []
    assert FILE not in text(auditor.get("/admin/"))
    assert "resubmit_selected" not in text(auditor.get(LIST))
    send = {"action": "resubmit_selected", "_selected_action": [str(recovery.pk)], "confirmed": "1"}
    auditor.post(LIST, send)
    assert Recovery.objects.count() == 1
    for url in (
        f"/admin/recovery/livyprofile/{recovery.profile_id}/change/",
        f"/admin/recovery/gateway/{recovery.gateway_id}/change/",
    ):
        assert auditor.post(url, {"name": "x"}).status_code == 403


def test_strangers_are_sent_to_the_door(client: Client, db: None) -> None:
    for url in ("/admin/", LIST, FILE, "/admin/recovery/recovery/1/cancel/"):
        assert client.get(url)["Location"].startswith("/admin/login/")
    plain = make_user()
    client.force_login(plain)
    assert client.get(FILE).status_code == 302


def test_signing_in_leads_home(client: Client, db: None) -> None:
    user = make_user(is_staff=True)
    send = {"username": user.username, "password": f"secret-{user.username}"}
    assert client.post("/admin/login/", send)["Location"] == "/admin/"


def test_the_language_is_chosen_on_every_page(steward: Client) -> None:
    assert 'name="language" value="fr"' in text(steward.get(FILE))
    steward.post("/i18n/setlang/", {"language": "fr", "next": FILE})
    assert "Faire un rattrapage" in text(steward.get(FILE))


def test_no_page_asks_anything_of_another_host(operator: Client) -> None:
    recovery = make_recovery(state="failed")
    for url in ("/admin/", LIST, FILE, page(recovery)):
        shown = text(operator.get(url))
        assert 'src="http' not in shown
        assert '<link href="http' not in shown
