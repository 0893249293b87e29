"""What stands around every page: times, names, ways on, and what is said when something cannot be shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import clear_url_caches, path
from django.utils import timezone, translation
from django.utils.translation import gettext

from recovery.admin import show
from recovery.models import Recovery
from recovery.services import events
from recovery.wording import labels
from recovery_portal import urls
from tests.doors.admin.conftest import Door
from tests.doors.admin.pages import LIST, page, text
from tests.factories import make_gateway, make_profile, make_recovery

AGO = (
    (timedelta(seconds=-2), "just now"),
    (timedelta(seconds=58), "just now"),
    (timedelta(minutes=3, seconds=5), "3 min ago"),
    (timedelta(hours=23, minutes=59), "23 h ago"),
)
HOME = "/admin/"


# ── times ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("passed", "words"), AGO)
def test_what_happened_today_is_told_by_how_long_ago(passed: timedelta, words: str) -> None:
    when = timezone.now() - passed
    with translation.override("en"):
        shown = str(show.ago(when))
    assert f">{words}</time>" in shown
    assert " data-ago>" in shown, "the page keeps it true"
    assert f'datetime="{timezone.localtime(when).isoformat(timespec="seconds")}"' in shown
    assert re.search(r'title="[^"]*\d\d:\d\d:\d\d CES?T"', shown), "the exact one, with its zone"


def test_older_and_coming_times_are_dates() -> None:
    for when in (timezone.now() - timedelta(hours=25), timezone.now() + timedelta(hours=1)):
        shown = str(show.ago(when))
        assert f">{timezone.localtime(when).day} " in shown
        assert "data-ago" not in shown
    assert show.ago(None, empty="never") == "never"


def test_lists_and_home_tell_how_long_ago_and_exports_when(door: Door) -> None:
    now = timezone.now()
    gateway = make_gateway(last_seen_at=now - timedelta(minutes=7))
    recovery = make_recovery(profile=make_profile(gateway=gateway), state="succeeded", finished_at=now)
    events.of_recovery(recovery.pk, "ended")
    Recovery.objects.update(created_at=now - timedelta(hours=2, minutes=1))
    client = door("Auditors")
    assert ">2 h ago</time>" in text(client.get(LIST))
    assert ">7 min ago</time>" in text(client.get(HOME))
    assert ">just now</time>" in text(client.get("/admin/recovery/recoveryevent/"))
    assert ">7 min ago</time>" in text(door("Operators").get("/admin/recovery/gateway/"))
    exported = client.get(f"{LIST}export/csv/")
    assert " ago" not in b"".join(exported.streaming_content).decode()  # type: ignore[attr-defined]


def test_the_etag_stands_for_what_is_and_not_for_how_long_ago(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    gateway = make_gateway(last_seen_at=now)
    recovery = make_recovery(profile=make_profile(gateway=gateway), state="succeeded", finished_at=now, seen_at=now)
    client = door("Operators")
    urls = {HOME: f"{LIST}home/live/", page(recovery): page(recovery, "live")}
    etags = {url: client.get(url).context["etag"] for url in urls}
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(minutes=5))
    for url, live in urls.items():
        assert "5 min ago" in text(client.get(url))
        assert client.get(live, headers={"if-none-match": f'"{etags[url]}"'}).status_code == 304


def test_every_page_names_the_zone_of_its_times(steward: Client) -> None:
    for url in (HOME, LIST, f"{LIST}file/"):
        assert "Times: Europe/Paris" in text(steward.get(url))


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_has_a_main_part_and_a_way_to_it(steward: Client) -> None:
    make_recovery()
    for client, url in ((steward, HOME), (steward, LIST), (Client(), "/admin/login/")):
        shown = text(client.get(url))
        assert shown.count("<main ") == 1
        assert '<main id="content"' in shown
    assert 'href="#content">Skip to content<' in text(steward.get(HOME))


def test_what_opens_something_is_a_button(steward: Client) -> None:
    shown = text(steward.get(LIST))
    for name in ("rp-nav-open", "rp-nav-close", "rp-user", "rp-filters", "rp-filters-close"):
        assert re.search(f'<button type="button"[^>]* ?id="{name}"', shown), name
    assert not re.search(
        r"<(span|div|a)\b(?![^>]*href)[^>]*x-on:click=\"(sidebar|openUserLinks =|filterOpen = true)", shown
    )


def test_a_list_is_called_by_its_name(steward: Client) -> None:
    assert re.search(r"<title>\s*Recoveries \|", text(steward.get(LIST)))


# ── nothing to show ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_list_says_what_this_person_can_do(door: Door) -> None:
    for query in ("", "?requester=me", "?phase=live"):
        assert "Run a recovery</a></p>" in text(door("Stewards").get(LIST + query)), query
        assert "Run a recovery</a></p>" not in text(door("Auditors").get(LIST + query)), query
    assert "You have filed no recovery yet" in text(door("Stewards").get(f"{LIST}?requester=me"))
    shown = text(door("Auditors").get("/admin/recovery/recoveryevent/"))
    assert "There is nothing here yet" in shown
    assert "rp-primary" not in shown.partition("rp-empty")[2]
    assert "/gateway/add/" in text(door("Operators").get("/admin/recovery/gateway/")).partition("rp-empty")[2]


@pytest.mark.parametrize("query", ["?q=nothing", "?phase=ended", "?requester=me&phase=live"])
def test_behind_filters_the_way_out_is_to_remove_them(steward: Client, query: str) -> None:
    shown = text(steward.get(LIST + query)).partition("rp-empty")[2]
    assert "Nothing fits these filters" in shown
    assert '<a class="rp-button" href="?">Remove the filters</a>' in shown


def test_home_without_results_says_what_to_do_and_says_so_after_a_refresh(door: Door) -> None:
    make_gateway()
    for group, offered in (("Stewards", True), ("Auditors", False)):
        client = door(group)
        for url in (HOME, f"{LIST}home/live/"):
            shown = text(client.get(url))
            assert ('id="rp-end-none"' in shown) is offered, (group, url)
            assert ("What you file appears here at once." in shown) is offered, (group, url)


# ── pages of errors ─────────────────────────────────────────────────────────────────────────────────────────────────


def broken(request: HttpRequest) -> Any:
    raise RuntimeError


@pytest.fixture
def broken_page() -> Iterator[str]:
    """An address whose view fails."""
    urls.urlpatterns.append(path("broken/", broken))
    clear_url_caches()
    yield "/broken/"
    urls.urlpatterns.pop()
    clear_url_caches()


ERRORS = {403: "You may not do this", 404: "There is no such page", 500: "Something went wrong here"}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_error_says_what_happened_and_where_to_go(door: Door, broken_page: str, language: str) -> None:
    client = door("Auditors", language=language)
    client.raise_request_exception = False
    for status, url in ((403, f"{LIST}file/"), (404, f"{LIST}999/change/"), (404, "/nowhere/"), (500, broken_page)):
        response = client.get(url)
        shown = text(response)
        assert response.status_code == status
        assert '<a href="/">' in shown
        assert f'lang="{language}"' in shown
        with translation.override(language):
            assert gettext(ERRORS[status]) in shown


def test_a_form_without_its_token_is_answered_in_words(door: Door) -> None:
    person = door("Stewards").person  # type: ignore[attr-defined]
    client = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    client.force_login(person)
    response = client.post(f"{LIST}file/", {})
    assert response.status_code == 403
    assert "What you sent was not accepted" in text(response)


def test_programs_are_still_answered_in_json(steward: Client) -> None:
    for client, status in ((steward, 404), (Client(), 401)):
        response = client.get("/api/v1/recoveries/999/")
        assert response.status_code == status
        assert response.json()["status"] == status


# ── groups ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_groups_are_called_by_names_that_can_be_translated(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "GROUPS", {"Stewards": "Ceux des données"})
    client = door(is_superuser=True)
    profile = make_profile()
    urls = ("auth/group/", "auth/user/", f"auth/user/{client.person.pk}/change/",  # type: ignore[attr-defined]
            f"recovery/livyprofile/{profile.pk}/change/")  # fmt: skip
    for url in urls:
        shown = text(client.get(f"/admin/{url}"))
        assert "Ceux des données" in shown, url
        assert "Auditors" in shown, "one without a label keeps its name"
