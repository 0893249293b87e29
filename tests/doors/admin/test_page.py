"""A recovery's page while it is looked at: kept up to date in few queries, its log, its surroundings, its remedy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recovery.domain import logtail
from recovery.domain.states import State
from recovery.models import FailureSignature, Recovery, RecoveryEvent, RecoveryLog, SubjectType
from recovery.services import events
from tests.doors.admin.conftest import Door
from tests.doors.admin.pages import filed, messages, page, previewed, text, to_be_confirmed
from tests.factories import make_gateway, make_profile, make_recovery, make_user

MAX_LIVE_QUERIES = 4


def kept(recovery: Recovery, output: str, **fields: Any) -> RecoveryLog:
    return RecoveryLog.objects.create(recovery=recovery, output=output, read_at=timezone.now(), **fields)


def grown(log: RecoveryLog, output: str, **fields: Any) -> None:
    """Read once more, a moment later."""
    later = timezone.now() + timedelta(seconds=3 * len(output))
    RecoveryLog.objects.filter(pk=log.pk).update(output=output, read_at=later, **fields)


class Looker:
    """A browser with the page open: it sends what the page's script would."""

    def __init__(self, client: Client, recovery: Recovery) -> None:
        self.client, self.recovery = client, recovery
        first = client.get(page(recovery))
        self.etag, self.seen = first.context["etag"], first.context["log"]["mark"]
        self.queries = 0

    def refresh(self) -> Any:
        with CaptureQueriesContext(connection) as queries:
            response = self.client.get(
                page(self.recovery, "live"), {"seen": self.seen}, headers={"if-none-match": f'"{self.etag}"'}
            )
        assert len(queries) <= MAX_LIVE_QUERIES, [query["sql"] for query in queries]
        assert response["X-Recovery-Live"] == "1"
        if response.status_code == 200:
            self.etag, self.seen = response["ETag"].strip('"'), response.context["mark"]
        return response


def running(**columns: Any) -> Recovery:
    now = timezone.now()
    values: dict[str, Any] = {"state": "running", "livy_id": 0, "log_due_at": now}
    values |= {"started_at": now, "submitted_at": now}
    return make_recovery(**values | columns)


# ── refresh ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_new_is_a_304_from_the_first_refresh_on(steward: Client) -> None:
    looker = Looker(steward, running())
    assert [looker.refresh().status_code for _ in range(3)] == [304] * 3
    kept(looker.recovery, "one")
    assert looker.refresh().status_code == 200
    assert looker.refresh().status_code == 304


def test_a_log_is_followed_line_by_line(steward: Client) -> None:
    recovery = running()
    log = kept(recovery, "one\ntwo <b>")
    looker = Looker(steward, recovery)
    grown(log, log.output + "\nthree \x1b[31m<i>\n[…]\nfour")
    shown = looker.refresh().content.decode()
    assert 'id="rp-log-lines" hx-swap-oob="beforeend">\nthree &lt;i&gt;\n<span class="rp-gap">' in shown
    assert "</span>\nfour</div>" in shown
    assert "two" not in shown
    grown(log, "another log")
    assert 'hx-swap-oob="innerHTML">another log</div>' in looker.refresh().content.decode()


def test_the_first_log_and_a_state_without_a_log(steward: Client) -> None:
    looker = Looker(steward, running(state="starting", started_at=None))
    Recovery.objects.filter(pk=looker.recovery.pk).update(state="running", started_at=timezone.now())
    events.of_recovery(looker.recovery.pk, "running")
    shown = text(looker.refresh())
    assert "The job is running." in shown
    assert "rp-log-lines" not in shown
    kept(looker.recovery, "first\nsecond")
    assert 'hx-swap-oob="beforeend">first\nsecond</div>' in text(looker.refresh())


def test_as_whom_it_runs_follows_what_livy_says(steward: Client) -> None:
    profile = make_profile(gateway=make_gateway(user="svc"), proxy_user="sddesigner")
    looker = Looker(steward, make_recovery(profile=profile))
    Recovery.objects.filter(pk=looker.recovery.pk).update(state="running", livy_id=0, proxy_user="svc")
    shown = text(looker.refresh())
    assert '<span id="rp-proxy-user" hx-swap-oob="innerHTML">asked for sddesigner, ran as svc</span>' in shown


