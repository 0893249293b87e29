"""Linking to a batch that is shown first, and alarms that stand until a person has answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from recovery.models import Gateway, Recovery, RecoveryEvent, SubjectType
from recovery.services import duplicates, events
from recovery.services.gateways import open_client
from sandbox import Sandbox
from tests.doors.admin.conftest import Door
from tests.doors.admin.pages import LIST, messages, page, text
from tests.factories import make_gateway, make_profile, make_recovery

APPS = ["application_1_0001", "application_1_0002"]


@pytest.fixture
def livy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setenv("SANDBOX_PASSWORD", "svc-password")
    with Sandbox(post_cost=0.0, retain=100_000) as box:
        yield box


@pytest.fixture
def lost(db: None, livy: Sandbox) -> Recovery:
    gateway = make_gateway(base_url=livy.url, user="svc_portal", secret_ref="env:SANDBOX_PASSWORD")
    recovery = make_recovery(profile=make_profile(gateway=gateway), state="lost", outcome="gone")
    body = {"file": "hdfs:///a.jar", "name": "by-hand", "args": ["--sleep", "1000"]}
    with open_client(gateway) as client:
        client.create(json.dumps(body), name="by-hand", deadline=5)
    return recovery


def typed(**more: str) -> dict[str, str]:
    return {"settledAs": "linked", "batch": "by-hand", "reason": "seen in YARN's list"} | more


def hidden(response: Any) -> dict[str, Any]:
    """What the page's button sends back."""
    return dict(response.context["hidden"]) | {"_link": "1"}


def test_h1_a_batch_is_shown_with_its_name_before_the_link(operator: Client, lost: Recovery) -> None:
    shown = operator.post(page(lost, "settle"), typed())
    assert shown.status_code == 200
    link = shown.context["link"]
    assert link.state in ("starting", "running")
    for word in (">by-hand<", f">{link.state}<", "owner in Livy"):
        assert word in text(shown)
    lost.refresh_from_db()
    assert lost.settled_as == ""
    response = operator.post(page(lost, "settle"), hidden(shown), follow=True)
    assert "Settled." in messages(response)[0]
    lost.refresh_from_db()
    assert (lost.state, lost.settled_as, lost.linked_batch_name, lost.linked_batch_id) == (
        "lost",
        "linked",
        "by-hand",
        0,
    )
    assert lost.settled_by == operator.person  # type: ignore[attr-defined]
    assert "linked to batch 0, “by-hand”" in text(response)
    assert "0 · by-hand" in text(response)
    again = operator.post(page(lost, "settle"), hidden(shown), follow=True)
    assert "cannot be settled" in messages(again)[0]


def test_h1_back_from_the_link_keeps_what_was_typed(operator: Client, lost: Recovery) -> None:
    shown = operator.post(page(lost, "settle"), typed())
    back = {name: value for name, value in hidden(shown).items() if name != "_link"} | {"_edit": "1"}
    response = operator.post(page(lost, "settle"), back)
    assert response.context["form"]["batch"].value() == "by-hand"
    assert "seen in YARN's list" in text(response)


def test_h1_what_was_not_shown_is_not_linked(operator: Client, lost: Recovery) -> None:
    """The button's values are looked at once more; without them it is shown again."""
    shown = operator.post(page(lost, "settle"), typed())
    for spoilt, problem in (
        ({"shownId": "7"}, "not what you were shown"),
        ({"shownName": "other"}, "not what you were"),
    ):
        response = operator.post(page(lost, "settle"), hidden(shown) | spoilt)
        assert problem in response.context["form"].errors["batch"][0]
    assert "link" in operator.post(page(lost, "settle"), hidden(shown) | {"shownId": "x"}).context
    lost.refresh_from_db()
    assert lost.settled_as == ""


def test_h1_a_link_needs_a_batch_that_livy_knows(operator: Client, lost: Recovery, livy: Sandbox) -> None:
    url = page(lost, "settle")
    assert "batch" in operator.post(url, typed(batch="")).context["form"].errors
    assert "x" * 301 in operator.post(url, typed(batch="x" * 301)).context["form"]["batch"].value()
    unknown = operator.post(url, typed(batch="nobody"))
    assert "knows “nobody”" in unknown.context["form"].errors["batch"][0]
    other = make_recovery(batch_name="by-hand-2")
    Recovery.objects.filter(pk=other.pk).update(batch_name="by-hand")
    assert f"no. {other.pk}" in operator.post(url, typed()).context["form"].errors["batch"][0]
    livy.livy_down()
    assert "answers with an error" in operator.post(url, typed()).context["form"].errors["batch"][0]


