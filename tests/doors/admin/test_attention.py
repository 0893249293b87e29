"""What needs someone: the home page, the list and the recovery's page say the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recovery.domain.states import State
from recovery.models import LivyProfile, Recovery
from recovery.services import duplicates
from tests.doors.admin.conftest import Door
from tests.doors.admin.pages import LIST, page, text
from tests.factories import make_profile, make_recovery, make_user

HOME = "/admin/"
MAX_HOME_QUERIES = 15


def one_of_each(profile: LivyProfile) -> list[Recovery]:
    """Each state, and what makes one of a state need someone or not; each of a work of its own."""
    now = timezone.now()
    columns: list[dict[str, Any]] = [
        *({"state": state} for state in State),
        {"state": "awaiting_approval", "cancel_requested_at": now},
        {"state": "cancelled", "outcome": "cancelled_before_start"},
        {"state": "cancelled", "outcome": "cancelled_verified"},
        {"state": "lost", "settled_as": "failed"},
        {"state": "unconfirmed", "hold": "name_taken"},
        {"state": "running", "cancel_requested_at": now},
    ]
    rows = [make_recovery(profile=profile, jar_args=f"--n {n}", **each) for n, each in enumerate(columns)]
    for n, state in enumerate(("failed", "refused", "cancelled", "running", "succeeded")):
        again = make_recovery(profile=profile, jar_args=f"--again {n}", state=state)
        rows += [again, make_recovery(profile=profile, resubmission_of=again)]
    for state in ("running", "failed", "lost", "succeeded"):
        row = make_recovery(profile=profile, jar_args=f"--second {state}", state=state)
        duplicates.raise_alarm(row.pk, cause="found_later", batch=2, known=1)
        rows.append(row)
    return rows


def listed(client: Client, phase: str = "attention") -> set[int]:
    return {row.pk for row in client.get(LIST, {"phase": phase}).context["cl"].result_list}


def test_the_page_the_list_and_the_home_page_agree(operator: Client) -> None:
    rows = one_of_each(make_profile())
    wanted = {row.pk for row in rows if operator.get(page(row)).context["step"].needs_someone}
    assert listed(operator) == wanted
    with CaptureQueriesContext(connection) as queries:
        context = operator.get(HOME).context
    assert len(queries) <= MAX_HOME_QUERIES
    for tile in context["attention"]:
        assert len(operator.get(tile["url"]).context["cl"].result_list) == tile["count"], tile
    by_state = [tile["count"] for tile in context["attention"] if "state__exact" in tile["url"]]
    assert sum(by_state) == len(wanted)
    (second,) = [tile["count"] for tile in context["attention"] if "phase=duplicate" in tile["url"]]
    assert second == 4


def test_what_waits_for_approval_needs_someone_and_a_doubt_does_not(operator: Client) -> None:
    approval, doubt = make_recovery(state="awaiting_approval"), make_recovery(state="unconfirmed")
    assert listed(operator) == {approval.pk}
    waiting = operator.get(HOME).context["waiting"]
    assert [row["pk"] for row in waiting] == [approval.pk]
    assert "Nothing to do." in text(operator.get(page(doubt)))


def test_a_steward_sees_the_second_batch_of_his_own(steward: Client) -> None:
    mine = make_recovery(by=steward.person, state="running")  # type: ignore[attr-defined]
    duplicates.raise_alarm(mine.pk, cause="found_later", batch=2, known=1)
    (row,) = steward.get(HOME).context["waiting"]
    assert row["pk"] == mine.pk
    assert "second batch" in row["headline"]


def test_a_job_stopped_while_it_ran_says_to_check_the_data(steward: Client) -> None:
    make_recovery(state="cancelled", outcome="cancelled_unverified")
    assert "Check the data" in steward.get(HOME).context["waiting"][0]["headline"]


@pytest.mark.parametrize("state", ["failed", "refused", "cancelled"])
def test_the_same_work_done_since_takes_it_off_the_list(door: Door, state: str) -> None:
    client, profile, by = door("Stewards"), make_profile(), make_user()
    earlier = make_recovery(profile=profile, by=by, state="succeeded")
    row = make_recovery(profile=profile, by=by, state=state)
    make_recovery(profile=profile, by=by, state="failed")
    make_recovery(profile=profile, by=by, state="succeeded", jar_args="--other")
    make_recovery(profile=profile, by=by, state="succeeded", jar_path="hdfs:///other.jar")
    assert row.pk in listed(client)
    assert earlier.pk not in listed(client)
    make_recovery(profile=make_profile(), by=by, state="succeeded")
    assert row.pk not in listed(client)
    assert row.pk not in {one["pk"] for one in client.get(HOME).context["waiting"]}
    shown = client.get(page(row))
    assert not shown.context["step"].needs_someone
    assert "the same work has succeeded since" in text(shown)
    assert "the same work has succeeded since" in text(client.get(page(row, "outcome")))


def test_what_is_open_stays_however_old_it_is(operator: Client) -> None:
    rows = {state: make_recovery(state=state) for state in ("failed", "lost", "awaiting_approval")}
    Recovery.objects.update(created_at=timezone.now() - timedelta(days=9))
    assert listed(operator) == {rows["lost"].pk, rows["awaiting_approval"].pk}