def test_an_open_page_puts_its_log_ahead(steward: Client) -> None:
    """What the reader of logs does with it is tested at the services."""
    now = timezone.now()
    looker = Looker(steward, running(log_due_at=now + timedelta(seconds=14)))
    before = Recovery.objects.get(pk=looker.recovery.pk).log_due_at
    looker.refresh()
    assert Recovery.objects.get(pk=looker.recovery.pk).log_due_at == before, "read a second ago"
    Recovery.objects.filter(pk=looker.recovery.pk).update(log_due_at=now + timedelta(seconds=5))
    assert looker.refresh().status_code == 304
    ahead = Recovery.objects.get(pk=looker.recovery.pk).log_due_at
    assert ahead is not None
    assert ahead < now


def test_the_end_brings_its_reason_and_its_buttons_and_then_nothing_moves(steward: Client) -> None:
    recovery = running()
    log = kept(recovery, "one")
    looker = Looker(steward, recovery)
    assert 'hx-trigger="rp-tick"' in text(steward.get(page(recovery)))
    grown(log, "one\njava.lang.OutOfMemoryError", final=True)
    Recovery.objects.filter(pk=recovery.pk).update(
        state="failed", outcome="job_failed", finished_at=timezone.now(), log_due_at=None
    )
    shown = text(looker.refresh())
    assert page(recovery, "outcome") in shown
    assert "rp-tick" not in shown, "it asks no more"
    outcome = text(steward.get(page(recovery, "outcome")))
    assert "Resubmit with this remedy" in outcome
    assert "executorMemory: 4g → 8g" in outcome
    assert "rp-tick" not in text(steward.get(page(recovery)))


def test_an_ended_one_whose_last_log_is_not_read_yet_still_moves(steward: Client) -> None:
    recovery = make_recovery(state="failed", log_due_at=timezone.now())
    assert "rp-tick" in text(steward.get(page(recovery)))
    assert Looker(steward, recovery).refresh().status_code == 304


def test_each_language_and_each_condition_of_the_gateway_is_another_page(door: Door) -> None:
    recovery = make_recovery()
    looker = Looker(door("Stewards"), recovery)
    looker.client = door("Stewards", language="fr")
    assert looker.refresh().status_code == 200
    recovery.gateway.paused, recovery.gateway.paused_reason = True, "maintenance"
    recovery.gateway.save()
    assert "maintenance" in text(looker.refresh())


@pytest.mark.parametrize("etag", ["", "x", "x.y", f"x.{'9' * 30}", "x.0"])
def test_an_odd_etag_gets_everything(steward: Client, etag: str) -> None:
    recovery = running()
    kept(recovery, "one")
    response = steward.get(page(recovery, "live"), {"seen": "odd"}, headers={"if-none-match": etag})
    assert response.status_code == 200
    assert "one" in text(response)


def test_only_who_may_look_gets_a_part(door: Door, client: Client) -> None:
    recovery = running()
    for name in ("live", "outcome", "log", "log_txt"):
        assert door().get(page(recovery, name)).status_code == 403, name
        assert client.get(page(recovery, name))["Location"].startswith("/admin/login/")
        assert door(is_superuser=True).get(page(recovery, name)).status_code == 200
        assert door("Auditors").get(page(recovery, name)).status_code == 200
    for name in ("live", "outcome", "log", "log_txt"):
        assert door("Operators").post(page(recovery, name)).status_code == 403
    one = door()
    one.person.user_permissions.add(Permission.objects.get(codename="view_recovery"))  # type: ignore[attr-defined]
    assert one.get(page(recovery, "live")).status_code == 200
    one.person.is_staff = False  # type: ignore[attr-defined]
    one.person.save()  # type: ignore[attr-defined]
    assert one.get(page(recovery, "live")).status_code == 302