# ── alarms ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_alarm_stands_above_every_page_until_it_is_acknowledged(operator: Client, door: Door) -> None:
    done = make_recovery(state="succeeded")
    assert "rp-alarm" not in text(operator.get("/admin/"))
    duplicates.raise_alarm(done.pk, cause="late_answer", batch=3, known=1)
    for url in ("/admin/", LIST, page(done), "/admin/recovery/gateway/", "/admin/recovery/recoveryevent/"):
        assert "rp-alarm" in text(operator.get(url)), url
        assert "rp-alarm" not in text(door("Stewards").get(url)), url
    shown = text(operator.get(page(done)))
    assert page(done, "acknowledge") in shown
    assert "A second batch of it was found." in shown
    assert "Nothing to do" not in shown
    empty = operator.post(page(done, "acknowledge"), {"reason": " "})
    assert set(empty.context["form"].errors) == {"reason"}
    response = operator.post(page(done, "acknowledge"), {"reason": "batch 3 was stopped"}, follow=True)
    assert messages(response) == ["The alarm is acknowledged."]
    assert "rp-alarm" not in text(response)
    event = RecoveryEvent.objects.of(SubjectType.RECOVERY, done.pk).last()
    assert event is not None
    assert (event.kind, event.facts) == ("acknowledged", {"reason": "batch 3 was stopped"})
    assert event.actor == operator.person  # type: ignore[attr-defined]
    assert "no alarm" in text(operator.get(page(done, "acknowledge")))
    again = operator.post(page(done, "acknowledge"), {"reason": "x"}, follow=True)
    assert messages(again) == ["There is no alarm to acknowledge."]


def test_settling_ends_the_alarm_too(operator: Client) -> None:
    lost = make_recovery(state="lost", outcome="duplicate")
    duplicates.raise_alarm(lost.pk, cause="yarn", applications=APPS)
    shown = text(operator.get(page(lost)))
    assert page(lost, "settle") in shown
    assert page(lost, "acknowledge") not in shown
    assert "application_1_0001, application_1_0002" in shown
    response = operator.post(page(lost, "settle"), {"settledAs": "failed", "reason": "both stopped"}, follow=True)
    assert "rp-alarm" not in text(response)


def test_many_alarms_are_found_in_the_list(operator: Client) -> None:
    rows = [make_recovery(state="succeeded") for _ in range(7)]
    for row in rows[1:]:
        duplicates.raise_alarm(row.pk, cause="late_answer", batch=3, known=1)
    home = text(operator.get("/admin/"))
    assert "phase=duplicate" in home
    listed = operator.get(f"{LIST}?phase=duplicate").context["cl"].queryset
    assert {row.pk for row in listed} == {row.pk for row in rows[1:]}


# ── what is counted ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_second_launches_avoided_are_counted(operator: Client) -> None:
    row = make_recovery()
    events.of_recovery(row.pk, "adopted", batch=17)
    assert "Second launches avoided: <strong>1</strong>, of these 1" in text(operator.get("/admin/"))
    shown = operator.get(f"/admin/recovery/gateway/{row.gateway_id}/change/")
    assert "econd launches avoided" in text(shown)


def test_a_restart_of_livy_is_shown_on_the_gateways_page(operator: Client) -> None:
    gateway = make_gateway()
    url = f"/admin/recovery/gateway/{gateway.pk}/change/"
    assert "numbers began again" not in text(operator.get(url))
    Gateway.objects.filter(pk=gateway.pk).update(livy_restarted_at="2026-01-02T03:04:05Z")
    events.append(SubjectType.GATEWAY, gateway.pk, "livy_restarted", cause="ids_began_again", looked_for=41, found=0)
    shown = text(operator.get(url))
    assert "its numbers began again (last seen 41, now 0)" in shown
    assert "2026" in shown


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("en", ("answer lost after 20 s; it may have started",
                "found under its name as batch 17, adopted · no second launch")),
        ("fr", ("réponse perdue au bout de 20 s ; il a pu démarrer",
                "retrouvé sous son nom comme batch 17, repris · pas de second lancement")),
    ],
)  # fmt: skip
def test_the_story_says_how_long_and_that_nothing_was_launched_twice(
    door: Door, language: str, lines: tuple[str, ...]
) -> None:
    row = make_recovery()
    events.of_recovery(row.pk, "answer_lost", cause="Ambiguous", after=20)
    events.of_recovery(row.pk, "adopted", batch=17, app="application_1_1")
    client = door("Stewards", language=language)
    shown = text(client.get(page(row)))
    for line in lines:
        assert line in shown
    assert lines[0] in text(door("Auditors", language=language).get("/admin/recovery/recoveryevent/"))
