"""The list, the page, and what is done from them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recovery.admin.sheet import of_resubmission
from recovery.domain.payload import Payload
from recovery.domain.preflight import Light
from recovery.domain.states import TERMINAL, State
from recovery.domain.verdicts import Outcome
from recovery.models import LivyProfile, Recovery, RecoveryEvent, RecoveryLog, SubjectType
from recovery.services import events
from recovery.services.preflight import preflight
from tests.doors.admin.conftest import Door
from tests.doors.admin.pages import LIST, filed, messages, page, previewed, text, to_be_confirmed, typed
from tests.factories import ARGS, make_gateway, make_profile, make_recovery, make_user

MAX_LIST_QUERIES = 12
MAX_HOME_QUERIES = 15
MAX_PAGE_QUERIES = 20


def found(client: Client, **query: Any) -> set[int]:
    """The numbers on the list."""
    response = client.get(LIST, query)
    assert response.status_code == 200, response
    return {row.pk for row in response.context["cl"].result_list}


# ── list ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_filters_and_search_find_what_they_say(steward: Client) -> None:
    me, profile, other = steward.person, make_profile(), make_profile()  # type: ignore[attr-defined]
    ok = make_recovery(profile=profile, by=me, state="succeeded", outcome="success", app_id="application_1_7")
    bad = make_recovery(profile=other, state="failed", outcome="job_failed", reason="ticket DATA-9")
    runs = make_recovery(profile=profile, state="running", jar_path="hdfs:///user/x/special.jar")
    lost = make_recovery(profile=profile, state="lost")
    again = make_recovery(profile=profile, state="failed")
    make_recovery(profile=profile, state="succeeded", resubmission_of=again, jar_args="--date 20240101 --again")
    everything = {r.pk for r in Recovery.objects.all()}
    assert found(steward) == everything
    assert found(steward, state__exact=["failed", "running"]) == {bad.pk, runs.pk, again.pk}
    assert found(steward, phase="live") == {runs.pk}
    assert found(steward, phase="ended") == everything - {runs.pk}
    assert found(steward, phase="attention") == {bad.pk, lost.pk}
    assert found(steward, profile__id__exact=other.pk) == {bad.pk}
    assert found(steward, gateway__id__exact=other.gateway_id) == {bad.pk}
    assert found(steward, requester="me") == {ok.pk}
    assert found(steward, requester=str(bad.requester_id)) == {bad.pk}
    assert found(steward, requester="x") == set()
    assert found(steward, outcome__exact="job_failed") == {bad.pk}
    assert found(steward, q="DATA-9") == {bad.pk}
    assert found(steward, q="special.jar") == {runs.pk}
    assert found(steward, q="application_1_7") == {ok.pk}
    assert found(steward, q=str(bad.pk)) == {bad.pk}
    assert found(steward, q=f"#{bad.pk}") == {bad.pk}
    assert found(steward, q="20240101") == everything, "a date in the arguments is no number of a recovery"
    assert found(steward, q=lost.batch_name) == {lost.pk}
    assert found(steward, q=other.name) == {bad.pk}
    assert found(steward, q=other.gateway.name) == {bad.pk}
    Recovery.objects.filter(pk=bad.pk).update(livy_id=runs.pk)
    assert found(steward, q=str(runs.pk)) == {runs.pk, bad.pk}, "the number of a recovery, or of its batch"


def test_the_filter_of_days_takes_whole_days(steward: Client) -> None:
    recovery = make_recovery(state="succeeded")
    today = timezone.localtime(recovery.created_at).date()
    day, before = today.isoformat(), (today - timedelta(days=1)).isoformat()
    assert found(steward, created_at_from=day, created_at_to=day) == {recovery.pk}
    assert found(steward, created_at_to=before) == set()
    assert found(steward, created_at_from="no date") == {recovery.pk}
    french = today.strftime("%d/%m/%Y")
    steward.cookies["django_language"] = "fr"
    assert found(steward, created_at_from=french) == {recovery.pk}


@pytest.mark.parametrize("group", ["Stewards", "Operators", "Auditors"])
def test_the_list_says_states_in_words_and_needs_few_queries_whatever_its_length(door: Door, group: str) -> None:
    """An operator's has one more: of second batches that somebody has to look at."""
    profile, by, steward = make_profile(), make_user(), door(group)
    counts = []
    for _round in range(2):
        for state in State:
            make_recovery(profile=profile, by=by, state=state)
        with CaptureQueriesContext(connection) as queries:
            shown = text(steward.get(LIST))
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[1] <= MAX_LIST_QUERIES
    for words in ("awaiting approval", "queued", "unconfirmed", "succeeded", "to be checked", "refused"):
        assert f"</span>{words}</span>" in shown