def test_an_alarm_is_shown_until_somebody_answers_it(operator: Client) -> None:
    """A6: on the page and on its refreshed part alike."""
    looker = Looker(operator, running())
    words = "A second batch of it was found."
    for kind, stands in (("duplicate", True), ("looked", True), ("acknowledged", False), ("duplicate", True)):
        events.of_recovery(looker.recovery.pk, kind)
        assert (words in text(looker.refresh())) is stands
        assert (words in text(operator.get(page(looker.recovery)))) is stands


def test_after_a_failure_the_part_says_what_the_page_would(steward: Client) -> None:
    """F4: what next, the buttons, the cause: as if it were loaded again."""
    looker = Looker(steward, running())
    kept(looker.recovery, "java.lang.OutOfMemoryError", final=True)
    Recovery.objects.filter(pk=looker.recovery.pk).update(
        state="failed", outcome="job_failed", finished_at=timezone.now(), log_due_at=None
    )
    looker.refresh()
    again = steward.get(page(looker.recovery)).context["step"]
    part = steward.get(page(looker.recovery, "outcome"))
    assert part.context["step"] == again
    assert 'id="rp-next" hx-swap-oob="innerHTML"' in text(part)
    assert "See below what probably went wrong" in text(part)


def test_what_a_refresh_may_change_beside_the_state(operator: Client) -> None:
    looker = Looker(operator, running())
    Recovery.objects.filter(pk=looker.recovery.pk).update(proxy_user="livy")
    looker.recovery.gateway.paused = True
    looker.recovery.gateway.save()
    shown = text(looker.refresh())
    assert "ran as livy" in shown
    assert "submissions paused" in shown.partition('id="rp-gateway"')[2]
    assert page(looker.recovery, "outcome") not in shown, "its buttons are the same"
    events.of_recovery(looker.recovery.pk, "duplicate")
    assert page(looker.recovery, "outcome") in text(looker.refresh())
    assert "Acknowledge the alarm" in text(operator.get(page(looker.recovery, "outcome")))


def test_a_cancel_from_elsewhere_takes_the_button_away(steward: Client) -> None:
    looker = Looker(steward, running(by=steward.person))  # type: ignore[attr-defined]
    Recovery.objects.filter(pk=looker.recovery.pk).update(cancel_requested_at=timezone.now())
    assert page(looker.recovery, "outcome") in text(looker.refresh())
    assert "rp-do-cancel" not in text(steward.get(page(looker.recovery, "outcome")))


def test_what_is_read_out_is_state_and_headline_and_no_clock(steward: Client) -> None:
    looker = Looker(steward, running())
    for shown in (text(steward.get(page(looker.recovery))), text(steward.get(page(looker.recovery, "live")))):
        said = shown.partition('id="rp-said"')[2].partition("</p>")[0]
        assert "running. The job is running." in said
        assert "data-since" not in said
    assert 'id="rp-story" role' not in text(steward.get(page(looker.recovery)))


def test_the_clock_and_the_bar_begin_when_it_runs(steward: Client) -> None:
    now = timezone.now()
    hour = now - timedelta(hours=1)
    make_recovery(state="succeeded", started_at=now - timedelta(seconds=5), finished_at=now)
    profile = Recovery.objects.get().profile
    row = running(profile=profile, state="starting", submitted_at=hour, started_at=None)
    response = steward.get(page(row))
    assert response.context["progress"]["since"] is None
    assert not response.context["progress"]["is_late"], "it waits in YARN"
    assert "waiting since" in text(response)
    Recovery.objects.filter(pk=row.pk).update(state="running", started_at=now)
    response = steward.get(page(row))
    assert response.context["since"] == now
    assert "T" not in response.context["since_words"].partition(">")[2].partition("<")[0], "a time for people"


def test_what_is_queued_is_not_called_sent(steward: Client) -> None:
    for state, words, standing in (
        ("queued", "will be sent to Livy", "ahead"),
        ("submitting", "being sent to Livy", "now"),
        ("starting", "sent to Livy", "done"),
    ):
        row = make_recovery(state=state, submitted_at=timezone.now() if state == "starting" else None)
        stage = steward.get(page(row)).context["steps"][1]
        assert (stage.text, stage.standing) == (words, standing)


