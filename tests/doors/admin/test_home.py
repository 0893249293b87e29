"""The home page and its parts that are kept up to date."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recovery.models import Gateway, Recovery, RecoveryLog
from recovery.services import events
from tests.doors.admin.conftest import Door
from tests.doors.admin.pages import page, text
from tests.factories import make_gateway, make_profile, make_recovery, make_user

HOME = "/admin/"
LIVE = "/admin/recovery/recovery/home/live/"


def refreshed(client: Client, etag: str) -> Any:
    return client.get(LIVE, headers={"if-none-match": f'"{etag}"'})


def etag_of(response: Any) -> str:
    return str(response.headers["ETag"].strip('"'))


def test_nothing_new_is_a_304_in_few_queries(operator: Client) -> None:
    make_recovery(state="running", started_at=timezone.now())
    etag = operator.get(HOME).context["etag"]
    with CaptureQueriesContext(connection) as queries:
        response = refreshed(operator, etag)
    assert response.status_code == 304
    assert len(queries) <= 4
    assert response.headers["X-Recovery-Live"] == "1"


def test_what_has_changed_comes_in_its_parts(operator: Client) -> None:
    recovery = make_recovery(state="running", started_at=timezone.now(), livy_id=3)
    etag = operator.get(HOME).context["etag"]
    log = RecoveryLog.objects.create(recovery=recovery, output="one\n  the last line <b>\n\n", read_at=timezone.now())
    response = refreshed(operator, etag)
    shown = text(response)
    assert response.status_code == 200
    assert "<code>the last line <b></code>" in shown
    assert b"the last line <b>" not in response.content, "it is escaped"
    etag = etag_of(response)
    assert refreshed(operator, etag).status_code == 304
    RecoveryLog.objects.filter(pk=log.pk).update(read_at=timezone.now(), output="another")
    assert "<code>another</code>" in text(refreshed(operator, etag))
    etag = etag_of(refreshed(operator, etag))
    Recovery.objects.filter(pk=recovery.pk).update(state="failed", finished_at=timezone.now(), outcome="job_failed")
    events.of_recovery(recovery.pk, "ended")
    response = refreshed(operator, etag)
    assert response.context["running"] == []
    assert [row["pk"] for row in response.context["last"]] == [recovery.pk]
    assert [row["pk"] for row in response.context["waiting"]] == [recovery.pk]
    etag = etag_of(response)
    Gateway.objects.update(paused=True, paused_reason="maintenance <tonight>", livy_restarted_at=timezone.now())
    shown = text(refreshed(operator, etag))
    assert "maintenance <tonight>" in shown
    assert "submissions paused" in shown


def test_the_log_of_each_one_that_runs_is_looked_at(operator: Client) -> None:
    """Also beside one whose last log was read already."""
    now = timezone.now()
    for final in (False, True):
        recovery = make_recovery(state="running", started_at=now)
        log = RecoveryLog.objects.create(recovery=recovery, output="one", final=final, read_at=now)
        etag = operator.get(HOME).context["etag"]
        assert refreshed(operator, etag).status_code == 304
        RecoveryLog.objects.filter(pk=log.pk).update(read_at=timezone.now(), output="two")
        assert refreshed(operator, etag).status_code == 200


def test_the_parts_ask_for_the_same_permission_as_the_page(door: Door) -> None:
    make_gateway()
    assert door().get(LIVE).status_code == 403
    assert door("Auditors").get(LIVE).status_code == 200
    assert door("Auditors").post(LIVE).status_code == 403
    assert door(is_superuser=True).get(LIVE).status_code == 200
    assert Client().get(LIVE).status_code == 302


def test_before_anything_is_set_up(door: Door) -> None:
    client = door("Stewards")
    shown = text(client.get(HOME))
    assert "Nothing runs at the moment." in shown
    assert "None was filed in these days." in shown
    etag = client.get(HOME).context["etag"]
    assert refreshed(client, etag).status_code == 304
    assert door().get(LIVE).status_code == 403


def test_the_usual_duration_stands_beside_what_runs(operator: Client) -> None:
    now, profile = timezone.now(), make_profile()
    for minutes in (4, 5, 6):
        make_recovery(profile=profile, state="succeeded", started_at=now - timedelta(minutes=minutes), finished_at=now)
    make_recovery(profile=make_profile(), state="succeeded", started_at=now - timedelta(hours=9), finished_at=now)
    known = make_recovery(profile=profile, state="running", started_at=now - timedelta(minutes=1))
    unknown = make_recovery(profile=profile, state="running", started_at=now, jar_path="hdfs:///other.jar")
    queued = make_recovery(profile=profile)
    rows = {row["pk"]: row for row in operator.get(HOME).context["running"]}
    assert rows[known.pk]["usual"] == "5 min 00 s"
    assert rows[known.pk]["bar"]["max"] == 300
    assert rows[unknown.pk]["usual"] == ""
    assert rows[queued.pk]["since"] is None


def test_what_needs_someone_begins_with_ones_own(door: Door) -> None:
    client = door("Stewards")
    mine = make_recovery(by=client.person, state="failed", outcome="job_failed")  # type: ignore[attr-defined]
    others = [make_recovery(state="lost", by=make_user()), make_recovery(state="refused")]
    old = make_recovery(state="failed")
    Recovery.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=9))
    response = client.get(HOME)
    assert [row["pk"] for row in response.context["waiting"]] == [
        mine.pk,
        *sorted((r.pk for r in others), reverse=True),
    ]
    shown = text(response)
    assert page(mine) in shown
    assert "you" in [row["by"] for row in response.context["waiting"]]


def test_the_chart_counts_by_day_and_end(operator: Client) -> None:
    for state, count in (("succeeded", 3), ("failed", 1), ("lost", 1), ("running", 1), ("cancelled", 2)):
        for _ in range(count):
            make_recovery(state=state)
    before = make_recovery(state="refused")
    Recovery.objects.filter(pk=before.pk).update(created_at=timezone.now() - timedelta(days=2))
    ancient = make_recovery(state="refused")
    Recovery.objects.filter(pk=ancient.pk).update(created_at=timezone.now() - timedelta(days=30))
    response = operator.get(HOME)
    chart = response.context["chart"]
    assert len(chart["days"]) == 14
    today, two_ago = chart["days"][-1], chart["days"][-3]
    assert (today["good"], today["bad"], today["calm"], today["total"]) == (3, 2, 3, 8)
    assert (two_ago["bad"], two_ago["total"], chart["total"]) == (1, 1, 9)
    assert sum(float(part["height"]) for part in today["stack"]) == 100
    listed = operator.get(today["url"])
    assert len(listed.context["cl"].result_list) == 8


# ── what runs, and what waits ───────────────────────────────────────────────────────────────────────────────────────


def row_of(client: Client, recovery: Recovery) -> dict[str, Any]:
    return next(row for row in client.get(HOME).context["running"] if row["pk"] == recovery.pk)


def test_the_last_line_has_no_colours_and_is_no_mark_of_a_gap(operator: Client) -> None:
    recovery = make_recovery(state="running", started_at=timezone.now())
    output = "one\n\x1b[31mERROR\x1b[0m disk\r 10 %\r 20 %\n[…]\n\n"
    log = RecoveryLog.objects.create(recovery=recovery, output=output, read_at=timezone.now())
    assert row_of(operator, recovery)["last_line"] == "20 %"
    RecoveryLog.objects.filter(pk=log.pk).update(output="\x1b[31mERROR\x1b[0m disk\n[…]")
    assert row_of(operator, recovery)["last_line"] == "ERROR disk"


def test_the_clients_log_is_called_so(operator: Client) -> None:
    now = timezone.now()
    for app_id, said in (("", False), ("application_1_1", True)):
        recovery = make_recovery(state="running", started_at=now, app_id=app_id)
        RecoveryLog.objects.create(recovery=recovery, output="Shutdown hook called", read_at=now)
        assert row_of(operator, recovery)["is_client_log"] is said
        assert ("client's log:" in text(operator.get(HOME))) is said


def test_since_when_stands_beside_each(operator: Client) -> None:
    now = timezone.now()
    old = now - timedelta(days=2)
    runs = make_recovery(state="running", submitted_at=old, started_at=now)
    starts = make_recovery(state="starting", submitted_at=now)
    queued = make_recovery()
    Recovery.objects.filter(pk=queued.pk).update(created_at=old)
    clock = f"{timezone.localtime(now):%H:%M}</time>"
    assert row_of(operator, runs)["since_words"].startswith("since <time")
    assert row_of(operator, runs)["since_words"].endswith(f'">{clock}')
    assert row_of(operator, starts)["since_words"].startswith("waiting since <time")
    assert row_of(operator, starts)["since"] is None, "no clock yet"
    assert row_of(operator, queued)["since_words"].startswith("waiting since <time")
    assert f">{timezone.localtime(old).day} " in row_of(operator, queued)["since_words"], "with its day"


def test_what_waits_says_why(steward: Client) -> None:
    recovery = make_recovery()
    assert row_of(steward, recovery)["why"] == "it is sent by itself, usually within a minute"
    etag = steward.get(HOME).context["etag"]
    gateways = Gateway.objects.filter(pk=recovery.gateway_id)
    gateways.update(condition="unreachable")
    assert "the gateway cannot be reached" in text(refreshed(steward, etag)), "also for who sees no gateways"
    etag = steward.get(HOME).context["etag"]
    gateways.update(paused=True, paused_reason="night")
    assert "submissions paused: night" in text(refreshed(steward, etag))
    assert "Somebody else holds" in row_of(steward, make_recovery(state="unconfirmed", hold="name_taken"))["why"]
    assert "may have started" in row_of(steward, make_recovery(state="unconfirmed"))["why"]
    assert row_of(steward, make_recovery(state="running"))["why"] == ""


def test_longer_than_usual_is_said_here_too(operator: Client) -> None:
    now, profile = timezone.now(), make_profile()
    make_recovery(profile=profile, state="succeeded", started_at=now - timedelta(minutes=1), finished_at=now)
    make_recovery(profile=profile, state="running", started_at=now)
    late = 'data-late="60" hidden>longer than usual'
    assert late in text(operator.get(HOME))
    Recovery.objects.filter(state="running").update(started_at=now - timedelta(minutes=2))
    assert 'data-late="60">longer than usual' in text(operator.get(HOME))


def test_the_hint_for_who_may_file_outlives_a_refresh(door: Door) -> None:
    words = "What you file appears here at once."
    for group, says in (("Stewards", True), ("Auditors", False)):
        client = door(group)
        assert (words in text(client.get(HOME))) is says
        assert (words in text(client.get(LIVE))) is says


# ── gateways ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_paused_gateway_that_cannot_be_reached_says_both(operator: Client) -> None:
    make_gateway(paused=True, condition="unreachable", last_seen_at=timezone.now())
    shown = text(operator.get(HOME))
    assert "submissions paused" in shown
    assert "cannot be reached" in shown
    assert "</span>usable" not in shown


def test_a_gateway_that_nobody_looks_at_any_more_is_not_green(operator: Client) -> None:
    """A dead worker: nothing in the database changes, and still the page does."""
    now = timezone.now()
    recovery = make_recovery(state="running", started_at=now)
    gateways = Gateway.objects.filter(pk=recovery.gateway_id)
    gateways.update(last_seen_at=now)
    assert "usable" in text(operator.get(HOME))
    gateways.update(last_seen_at=now - timedelta(hours=1))
    etag = operator.get(HOME).context["etag"]
    Recovery.objects.filter(pk=recovery.pk).update(created_at=now - timedelta(hours=2))
    shown = text(refreshed(operator, etag))
    assert "not seen since" in shown
    assert "</span>usable" not in shown
    assert "not seen since" in text(operator.get(page(recovery)))
    for place in ("", f"{recovery.gateway_id}/change/"):
        assert "not seen since" in text(operator.get(f"/admin/recovery/gateway/{place}"))
    gateways.update(last_seen_at=None)
    assert "never seen" in text(operator.get(HOME))


def test_the_table_of_the_chart_can_be_found_again(operator: Client) -> None:
    """By the page's script, after a refresh: that it stays open is played in a browser."""
    make_recovery()
    shown = text(operator.get(LIVE))
    assert '<details id="rp-chart-table"><summary id="rp-chart-summary">' in shown