def test_a_filtered_list_says_how_to_keep_it(auditor: Client) -> None:
    hint = "bookmark it to keep this view"
    assert hint not in text(auditor.get(LIST))
    assert hint in text(auditor.get(LIST, {"phase": "ended"}))
    assert hint in text(auditor.get(LIST, {"q": "splio"}))


def test_home_shows_what_needs_someone_and_needs_few_queries(operator: Client) -> None:
    profile = make_profile()
    for state in State:
        make_recovery(profile=profile, state=state)
    with CaptureQueriesContext(connection) as queries:
        response = operator.get("/admin/")
    assert len(queries) <= MAX_HOME_QUERIES
    counts = {str(tile["text"]): tile["count"] for tile in response.context["attention"]}
    assert counts == {"failed": 1, "refused": 1, "to be checked": 1, "awaiting approval": 1, "cancelled": 1}
    assert len(response.context["running"]) == 6
    assert len(response.context["last"]) == 5
    assert "/admin/recovery/recovery/file/" in text(response)
    for tile in response.context["attention"]:
        assert len(operator.get(tile["url"]).context["cl"].result_list) == 1


def test_home_without_permissions_says_whom_to_ask(door: Door) -> None:
    shown = text(door().get("/admin/"))
    assert "Ask an administrator" in shown
    assert "Run a recovery" not in shown


# ── page ────────────────────────────────────────────────────────────────────────────────────────────────────────────

ENDS: dict[State, str] = {
    State.SUCCEEDED: Outcome.SUCCESS,
    State.FAILED: Outcome.JOB_FAILED,
    State.CANCELLED: Outcome.CANCELLED_UNVERIFIED,
    State.REFUSED: Outcome.REFUSED_BY_SERVER,
    State.LOST: Outcome.LIVY_LOST_SIGHT,
}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize(("language", "next_words"), [("en", "What next:"), ("fr", "Et maintenant\N{NO-BREAK SPACE}:")])
def test_the_page_of_each_state(door: Door, state: State, language: str, next_words: str) -> None:
    recovery = make_recovery(
        state=state, livy_id=0, tries=1, started_at=timezone.now(), seen_at=timezone.now(),
        outcome=ENDS.get(state, ""), outcome_words="the server's words", proxy_user="svc",
        spark_ui_url="https://rm/proxy/1/", driver_log_url="javascript:alert(1)",
    )  # fmt: skip
    client = door("Operators", language=language)
    with CaptureQueriesContext(connection) as queries:
        shown = text(client.get(page(recovery)))
    assert len(queries) <= MAX_PAGE_QUERIES
    assert next_words in shown
    assert recovery.batch_name in shown
    assert recovery.payload_sha256 in shown
    assert "the server's words" in shown
    assert "https://rm/proxy/1/" in shown
    assert "javascript:" not in shown
    assert "Europe/Paris" in shown or "UTC" in shown
    buttons = {button["url"].split("/")[-2] for button in _buttons(door, recovery)}
    wanted = {"edit", "resubmit"} if state in TERMINAL else {"cancel"}
    assert buttons == wanted | ({"settle"} if state is State.LOST else set())