def test_after_a_success_the_data_is_to_be_looked_at(steward: Client) -> None:
    """Real behaviour m.5: it may have written nothing."""
    step = steward.get(page(make_recovery(state="succeeded", outcome="success"))).context["step"]
    assert step.text.startswith("Look at the data")
    assert not step.needs_someone


@pytest.mark.parametrize(
    ("columns", "headline", "step"),
    [
        ({}, "Its log says why.", "Read the log below"),
        ({"app_id": "application_1_1", "driver_log_url": "https://nm/logs"}, "The driver's log", "Open the driver log"),
        ({"app_id": "application_1_1"}, "The driver's log", "find the job's own log in YARN"),
    ],
)
def test_a_failure_points_at_the_log_that_says_why(
    steward: Client, columns: dict[str, Any], headline: str, step: str
) -> None:
    context = steward.get(page(make_recovery(state="failed", outcome="job_failed", **columns))).context
    assert headline in context["headline"]
    assert step in context["step"].text


def test_a_duration_is_rounded_as_the_usual_one_is(steward: Client) -> None:
    now = timezone.now()
    begun = now - timedelta(seconds=4.6)
    row = make_recovery(state="succeeded", started_at=begun, finished_at=now)
    response = steward.get(page(row))
    assert ("duration", "5 s") in response.context["times"]
    assert steward.get("/admin/").context["last"][0]["duration"] == "5 s"
    assert "took 5 s" in steward.get(page(running(profile=row.profile))).context["usual"]


# ── log ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_log_is_searched_and_taken_home_whole(steward: Client) -> None:
    recovery = make_recovery(state="failed")
    lines = [f"line {number}" for number in range(6000)] + ["\x1b[31mERROR\x1b[0m <b>Disk</b> disk"]
    kept(recovery, "\n".join(lines), diagnostics="disk of YARN")
    whole = steward.get(page(recovery, "log_txt"))
    assert whole["Content-Type"].startswith("text/plain")
    assert "attachment" in whole["Content-Disposition"]
    assert whole.content.decode().startswith("line 0\nline 1\n")
    assert whole.content.decode().endswith("ERROR <b>Disk</b> disk\n\nYARN diagnostics\ndisk of YARN")
    found = steward.get(page(recovery, "log"), {"q": "DISK"}).content.decode()
    assert "2 lines hold" in found
    assert "ERROR &lt;b&gt;<mark>Disk</mark>&lt;/b&gt; <mark>disk</mark>" in found
    assert ">6001</span>" in found
    part = text(steward.get(page(recovery, "log"), {"q": "line 5"}, headers={"hx-request": "true"}))
    assert "<html" not in part
    assert "1111 lines hold" in part
    assert "611" in part
    assert "0 lines hold" in text(steward.get(page(recovery, "log"), {"q": "absent"}))


def test_a_recovery_without_a_log_has_an_empty_one(steward: Client) -> None:
    recovery = make_recovery()
    assert steward.get(page(recovery, "log_txt")).content == b""
    assert "No log has been read yet." in text(steward.get(page(recovery, "log"), {"q": "x"}))


def test_gaps_and_colours_in_a_log(steward: Client) -> None:
    recovery = make_recovery(state="failed", app_id="application_1_1", driver_log_url="https://rm/logs")
    kept(recovery, f"{logtail.GAP}\na\n{logtail.GAP}\n\x1b[1mb\x1b[0m\n{logtail.GAP}", withheld=True)
    response = steward.get(page(recovery))
    shown = response.context["log"]["lines"]
    assert shown.count("lines are missing here") == 3
    assert "</span>\na\n<span" in shown
    assert "\x1b" not in shown
    assert "driver log" in text(response)
    assert "Livy withholds this log" in text(response)


def test_search_and_download_say_what_is_missing_as_the_page_does(steward: Client) -> None:
    recovery = make_recovery(state="failed")
    kept(recovery, f"a\n{logtail.GAP}\nb […]")
    missing = "… lines are missing here: Livy had forgotten them …"
    assert steward.get(page(recovery, "log_txt")).content.decode() == f"a\n{missing}\nb […]"
    assert "1 line holds" in text(steward.get(page(recovery, "log"), {"q": "missing here"}))


