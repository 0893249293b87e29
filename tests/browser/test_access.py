"""Every page can be used by everybody: axe-core finds nothing serious, in light and dark; on a phone no page scrolls
sideways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import resources
from typing import Any

import pytest
from playwright.sync_api import Page

from scripts import answers
from scripts.answers import Go, batch_by_hand, linked, lose_one, settle_it
from tests.browser.conftest import NARROW, Demo, Desk
from tests.browser.test_stories import FILE, file_one, fill_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RECOVERY = "/admin/recovery/recovery/"
PAGES = (
    "/admin/", RECOVERY, f"{RECOVERY}file/", f"{RECOVERY}notices/", f"{RECOVERY}help/", f"{RECOVERY}1/change/",
    f"{RECOVERY}1/resubmit/", f"{RECOVERY}1/edit/", f"{RECOVERY}1/log/?q=RECOVERY", "/admin/recovery/livyprofile/",
    "/admin/recovery/livyprofile/1/change/", "/admin/recovery/livyprofile/add/", "/admin/recovery/livyprofile/import/",
    "/admin/recovery/livyprofile/1/version/1/", "/admin/recovery/livyprofile/1/history/",
    "/admin/recovery/livyprofile/1/history/1/", "/admin/recovery/gateway/1/history/",
    "/admin/recovery/gateway/1/history/1/", "/admin/recovery/failuresignature/1/history/",
    "/admin/recovery/livyprofile/1/duplicate/", "/admin/recovery/livyprofile/1/test/", "/admin/recovery/gateway/",
    "/admin/recovery/gateway/1/change/", "/admin/recovery/gateway/1/pause/", "/admin/recovery/failuresignature/",
    "/admin/recovery/failuresignature/1/change/",
    "/admin/recovery/failuresignature/try/", "/admin/recovery/recoveryevent/", "/admin/password_change/",
    "/admin/recovery/apitoken/", "/admin/auth/user/", "/admin/auth/user/2/change/", "/admin/auth/group/",
    "/admin/auth/group/1/change/", "/admin/recovery/gateway/add/", f"{RECOVERY}1/cancel/", f"{RECOVERY}?q=nothing",
)  # fmt: skip
"""Of ours; the first recovery of the demo has succeeded."""


def at_a_desk(answer: Callable[[Go], Page], desk: Desk) -> Page:
    """A page that answers a form, at a person's window."""
    return answer(desk.go)


def undone(desk: Desk) -> Page:
    """A profile's form that is refused, since somebody else has saved meanwhile."""
    page = desk.go("/admin/recovery/failuresignature/1/change/")
    page.evaluate("document.querySelector('input[name=seen]').value = 'an older line'")
    page.locator("button[name=_save]").first.click()
    page.wait_for_load_state("networkidle")
    assert page.locator("input[name=seen]").count() == 1, "it was not saved"
    return page


def filled_in(desk: Desk) -> Page:
    """A request, with what will be sent and the lights beside it."""
    page = desk.go(FILE)
    fill_in(page, args="--date 20240601 --table access")
    page.wait_for_selector("#filing-panel .rp-checks")
    return page


def cancelling(desk: Desk) -> Page:
    """What is said before a job is stopped."""
    file_one(desk, "--date 20240602 --table access --sleep 60")
    desk.page.click("#rp-do-cancel")
    desk.page.wait_for_selector("form button.rp-danger")
    return desk.page


def with_menu(desk: Desk) -> Page:
    """The menu of who is signed in, open."""
    page = desk.go("/admin/")
    if page.locator("#rp-nav-open").is_visible():
        page.click("#rp-nav-open")
    page.click("#rp-user")
    page.wait_for_selector("#logout-form button")
    return page


def with_filters(desk: Desk) -> Page:
    """The filters of a list, open."""
    page = desk.go(RECOVERY)
    page.click("#rp-filters")
    page.wait_for_selector("#rp-filters-close")
    return page


def signed_out(desk: Desk) -> Page:
    """The page to sign in; the last one."""
    desk.page.context.clear_cookies()
    return desk.go("/admin/login/")


ANSWERS: dict[str, Callable[[Desk], Page]] = {
    **{name: partial(at_a_desk, answer) for name, answer in answers.ANSWERS.items()},
    "undone": undone, "filled_in": filled_in, "cancelling": cancelling, "with_menu": with_menu,
    "with_filters": with_filters, "signed_out": signed_out,
}  # fmt: skip
"""Pages that answer somebody, in this order."""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
RUN = "axe.run(document, {resultTypes: ['violations']})"
RULES = {"light": RUN, "dark": "axe.run(document, {resultTypes: ['violations'], runOnly: ['color-contrast']})"}
"""Only colours are not the same in the dark."""


def violations(page: Page, rules: str) -> list[str]:
    """What axe-core calls serious or critical."""
    page.wait_for_timeout(500)  # colours fade in, and what a script brings comes
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate(rules)
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node['html'][:160]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.fixture
def lost(demo: Demo) -> Iterator[int]:
    """A recovery whose end is not known, and of which a second batch was found; answered when the test is over."""
    number = lose_one(demo.database)
    yield number
    settle_it(demo.database, number)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_an_operator_decides_is_open_to_everybody_too(sit: Callable[..., Desk], lost: int, scheme: str) -> None:
    pages = [f"{RECOVERY}{lost}/{name}/" for name in ("change", "settle", "acknowledge")]
    desk, phone = sit("operator", "fr", color_scheme=scheme), sit("operator", "fr", NARROW)
    by_hand = batch_by_hand(desk.demo.database.parent)
    found = {path: told for path in pages if (told := violations(desk.go(path), RULES[scheme]))}
    assert found == {}
    assert violations(linked(desk.go, lost, by_hand), RULES[scheme]) == []
    assert {path: over for path in pages if (over := phone.go(path).evaluate(TOO_WIDE)) > 0} == {}
    assert linked(phone.go, lost, by_hand).evaluate(TOO_WIDE) <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_stands_in_anybodys_way(sit: Callable[..., Desk], scheme: str) -> None:
    desk = sit("admin", "fr", color_scheme=scheme)
    rules = RULES[scheme]
    found = {path: told for path in PAGES if (told := violations(desk.go(path), rules))}
    found |= {name: told for name, answer in ANSWERS.items() if (told := violations(answer(desk), rules))}
    assert found == {}


def test_a_phone_shows_every_page_without_scrolling_sideways(sit: Callable[..., Desk]) -> None:
    desk = sit("admin", "fr", NARROW)
    opened = [(path, partial(desk.go, path)) for path in PAGES]
    opened += [(name, partial(answer, desk)) for name, answer in ANSWERS.items()]
    over = {name: open_it().evaluate(TOO_WIDE) for name, open_it in opened}
    assert {name: pixels for name, pixels in over.items() if pixels > 0} == {}