def _buttons(door: Door, recovery: Recovery) -> list[dict[str, str]]:
    return door("Operators").get(page(recovery)).context["buttons"]


def test_the_page_tells_a_long_story(operator: Client) -> None:
    gateway = make_gateway(yarn_path="yarn")
    parent = make_recovery(profile=make_profile(gateway=gateway), state="failed")
    recovery = make_recovery(
        profile=parent.profile, state="cancelled", outcome="cancelled_before_start", resubmission_of=parent
    )
    child = make_recovery(profile=parent.profile, resubmission_of=recovery)
    events.of_recovery(recovery.pk, "started", cause="credentials", batch=0, words="ok", to="running", odd=[1, 2])
    events.of_recovery(recovery.pk, "something_new", cause="strange")
    RecoveryLog.objects.create(
        recovery=recovery, output="\n".join(["line <script>alert(1)</script>"] * 6000), diagnostics="<b>bold</b>",
        withheld=True, final=True, read_at=timezone.now(),
    )  # fmt: skip
    response = operator.get(page(recovery))
    shown = text(response)
    assert page(parent) in shown
    assert page(child) in shown
    assert "Nothing to do: nothing was started." in shown
    for words in (
        "Livy accepted it as batch 0", "refuses our credentials", "state: running", "odd: 1, 2", "something_new",
        "strange", "1000 earlier lines", "Livy withholds this log", "YARN cluster mode",
    ):  # fmt: skip
        assert words in shown, words
    assert b"<script>alert" not in response.content
    assert b"<b>bold" not in response.content


def test_other_words_of_what_next(operator: Client) -> None:
    now = timezone.now()
    settled = make_recovery(state="lost", settled_as="succeeded", settled_reason="seen in the table", settled_at=now)
    asked = make_recovery(state="running", cancel_requested_at=now)
    taken = make_recovery(state="unconfirmed", hold="name_taken")
    plain = make_recovery(state="running", proxy_user="", asked_proxy_user="")
    assert "a person has decided" in text(operator.get(page(settled)))
    assert "seen in the table" in text(operator.get(page(settled)))
    assert "the cancel was asked for" in text(operator.get(page(asked)))
    assert "An operator has to look" in text(operator.get(page(taken)))
    assert "No log has been read yet." in text(operator.get(page(plain)))


def test_a_page_that_is_not_there(operator: Client) -> None:
    assert operator.get(f"{LIST}999/change/").status_code == 404
    assert operator.get(f"{LIST}x/change/").status_code == 302


# ── resubmit ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_resubmit_as_it_was_sends_the_frozen_payload_once(steward: Client) -> None:
    """H2, H3: the profile of today changes nothing."""
    recovery = make_recovery(state="failed", reason="first")
    recovery.profile.executor_memory = "9g"
    recovery.profile.version = 2
    recovery.profile.save()
    asked = steward.get(page(recovery, "resubmit"))
    assert ARGS in text(asked)
    assert "today: version 2" in text(asked)
    send = {name: asked.context["form"][name].value() for name in ("filingKey", "previewed")} | {"reason": "once more"}
    unread = steward.post(page(recovery, "resubmit"), send)
    assert "Tick what you confirm, then run it" in text(unread)
    assert not recovery.resubmissions.exists()
    send |= {"confirm": to_be_confirmed(unread)}
    first = steward.post(page(recovery, "resubmit"), send)
    second = steward.post(page(recovery, "resubmit"), send)
    assert first["Location"] == second["Location"]
    child = recovery.resubmissions.get()
    assert (child.payload, child.reason, child.attempt) == (recovery.payload, "once more", 2)
    used = steward.post(page(recovery, "resubmit"), send | {"reason": "other"}, follow=True)
    assert any("Nothing was filed" in message for message in messages(used))
    assert recovery.resubmissions.count() == 1