def test_the_link_to_the_drivers_log_comes_while_the_page_is_looked_at(steward: Client) -> None:
    """In the log's card and on the log's own page; the Spark UI is no driver log."""
    looker = Looker(steward, running())
    Recovery.objects.filter(pk=looker.recovery.pk).update(
        app_id="application_1_1", driver_log_url="https://nm/logs", spark_ui_url="https://rm/proxy"
    )
    shown = text(looker.refresh()).partition('id="rp-log-links"')[2].partition("</p>")[0]
    assert "log of the client" in shown
    assert "https://nm/logs" in shown
    assert "https://rm/proxy" not in shown
    own = text(steward.get(page(looker.recovery, "log")))
    assert "https://nm/logs" in own
    assert "https://rm/proxy" not in own


# ── surroundings ────────────────────────────────────────────────────────────────────────────────────────────────


def test_how_long_it_usually_takes(door: Door) -> None:
    client, now = door("Stewards"), timezone.now()
    profile, by = make_profile(), make_user()

    def success(seconds: int) -> None:
        began = now - timedelta(seconds=seconds)
        make_recovery(profile=profile, by=by, state="succeeded", started_at=began, finished_at=now)

    row = running(profile=profile, by=by, started_at=now - timedelta(seconds=500))
    assert client.get(page(row)).context["usual"] == ""
    success(100)
    assert "The only success so far" in text(client.get(page(row)))
    success(100)
    assert "Usually 1 min 40 s (2 successes" in text(client.get(page(row)))
    success(200)
    response = client.get(page(row))
    assert "mostly 1 min 40 s to 3 min 20 s (3 successes" in text(response)
    assert response.context["progress"] | {"since": None} == {
        "since": None, "value": 100, "max": 100, "late": 200, "is_late": True,
    }  # fmt: skip
    assert "data-when-late>" in text(response)
    waiting = client.get(page(make_recovery(profile=profile, by=by)))
    assert waiting.context["progress"]["since"] is None
    ended = client.get(page(make_recovery(profile=profile, by=by, state="failed")))
    assert ended.context["progress"] is None
    assert "Usually" in text(ended)


def test_attempts_say_what_changed(operator: Client) -> None:
    profile = make_profile()
    first = make_recovery(profile=profile, state="failed", jar_args="--date 1")
    second = make_recovery(profile=profile, state="failed", jar_args="--date 1", resubmission_of=first)
    other = make_profile()
    third = make_recovery(profile=other, jar_args="--date 2", resubmission_of=second, state="failed")
    response = operator.get(page(second))
    rows = {one.recovery.pk: one.rows for one in response.context["attempts"]}
    assert rows[first.pk] == rows[second.pk] == []
    assert ("args", "--date 1", "--date 2") in rows[third.pk]
    assert ("profile", profile.name, other.name) in rows[third.pk]
    assert f"resubmission of no. {second.pk}" in text(response)
    assert page(first) in text(response)
    assert page(third) in text(response)
    assert operator.get(page(make_recovery())).context["attempts"] == []


def test_before_and_after(steward: Client) -> None:
    one, two, three = (make_recovery() for _ in range(3))
    shown = text(steward.get(page(two)))
    assert f'rel="prev" href="{page(one)}"' in shown
    assert f'rel="next" href="{page(three)}"' in shown


