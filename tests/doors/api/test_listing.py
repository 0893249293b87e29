"""The list: filters, search, ordering, pages that stay still, and the number of queries."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from recovery.domain.states import LIVE, State
from recovery.models import Recovery
from tests.doors.api.conftest import CREATE, assert_problem, token_client
from tests.factories import make_gateway, make_profile, make_recovery, make_user

pytestmark = pytest.mark.django_db


def _ids(client, **params):
    response = client.get(CREATE, params)
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def _walk(client, link="next", start=None, **params):
    """(all ids page by page, the last page)."""
    page = client.get(start or CREATE, params).json()
    pages = [page]
    while page[link]:
        page = client.get(page[link]).json()
        pages.append(page)
    return [[row["id"] for row in p["results"]] for p in pages], pages[-1]


def test_newest_first(api, profile):
    rows = [make_recovery(profile=profile) for _ in range(3)]
    assert _ids(api) == [row.pk for row in reversed(rows)]


def test_filters(api, profile):
    gateway = make_gateway(name="other-gateway")
    other = make_profile(name="other", gateway=gateway)
    ada = make_user("ada")
    one = make_recovery(profile=profile, state=State.RUNNING, app_id="application_1")
    two = make_recovery(
        profile=other, by=ada, jar_path="hdfs:///x/Special.jar", state=State.FAILED, outcome="job_failed"
    )
    three = make_recovery(profile=other, resubmission_of=two, attempt=2)
    assert _ids(api, state="running") == [one.pk]
    assert _ids(api, state=["running", "failed"]) == [two.pk, one.pk]
    assert _ids(api, outcome="job_failed") == [two.pk]
    assert _ids(api, live="true") == [three.pk, one.pk]
    assert _ids(api, live="false") == [two.pk]
    assert _ids(api, profile="other") == [three.pk, two.pk]
    assert _ids(api, gateway="other-gateway", live="true") == [three.pk]
    assert _ids(api, requestedBy="ada") == [two.pk]
    assert _ids(api, jarPath="special") == [two.pk]
    assert _ids(api, batchName=one.batch_name) == [one.pk]
    assert _ids(api, appId="application_1") == [one.pk]
    assert _ids(api, resubmissionOf=two.pk) == [three.pk]
    now = timezone.now()
    assert _ids(api, createdAfter=(now - timedelta(hours=1)).isoformat()) == [three.pk, two.pk, one.pk]
    assert _ids(api, createdBefore=(now - timedelta(hours=1)).isoformat()) == []


def test_search_looks_in_every_field_for_each_word(api, profile):
    one = make_recovery(profile=profile, by=make_user("zoe"), reason="Grand trou", jar_args="--table alpha.beta")
    make_recovery(profile=profile)
    for words in ("grand", "trou ALPHA", "zoe grand", one.batch_name, "recovery.jar zoe"):
        assert _ids(api, search=words) == [one.pk], words
    assert _ids(api, search="zoe nothing") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", "done"),
        ("outcome", "x"),
        ("live", "maybe"),
        ("resubmissionOf", "x"),
        ("resubmissionOf", str(10**30)),
        ("createdAfter", "yesterday"),
        ("createdAfter", "0001-01-01T00:00:00+21:45"),
        ("search", "a\0b"),
        ("ordering", "jarPath"),
        ("ordering", "--id"),
        ("ordering", "id,state"),
        ("pageSize", "0"),
        ("pageSize", "201"),
        ("pageSize", "x"),
        ("cursor", "x"),
        ("cursor", ""),
        ("cursor", "W10"),
        ("cursor", "é"),
        ("stat", "failed"),
    ],
)
def test_a_parameter_that_is_wrong_or_unknown_is_named(api, profile, name, value):
    assert_problem(api.get(CREATE, {name: value}), 400, field=name)


ORDERINGS = ["id", "-id", "createdAt", "-createdAt", "finishedAt", "-finishedAt", "state", "-state"]


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_pages_hold_every_row_once_in_either_direction(api, profile, ordering):
    now = timezone.now().replace(microsecond=0)
    states = [State.RUNNING, State.FAILED, State.FAILED, State.QUEUED, State.SUCCEEDED]
    for index in range(13):
        state = states[index % len(states)]
        when = {} if state in LIVE else {"finished_at": now + timedelta(seconds=index // 5)}
        make_recovery(profile=profile, state=state, **when)
    whole = _ids(api, ordering=ordering)
    assert len(whole) == 13
    pages, last = _walk(api, ordering=ordering, pageSize=3)
    assert [i for page in pages for i in page] == whole
    back, first = _walk(api, "previous", start=last["previous"])
    assert [i for page in reversed(back) for i in page] == whole[:12]
    assert first["previous"] is None
    column = {"id": "id", "createdAt": "created_at", "finishedAt": "finished_at", "state": "state"}[
        ordering.lstrip("-")
    ]
    values = [getattr(Recovery.objects.get(pk=pk), column) for pk in whole]
    known = [value for value in values if value is not None]
    assert values[: len(known)] == known, "rows without a value come last"
    assert known == sorted(known, reverse=ordering.startswith("-"))


def test_pages_stay_still_while_rows_come_in(api, profile):
    rows = [make_recovery(profile=profile) for _ in range(6)]
    page = api.get(CREATE, {"pageSize": 2}).json()
    seen = [row["id"] for row in page["results"]]
    while page["next"]:
        make_recovery(profile=profile)
        page = api.get(page["next"]).json()
        seen += [row["id"] for row in page["results"]]
    assert seen == [row.pk for row in reversed(rows)]


def test_a_page_keeps_its_filters(api, profile):
    rows = [make_recovery(profile=profile, state=state) for state in (State.FAILED, State.RUNNING) * 3]
    pages, _last = _walk(api, state=["failed", "lost"], pageSize=2)
    assert [i for page in pages for i in page] == [row.pk for row in reversed(rows) if row.state == "failed"]


def test_a_cursor_belongs_to_its_ordering(api, profile):
    for _ in range(3):
        make_recovery(profile=profile)
    link = api.get(CREATE, {"pageSize": 1, "ordering": "state"}).json()["next"]
    assert_problem(api.get(link.replace("ordering=state", "ordering=finishedAt")), 400, code="cursor", field="cursor")


@pytest.mark.parametrize("number", [1, 25])
def test_the_list_costs_six_queries_whatever_its_length(steward, django_assert_max_num_queries, number):
    profiles = [make_profile() for _ in range(5)]
    for index in range(number):
        make_recovery(profile=profiles[index % 5])
    client = token_client(steward)
    with django_assert_max_num_queries(6):
        assert len(client.get(CREATE).json()["results"]) == number


@pytest.mark.parametrize(
    ("ordering", "parts"),
    [
        ("state", ["state", True, 1, None]),
        ("state", ["state", True, 1, "a\0"]),
        ("state", ["state", True, 1, 7]),
        ("finishedAt", ["finishedAt", True, 1, "yesterday"]),
        ("finishedAt", ["finishedAt", True, 1, "2024-01-01T00:00:00"]),
        ("id", ["id", 1, 1, None]),
        ("id", ["id", True, -1, None]),
        ("id", ["id", True, True, None]),
        ("id", ["id", True, 2**63, None]),
        ("id", ["id", True, 1]),
        ("id", {"a": 1}),
        ("id", 7),
    ],
)
def test_a_cursor_that_somebody_made_is_refused(api, ordering, parts):
    cursor = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
    assert_problem(api.get(CREATE, {"ordering": ordering, "cursor": cursor}), 400, code="cursor", field="cursor")


def test_a_cursor_of_a_row_that_is_gone_ends_the_list(api):
    for name in ("-id", "-createdAt"):
        cursor = base64.urlsafe_b64encode(json.dumps([name, True, 1, None]).encode()).decode().rstrip("=")
        page = api.get(CREATE, {"ordering": name, "cursor": cursor}).json()
        assert page == {"next": None, "previous": None, "results": []}


@pytest.mark.parametrize("offset", ["+23:59", "-21:45"])
def test_an_offset_that_no_place_on_earth_has_is_a_moment_all_the_same(api, offset):
    """PostgreSQL refuses offsets of 16 hours and more."""
    assert _ids(api, createdAfter=f"2024-01-01T00:00:00{offset}") == []