def test_a_resubmission_that_is_edited_is_looked_at_like_any_other(steward: Client) -> None:
    recovery = make_recovery(state="failed", reason="first")
    url = page(recovery, "edit")
    data = typed(recovery.profile, jarArgs="--date 20240102")
    response, send = previewed(steward, url, data)
    assert send["confirm"], "the proxy user that Knox may replace"
    refused = steward.post(url, send | {"confirm": []})
    assert "Tick what you confirm, then run it" in text(refused)
    assert not recovery.resubmissions.exists()
    steward.post(url, send)
    child = recovery.resubmissions.get()
    assert json.loads(child.preflight)["confirmed"] == send["confirm"]
    assert response.context["lights"].blocks is False


def test_many_are_resubmitted_with_a_reason_that_names_its_ticket(
    steward: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "REASON_PATTERN", "DATA-[0-9]+")
    old = make_recovery(state="failed", reason="no ticket", jar_args="--date 20240101")
    new = make_recovery(state="failed", reason="DATA-1", jar_args="--date 20240102")
    chosen = {"action": "resubmit_selected", ACTION_CHECKBOX_NAME: [old.pk, new.pk]}
    shown = steward.post(LIST, chosen)
    assert shown.context["possible"] == 1
    for row in (old, new):
        chosen |= remarks(row)
    steward.post(LIST, chosen | {"confirmed": "1", "key": "a" * 32})
    assert (old.resubmissions.count(), new.resubmissions.count()) == (0, 1)
    steward.post(LIST, chosen | {"confirmed": "1", "key": "c" * 32, "reason": "no ticket either"})
    assert old.resubmissions.count() == 0
    steward.post(LIST, chosen | {"confirmed": "1", "key": "b" * 32, "reason": "DATA-2"})
    assert old.resubmissions.get().reason == "DATA-2"


def test_what_cannot_be_resubmitted_says_why(steward: Client) -> None:
    running = make_recovery(state="running")
    lost = make_recovery(state="lost")
    assert "has ended can be resubmitted" in text(steward.get(page(running, "resubmit")))
    assert "An operator settles it" in text(steward.get(page(lost, "resubmit")))
    response = steward.post(page(lost, "resubmit"), {"reason": "x", "filingKey": "0" * 32})
    assert "An operator settles it" in text(response)
    closed = make_recovery(state="failed")
    closed.profile.enabled = False
    closed.profile.save()
    assert "is disabled, not open to you" in text(steward.get(page(closed, "resubmit")))
    assert "Choose another one" in text(steward.get(page(closed, "edit")))
    response = steward.post(page(closed, "resubmit"), {"reason": "x", "filingKey": "1" * 32})
    assert "is disabled, not open to you" in text(response)
    assert Recovery.objects.count() == 3


def test_what_has_moved_since_the_page_was_shown_is_not_sent(steward: Client) -> None:
    """A profile moved to another gateway: said on both pages, and what was shown before it moved is not sent."""
    one, many = (make_recovery(state="failed", reason="r", jar_args=f"--date {n}") for n in (1, 2))
    shown = steward.get(page(one, "resubmit")).context["form"]
    send = {name: shown[name].value() for name in ("reason", "filingKey", "previewed")}
    asked = steward.post(LIST, chosen("resubmit_selected", many))
    row = asked.context["rows"][0]
    send_many = chosen(
        "resubmit_selected", many, confirmed="1", key=asked.context["key"], back=f"{LIST}?phase=attention"
    )
    send_many |= remarks(many)
    assert row.moved == []
    elsewhere = make_gateway(name="elsewhere")
    LivyProfile.objects.filter(pk__in=[one.profile_id, many.profile_id]).update(gateway=elsewhere)
    told = messages(steward.post(page(one, "resubmit"), send, follow=True))
    assert told == ["What would be sent has changed since you looked: please check it once more."]
    answer = steward.post(LIST, send_many)
    assert answer["Location"] == f"{LIST}?phase=attention"
    assert "What would be sent has changed" in messages(steward.get(LIST))[0]
    assert Recovery.objects.count() == 2
    asked = steward.post(LIST, chosen("resubmit_selected", many))
    assert asked.context["rows"][0].moved == [("gateway", many.gateway.name, "elsewhere")]
    assert f"gateway: {many.gateway.name} then, elsewhere now" in text(asked)
    many = Recovery.objects.for_list().get(pk=many.pk)
    send_many |= {"key": "b" * 32} | remarks(many)
    answer = steward.post(LIST, send_many, follow=True)
    child = many.resubmissions.get()
    assert child.gateway == elsewhere
    assert f'href="{page(child, "change")}">{child.pk}</a>' in messages(answer)[0]


