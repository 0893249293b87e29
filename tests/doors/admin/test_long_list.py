"""The list where there are many: pages, searches, the count and the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from unfold.templatetags.unfold_list import items_for_result

from recovery.admin import long_list
from recovery.models import LivyProfile, Recovery
from tests.doors.admin.pages import LIST, text
from tests.factories import make_profile, make_recovery, make_user

MAX_LIST_QUERIES = 12


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch, db: None) -> tuple[LivyProfile, User]:
    """120 of them (three pages); 5 is "few", and from 100 on it is long."""
    monkeypatch.setattr(long_list, "FEW", 5)
    monkeypatch.setattr(long_list, "LONG", 100)
    cache.clear()
    profile, by = make_profile(), make_user()
    for number in range(120):
        make_recovery(profile=profile, by=by, reason="odd" if number % 2 else "even")
    return profile, by


def shown(client: Client, **query: Any) -> list[int]:
    """The numbers of a page, from the top."""
    with CaptureQueriesContext(connection) as queries:
        response = client.get(LIST, query)
    assert response.status_code == 200, response
    assert len(queries) <= MAX_LIST_QUERIES
    return [row.pk for row in response.context["cl"].result_list]


@pytest.mark.parametrize("query", [{}, {"q": "odd"}, {"o": "5.7"}, {"phase": "live"}])
def test_the_pages_together_are_what_is_filtered_each_once_and_in_its_order(
    steward: Client, many: object, query: dict[str, str]
) -> None:
    rows = Recovery.objects.filter(reason="odd") if "q" in query else Recovery.objects.all()
    expected = [row.pk for row in rows.order_by(*(["profile_name", "id"] if "o" in query else ["-id"]))]
    last = (len(expected) + 49) // 50
    pages = [shown(steward, p=number, **query) for number in range(1, last + 1)]
    found = [pk for page in pages for pk in page]
    if "o" in query:  # all of one profile: the order among them is the database's, and each still comes once
        assert sorted(found) == expected
    else:
        assert found == expected


def test_a_page_behind_the_last_one_leads_back(steward: Client, many: object) -> None:
    response = steward.get(LIST, {"p": 4})
    assert response.status_code == 302


def test_a_search_that_finds_few_looks_once(steward: Client, many: tuple[LivyProfile, User]) -> None:
    profile, by = many
    wanted = [make_recovery(profile=profile, by=by, reason="the needle").pk for _ in range(3)]
    with CaptureQueriesContext(connection) as queries:
        assert shown(steward, q="needle") == sorted(wanted, reverse=True)
    through_everything = [q for q in queries.captured_queries if "needle" in q["sql"] and " IN (" not in q["sql"]]
    assert len(through_everything) == 1


def test_what_is_new_is_counted_at_once_where_the_old_ones_are_counted_seldom(
    steward: Client, many: tuple[LivyProfile, User]
) -> None:
    profile, by = many
    assert steward.get(LIST).context["cl"].result_count == 120
    newest = make_recovery(profile=profile, by=by)
    with CaptureQueriesContext(connection) as queries:
        response = steward.get(LIST)
    assert response.context["cl"].result_count == 121
    assert response.context["cl"].result_list[0].pk == newest.pk
    assert not [q["sql"] for q in queries.captured_queries if "COUNT(" in q["sql"]], "only what came since is read"


@pytest.mark.parametrize("gap", [False, True])
def test_a_page_of_a_long_table_is_found_without_a_walk_where_no_number_is_missing(
    steward: Client, many: tuple[LivyProfile, User], gap: bool
) -> None:
    """Rolled back numbers are missing on PostgreSQL; nobody deletes a row."""
    profile, by = many
    if gap:
        oldest = Recovery.objects.order_by("pk")[0].pk
        Recovery.objects.filter(pk=oldest).update(id=oldest - 10)
    assert len(shown(steward)) == 50
    newer = [make_recovery(profile=profile, by=by).pk for _ in range(2)]
    expected = list(Recovery.objects.order_by("-pk").values_list("pk", flat=True))
    with CaptureQueriesContext(connection) as queries:
        pages = [shown(steward, p=number) for number in (1, 2, 3)]
    assert [pk for page in pages for pk in page] == expected
    assert expected[:2] == newer[::-1]
    walks = [q["sql"] for q in queries.captured_queries if "OFFSET" in q["sql"]]
    assert len(walks) == (2 if gap else 0)
    assert shown(steward, o="6") == list(Recovery.objects.order_by("created_at").values_list("pk", flat=True)[:50])


def test_what_came_in_great_numbers_is_counted_again(steward: Client, many: tuple[LivyProfile, User]) -> None:
    profile, by = many
    shown(steward)
    for _ in range(7):
        make_recovery(profile=profile, by=by)
    response = steward.get(LIST)
    assert response.context["cl"].result_count == 127
    assert len(response.context["cl"].result_list) == 50


def test_who_has_filed_is_looked_for_seldom_in_a_long_table(steward: Client, many: tuple[LivyProfile, User]) -> None:
    def asked() -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            assert many[1].username in text(steward.get(LIST))
        return [q["sql"] for q in queries.captured_queries if "EXISTS" in q["sql"] and "auth_user" in q["sql"]]

    shown(steward)  # counts, and so knows that it is long
    asked()
    assert asked() == []


def test_a_short_table_is_always_counted(steward: Client) -> None:
    cache.clear()
    assert steward.get(LIST).context["cl"].result_count == 0
    make_recovery()
    assert steward.get(LIST).context["cl"].result_count == 1


def choices(client: Client, **query: Any) -> tuple[str, list[str]]:
    """(the way back, the choices) of the calendar."""
    found = client.get(LIST, query).context["calendar"]
    return (found["back"] or {"title": ""})["title"], [choice["title"] for choice in found["choices"]]


def test_the_calendar_leads_from_years_to_days(steward: Client) -> None:
    today = timezone.localdate()
    first = make_recovery()
    begin = datetime(today.year - 2, 11, 29, 12, tzinfo=UTC)
    Recovery.objects.filter(pk=first.pk).update(created_at=begin)
    make_recovery()
    year = begin.year
    assert choices(steward) == ("", [str(year), str(year + 1), str(year + 2)])
    assert choices(steward, created_at__year=year) == ("All dates", [f"November {year}", f"December {year}"])
    assert choices(steward, created_at__year=year, created_at__month=11) == (
        str(year), ["November 29", "November 30"],
    )  # fmt: skip
    day = {"created_at__year": year, "created_at__month": 11, "created_at__day": 29}
    assert choices(steward, **day) == (f"November {year}", ["November 29"])
    assert shown(steward, **day) == [first.pk]
    steward.cookies["django_language"] = "fr"
    assert choices(steward, created_at__year=year)[1] == [f"Novembre {year}", f"Décembre {year}"]


def test_a_calendar_of_one_year_begins_with_its_months(steward: Client) -> None:
    begin = timezone.localtime()
    Recovery.objects.filter(pk=make_recovery().pk).update(created_at=begin)
    assert choices(steward)[1] == [f"{begin:%B} {begin.year}"]


def test_without_a_recovery_there_is_no_calendar(steward: Client) -> None:
    response = steward.get(LIST)
    assert response.context["calendar"] is None
    assert "toplinks" not in text(response)


@pytest.mark.parametrize(
    "query",
    [
        {"created_at__month": "13"}, {"created_at__year": "2024", "created_at__month": "13"},
        {"created_at__year": "0"}, {"created_at__year": "99999"}, {"created_at__year": "x"},
        {"created_at__year": "2023", "created_at__month": "2", "created_at__day": "30"},
    ],
)  # fmt: skip
def test_no_date_is_too_odd(steward: Client, query: dict[str, str]) -> None:
    Recovery.objects.filter(pk=make_recovery().pk).update(created_at=timezone.now() - timedelta(days=800))
    assert steward.get(LIST, query).status_code in (200, 302)


def test_everything_is_offered_only_where_something_is_left_out(steward: Client) -> None:
    make_recovery()
    assert "Show all" not in text(steward.get(LIST))
    for query in ({"q": "splio"}, {"phase": "live"}, {"created_at__year": timezone.localdate().year}):
        assert "Show all" in text(steward.get(LIST, query)), query


def test_the_events_are_a_long_list_too(auditor: Client) -> None:
    recovery = make_recovery()
    events = "/admin/recovery/recoveryevent/"
    today = timezone.localdate()
    response = auditor.get(events, {"at__year": today.year, "at__month": today.month})
    assert f"{today:%B} {today.day}" in [choice["title"] for choice in response.context["calendar"]["choices"]]
    assert any(event.subject_id == recovery.pk for event in response.context["cl"].result_list)
    with CaptureQueriesContext(connection) as queries:
        auditor.get(events)
    assert len(queries) <= MAX_LIST_QUERIES


def test_yes_and_no_are_words(operator: Client) -> None:
    profile = make_profile(never_restart_in_yarn=True)
    values = operator.get(f"/admin/recovery/livyprofile/{profile.pk}/version/1/").context["values"]
    assert {value.name: value.then for value in values}["Never restart inside YARN"] == "yes"


@pytest.mark.parametrize("address", [LIST, f"{LIST}?q=even&o=-5.2", "/admin/recovery/recoveryevent/"])
def test_the_rows_are_those_that_the_theme_would_make(
    steward: Client, auditor: Client, many: object, address: str
) -> None:
    """But for a box's caption, which the theme gives to the first column of a list without boxes too."""
    for client in (steward, auditor):
        context = client.get(address).context
        shown = context["cl"]
        theirs = [[str(cell) for cell in items_for_result(shown, row, None)] for row in shown.result_list]
        if "action_checkbox" not in shown.list_display:
            own = str(context["listed"]["result_headers"][0]["text"])
            theirs = [[cells[0].replace("Select record", own), *cells[1:]] for cells in theirs]
        assert [[str(cell) for cell in row] for row in context["listed"]["results"]] == theirs
        assert theirs