def test_the_payload_for_a_terminal(steward: Client) -> None:
    gateway = make_gateway(user="svc", secret_ref="env:AD_PASSWORD")
    profile = make_profile(gateway=gateway, conf={"spark.hadoop.fs.s3a.secret.key": "hunter2"})
    recovery = make_recovery(profile=profile, jar_args="--it's --password hunter2")
    response = steward.get(page(recovery))
    curl, submit = response.context["commands"]["curl"], response.context["commands"]["spark_submit"]
    assert f"{gateway.base_url}/livy/v1/batches" in curl
    assert "-u svc" in curl
    assert "--queue root.datalake" in submit
    assert "hunter2" not in curl + submit
    assert recovery.batch_name not in curl + submit
    assert (
        steward.get(page(make_recovery(profile=make_profile(gateway=make_gateway(auth_kind="bearer")))))
        .context["commands"]["curl"]
        .count("$TOKEN")
        == 1
    )


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, "not passed on yet"),
        ({"delete_sent_at": timezone.now()}, "passed on to Livy; not confirmed yet"),
        ({"delete_sent_at": timezone.now(), "delete_answered_at": timezone.now()}, "Livy has answered"),
    ],
)
def test_a_cancel_shows_asked_and_confirmed(steward: Client, columns: dict[str, Any], words: str) -> None:
    """C1, C3."""
    now = timezone.now()
    assert words in text(steward.get(page(running(cancel_requested_at=now, **columns))))
    ended = make_recovery(state="cancelled", cancel_requested_at=now, outcome="cancelled_unverified", started_at=now)
    shown = text(steward.get(page(ended)))
    assert "cancel confirmed" in shown
    assert "not verified with YARN" in shown


@pytest.mark.parametrize("state", list(State))
def test_the_steps_of_each_state(steward: Client, state: State) -> None:
    row = make_recovery(state=state)
    standing = [one.standing for one in steward.get(page(row)).context["steps"]]
    assert standing[0] == "done"
    moves = not row.is_terminal and state not in (State.QUEUED, State.AWAITING_APPROVAL)
    assert standing.count("now") == moves, "nothing was sent yet of what is queued"
    assert standing[-1] == ("done" if row.is_terminal else "ahead")


# ── the remedy ──────────────────────────────────────────────────────────────────────────────────────────────────


def out_of_memory(**fields: Any) -> Recovery:
    recovery = make_recovery(state="failed", reason="first", **fields)
    kept(
        recovery, "Lost task 0.3 in stage 1.0 (TID 7) (worker7 executor 1): java.lang.OutOfMemoryError: Java heap space"
    )
    return recovery


def remedy_url(client: Client, recovery: Recovery) -> str:
    (one, *_rest) = client.get(page(recovery)).context["explained"]
    return str(one["remedy_url"])


def shown_form(client: Client, url: str) -> dict[str, Any]:
    form = client.get(url).context["form"]
    values = {name: form[name].value() for name in form.fields}
    return {name: "on" if value is True else value for name, value in values.items() if value not in (None, False)}


def test_one_click_fills_the_remedy_in(steward: Client) -> None:
    recovery = out_of_memory()
    told = text(steward.get(page(recovery)))
    assert "Probably: An executor ran out of memory." in " ".join(
        told.replace("</strong>", "").replace("<strong>", "").split()
    )
    assert "a guess from patterns" in told
    url = remedy_url(steward, recovery)
    shown = steward.get(url)  # straight to the preview: there is nothing to type
    assert "Resubmit with twice the memory for each executor. executorMemory: 4g → 8g" in text(shown)
    assert shown.context["reason"] == "first"
    fields = shown.context["form"]
    send = {name: str(fields[name].value() or "") for name in fields.fields}
    answer = steward.post(page(recovery, "edit"), send | {"previewed": shown.context["sheet"].token, "_file": "1",
                                                          "confirm": to_be_confirmed(shown)})  # fmt: skip
    assert answer.status_code == 302, text(answer)
    child = recovery.resubmissions.get()
    facts = RecoveryEvent.objects.of(SubjectType.RECOVERY, child.pk)[0].facts
    assert facts["remedy"] == "executor-memory"
    assert "remedy: executor-memory" in text(steward.get(page(child)))
    assert child.payload_json == recovery.payload_json | {"executorMemory": "8g"}


def test_the_preview_of_a_remedy_shows_then_today_and_now(steward: Client) -> None:
    profile = make_profile()
    recovery = out_of_memory(profile=profile)
    profile.executor_memory, profile.version = "6g", 2
    profile.save()
    data = shown_form(steward, remedy_url(steward, recovery))
    shown, _send = previewed(steward, page(recovery, "edit"), data)
    assert shown.context["rows"] == [("executorMemory", "4g", "6g", "8g")]
    today, _send = previewed(steward, page(recovery, "edit"), data | {"todaysValues": "on"})
    assert today.context["rows"] == [("executorMemory", "4g", "6g", "12g")]