def test_the_way_back_from_many_leads_to_the_list_and_nowhere_else(steward: Client) -> None:
    recovery = make_recovery(state="failed", reason="r")
    for back in ("https://example.org/", "//example.org", "/admin/logout/", ""):
        send = chosen("resubmit_selected", recovery, confirmed="1", key="a" * 32, back=back)
        assert steward.post(LIST, send)["Location"] == LIST


def edited(client: Client, recovery: Recovery, **changes: Any) -> dict[str, Any]:
    """The edit form as it is shown, with changes."""
    form = client.get(page(recovery, "edit")).context["form"]
    shown = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    return {name: value for name, value in (shown | changes).items() if value is not False}


def test_edit_shows_what_differs_and_keeps_the_rest_as_it_was(steward: Client) -> None:
    profile = make_profile(args_mode="split", conf={"spark.a": "1"})
    recovery = make_recovery(profile=profile, state="failed", reason="first")
    profile.executor_memory, profile.version = "9g", 2
    profile.save()
    data = edited(steward, recovery, jarArgs="--date 20240102 --table splio.active")
    shown, _send = previewed(steward, page(recovery, "edit"), data)
    rows = {row[0]: row[1:] for row in shown.context["rows"]}
    assert set(rows) == {"args", "executorMemory"}
    assert rows["executorMemory"] == ("4g", "9g", "4g"), "then, in the profile today, now"
    assert "20240102" in text(shown)
    child = filed(steward, page(recovery, "edit"), data)
    assert child.resubmission_of == recovery
    assert child.payload_json["executorMemory"] == "4g"
    assert child.args == ["--date", "20240102", "--table", "splio.active"]


def test_edit_with_the_values_of_today_or_another_profile(steward: Client) -> None:
    profile = make_profile()
    recovery = make_recovery(profile=profile, state="refused", reason="first")
    profile.executor_memory, profile.version = "9g", 2
    profile.save()
    today, _send = previewed(steward, page(recovery, "edit"), edited(steward, recovery, todaysValues="on"))
    assert today.context["rows"] == [("executorMemory", "4g", "9g", "9g")]
    other = make_profile(conf={"spark.b": "2"}, files=["hdfs:///f", "hdfs:///g"])
    data = edited(steward, recovery, profile=other.name)
    rows = {row[0]: row[1:] for row in previewed(steward, page(recovery, "edit"), data)[0].context["rows"]}
    assert rows["profile"] == (profile.name, "", other.name)
    assert rows["gateway"] == (profile.gateway.name, "", other.gateway.name)
    assert rows["conf"] == ("–", "spark.b = 2", "spark.b = 2")
    assert rows["files"] == ("–", "hdfs:///f\nhdfs:///g", "hdfs:///f\nhdfs:///g")
    child = filed(steward, page(recovery, "edit"), data)
    assert child.profile == other


def test_edit_without_a_change_is_as_it_was_and_twice_is_once(steward: Client) -> None:
    recovery = make_recovery(state="failed", reason="first")
    shown, send = previewed(steward, page(recovery, "edit"), edited(steward, recovery))
    assert "Nothing: it is sent as it was then" in text(shown)
    first = steward.post(page(recovery, "edit"), send)
    assert steward.post(page(recovery, "edit"), send)["Location"] == first["Location"]
    assert recovery.resubmissions.get().payload == recovery.payload
    again = steward.post(page(recovery, "edit"), edited(steward, recovery) | {"_preview": "1"})
    assert "was resubmitted already" in again.context["form"].non_field_errors()[0]


def test_a_list_of_arguments_stays_a_list(steward: Client) -> None:
    recovery = make_recovery(state="failed", jar_args=["a b", "c"], reason="first")
    assert filed(steward, page(recovery, "edit"), edited(steward, recovery)).args == ["a b", "c"]
    Recovery.objects.exclude(pk=recovery.pk).update(state="failed", finished_at=timezone.now())
    data = edited(steward, recovery, jarArgs='["a b", "d"]')
    assert filed(steward, page(recovery, "edit"), data).args == ["a b", "d"]
    wrong = steward.post(page(recovery, "edit"), edited(steward, recovery, jarArgs="a b"))
    assert "Expected" in wrong.context["form"].errors["jarArgs"][0]


# ── cancel and settle ───────────────────────────────────────────────────────────────────────────────────────────────


def test_cancel_warns_asks_and_says_what_came_of_it(steward: Client) -> None:
    """C1."""
    me = steward.person  # type: ignore[attr-defined]
    queued, running = make_recovery(by=me), make_recovery(by=me, state="running")
    assert "can leave that partition empty" in text(steward.get(page(running, "cancel")))
    assert messages(steward.post(page(queued, "cancel"), follow=True)) == ["Cancelled: nothing had been started."]
    response = steward.post(page(running, "cancel"), {"reason": "wrong day"}, follow=True)
    assert messages(response) == ["Cancel asked for."]
    assert "cancel asked for" in text(response)
    queued.refresh_from_db()
    running.refresh_from_db()
    assert (queued.state, running.state, running.cancel_requested_by) == ("cancelled", "running", me)
    event = RecoveryEvent.objects.of(SubjectType.RECOVERY, running.pk).get(kind="cancel_requested")
    assert event.facts == {"reason": "wrong day"}
    assert "Nothing to cancel" in text(steward.get(page(running, "cancel")))
    assert "Nothing to cancel" in messages(steward.post(page(running, "cancel"), follow=True))[0]


def test_settle_keeps_the_state_and_the_decision_beside_it(operator: Client) -> None:
    """H1."""
    lost = make_recovery(state="lost", outcome="gone", outcome_words="404")
    empty = operator.post(page(lost, "settle"), {})
    assert set(empty.context["form"].errors) == {"settledAs", "reason"}
    send = {"settledAs": "never_ran", "reason": "the table is as before"}
    assert "Settled." in messages(operator.post(page(lost, "settle"), send, follow=True))[0]
    lost.refresh_from_db()
    assert (lost.state, lost.settled_as, lost.settled_by) == ("lost", "never_ran", operator.person)  # type: ignore[attr-defined]
    assert "cannot be settled" in messages(operator.post(page(lost, "settle"), send, follow=True))[0]
    assert "cannot be settled" in text(operator.get(page(lost, "settle")))


# ── many at once ────────────────────────────────────────────────────────────────────────────────────────────────────


def chosen(action: str, *recoveries: Recovery, **more: str) -> dict[str, Any]:
    """What the list sends."""
    return {"action": action, ACTION_CHECKBOX_NAME: [str(r.pk) for r in recoveries]} | more


def remarks(recovery: Recovery) -> dict[str, Any]:
    """What the page sends when its remarks were read: the gateway of these tests has no secret."""
    seen = preflight(
        profile=recovery.profile,
        payload=Payload.from_json(recovery.payload_json),
        sent_text=recovery.sent_payload,
        now=timezone.now(),
    )
    return {
        "amber": "1",
        f"seen-{recovery.pk}": [check.key for check in seen.of(Light.AMBER)],
        f"sheet-{recovery.pk}": of_resubmission(recovery, {}).sheet.token,
    }