def test_a_remedy_may_be_left_out(steward: Client) -> None:
    recovery = out_of_memory()
    data = shown_form(steward, remedy_url(steward, recovery))
    del data["applyRemedy"]
    child = filed(steward, page(recovery, "edit"), data)
    assert child.payload == recovery.payload
    assert "remedy" not in RecoveryEvent.objects.of(SubjectType.RECOVERY, child.pk)[0].facts


def test_a_remedy_of_a_recovery_without_a_reason_asks_for_one(steward: Client) -> None:
    recovery = out_of_memory()
    Recovery.objects.filter(pk=recovery.pk).update(reason="")
    shown = steward.get(remedy_url(steward, recovery))
    assert "sheet" not in shown.context
    assert "applyRemedy" in shown.context["form"].fields
    assert not shown.context["form"].errors


def test_what_a_remedy_asks_for_is_typed(steward: Client) -> None:
    recovery = make_recovery(state="failed", reason="first")
    kept(recovery, "Error: Failed to load class X.")
    url = remedy_url(steward, recovery)
    assert "className: to be given" in text(steward.get(page(recovery)))
    data = shown_form(steward, url)
    wrong = steward.post(page(recovery, "edit"), data | {"give_className": "no class", "_preview": "1"})
    assert "no class name" in text(wrong)
    child = filed(steward, page(recovery, "edit"), data | {"give_className": "com.example.Main"})
    assert child.payload_json["className"] == "com.example.Main"


def test_arguments_in_one_piece_are_cut(steward: Client) -> None:
    recovery = make_recovery(state="failed", reason="first", jar_args="--date 1 --table 'a b'")
    kept(recovery, "unknown option <--date 1 --table 'a b'>")
    assert "cut as a shell would" in text(steward.get(page(recovery)))
    child = filed(steward, page(recovery, "edit"), shown_form(steward, remedy_url(steward, recovery)))
    assert child.args == ["--date", "1", "--table", "a b"]


def test_no_remedy_is_offered_that_would_change_nothing(steward: Client) -> None:
    recovery = make_recovery(profile=make_profile(args_mode="split"), state="failed", jar_args="--date 1")
    kept(recovery, "unknown option <--date 1 x>")
    assert "The jar received all arguments in one piece" in text(steward.get(page(recovery)))
    assert remedy_url(steward, recovery) == ""


def test_a_remedy_that_does_not_fit_is_not_to_be_had(steward: Client) -> None:
    recovery = out_of_memory()
    other = FailureSignature.objects.get(code="driver-memory")
    for number in (str(other.pk), "999999", "x", "9" * 30):
        response = steward.get(page(recovery, "edit"), {"remedy": number})
        assert "applyRemedy" not in response.context["form"].fields
    url = remedy_url(steward, recovery)
    data = shown_form(steward, url)
    _shown, send = previewed(steward, page(recovery, "edit"), data)
    FailureSignature.objects.filter(code="executor-memory").update(enabled=False)
    response = steward.post(page(recovery, "edit"), send)
    assert response.status_code == 200, "what was shown would not be sent: it is shown once more"
    assert any("does not fit any more" in said for said in messages(response))
    assert not recovery.resubmissions.exists()


def test_no_button_where_nothing_can_be_resubmitted(door: Door) -> None:
    recovery = out_of_memory()
    assert remedy_url(door("Auditors"), recovery) == ""
    assert remedy_url(door("Stewards"), recovery) != ""
    Recovery.objects.filter(pk=recovery.pk).update(state="lost", outcome="dead_unexplained")
    assert remedy_url(door("Stewards"), recovery) == "", "an operator decides first"
    make_recovery(profile=recovery.profile, resubmission_of=recovery)
    assert remedy_url(door("Operators"), recovery) == ""


def test_a_refusal_is_said_and_not_guessed(steward: Client) -> None:
    words = "Blacklisted configuration values in session config: spark.odd"
    shown = text(steward.get(page(make_recovery(state="refused", outcome_words=words))))
    assert "The server says" in shown
    assert "a guess from patterns" not in shown
    assert words in shown