def test_resubmit_many_says_before_and_after_how_many(steward: Client) -> None:
    failed, running, lost = (make_recovery(state=state, reason="r") for state in ("failed", "running", "lost"))
    closed = make_recovery(state="failed", profile=make_profile(groups=["Operators"]))
    selection = (failed, running, lost, closed)
    asked = steward.post(LIST, chosen("resubmit_selected", *selection))
    assert "1 of 4 selected recoveries can be sent again" in text(asked)
    assert "not open to you" in text(asked)
    assert Recovery.objects.count() == 4
    assert "It is sent again only if you confirm below." in text(asked)
    sheet = {f"sheet-{failed.pk}": of_resubmission(failed, {}).sheet.token}
    send = chosen("resubmit_selected", *selection, confirmed="1", key=asked.context["key"]) | sheet
    refused = messages(steward.post(LIST, send, follow=True))[0]
    assert refused.startswith("0 of 4 recoveries resubmitted.")
    assert (
        f"No. {failed.pk}: Not filed, since it was not confirmed: The gateway has a secret that cannot be read."
        in refused
    )
    send |= remarks(failed)
    said = messages(steward.post(LIST, send, follow=True))[0]
    assert said.startswith("1 of 4 recoveries resubmitted.")
    assert f"No. {running.pk}: Only a recovery that has ended" in said
    assert f"No. {lost.pk}: Its end is not known" in said
    child = failed.resubmissions.get()
    assert (child.payload, child.reason) == (failed.payload, "r")
    steward.post(LIST, send)
    assert failed.resubmissions.count() == 1, "sent twice is filed once"
    other = messages(steward.post(LIST, send | {"reason": "other"}, follow=True))[-1]
    assert "from this page already" in other


def test_what_there_is_no_time_to_look_at_is_not_sent(steward: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    recovery = make_recovery(state="failed", reason="r")
    monkeypatch.setattr("recovery.admin.recovery_bulk.LOOKING", -1.0)
    asked = steward.post(LIST, chosen("resubmit_selected", recovery))
    assert "There was no time left to look at it." in text(asked)
    send = chosen("resubmit_selected", recovery, confirmed="1", key="a" * 32)
    said = messages(steward.post(LIST, send | remarks(recovery), follow=True))[0]
    assert f"No. {recovery.pk}: There was no time left" in said
    assert not recovery.resubmissions.exists()


def test_cancel_many_says_before_and_after_how_many(steward: Client) -> None:
    me = steward.person  # type: ignore[attr-defined]
    mine, ended = make_recovery(by=me, state="running"), make_recovery(by=me, state="failed")
    asked_for = make_recovery(by=me, state="running", cancel_requested_at=timezone.now())
    theirs = make_recovery(state="running")
    selection = (mine, ended, asked_for, theirs)
    asked = steward.post(LIST, chosen("cancel_selected", *selection))
    assert "1 of 4 selected" in text(asked)
    assert "can leave that partition empty" in text(asked)
    said = messages(steward.post(LIST, chosen("cancel_selected", *selection, confirmed="1"), follow=True))[0]
    assert said.startswith("Cancel asked for 1 of 4 recoveries.")
    assert f"No. {theirs.pk}: You may cancel your own recoveries only." in said
    assert Recovery.objects.filter(cancel_requested_at__isnull=False).count() == 2


def test_all_of_them_done_is_plain_success(operator: Client) -> None:
    recoveries = [make_recovery(state="running") for _ in range(2)]
    send = chosen("cancel_selected", *recoveries, confirmed="1")
    assert messages(operator.post(LIST, send, follow=True)) == ["Cancel asked for 2 of 2 recoveries."]


def test_too_many_at_once_are_refused(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recovery.admin.recovery_bulk.AT_MOST", 1)
    recoveries = [make_recovery(state="running") for _ in range(2)]
    response = operator.post(LIST, chosen("cancel_selected", *recoveries), follow=True)
    assert messages(response) == ["At most 1 at once."]
