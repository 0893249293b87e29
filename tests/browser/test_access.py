"""Every page can be used by everybody: axe-core finds nothing serious, in light and dark; on a phone no page scrolls
sideways."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from importlib import resources
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from playwright.sync_api import Page

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


def of_a_test(desk: Desk) -> Page:
    """What a test of a gateway has found."""
    page = desk.go("/admin/recovery/gateway/1/test/")
    page.locator("form button.rp-primary").click()
    page.wait_for_selector(".rp-checks")
    return page


def imported(desk: Desk) -> Page:
    """What an import would make."""
    page = desk.go("/admin/recovery/livyprofile/import/")
    page.fill("#id_name", "night")
    page.select_option("#id_gateway", index=1)
    page.fill("#id_text", 'LIVY_JARS=hdfs:///libs/a.jar\nLIVY_CONF={"spark.speculation": "yes"}\nELSE=1')
    page.click("button[name=_preview]")
    page.wait_for_selector("button[name=_save]")
    return page


def many(desk: Desk) -> Page:
    """What a resubmission of some would do."""
    page = desk.go(RECOVERY)
    page.locator("input.action-select").first.check()
    page.select_option("select[name=action]", "resubmit_selected")
    page.locator("#changelist-form button[type=submit]").first.click()
    page.wait_for_selector("form .rp-buttons")
    return page


def edited(desk: Desk) -> Page:
    """The history of a profile whose configuration, files and groups were changed."""
    page = desk.go("/admin/recovery/livyprofile/1/duplicate/")
    page.fill("#id_name", f"copy-{uuid4().hex[:8]}")
    page.locator("form button.rp-primary").click()
    page.wait_for_url("**/change/")
    change = urlsplit(page.url).path
    for keys in ("spark.sql.shuffle.partitions", "spark.executor.extraJavaOptions"):
        page = desk.go(change)
        page.get_by_role("button", name=re.compile("texte?$")).first.click()
        page.fill("#id_conf", f"{keys}=-Dcom.example.some.property=hdfs:///somewhere/far/away/in/the/lake.properties")
        page.fill("#id_jars", f"hdfs:///libs/{keys}-and-a-name-that-does-not-fit-on-a-phone-3.14.0.jar")
        page.locator("input[name=allowed_groups]").first.click()
        page.locator("button[name=_continue]").first.click()
        page.wait_for_load_state("networkidle")
    page = desk.go(change.replace("/change/", "/history/"))
    assert page.locator(".rp-history > li").count() == 3
    return page


def as_it_was(desk: Desk) -> Page:
    """That profile as it was after the first of its changes, beside what it is today."""
    page = edited(desk)
    page.locator(".rp-history > li").nth(1).locator('a[href*="/history/"]').click()
    page.wait_for_selector(".rp-then")
    return page


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


ANSWERS = (
    of_a_test,
    imported,
    many,
    edited,
    as_it_was,
    undone,
    filled_in,
    cancelling,
    with_menu,
    with_filters,
    signed_out,
)
"""Pages that answer somebody, in this order."""
EVENT = (
    "INSERT INTO recovery_recoveryevent (subject_type, subject_id, seq, at, actor_label, kind, cause, data)"
    " VALUES ('recovery', ?, ?, strftime('%Y-%m-%d %H:%M:%f', 'now'), '', ?, '', ?)"
)
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
RUN = "axe.run(document, {resultTypes: ['violations']})"


def violations(page: Page) -> list[str]:
    """What axe-core calls serious or critical."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)  # colours fade in
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate(RUN)
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node['html'][:160]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.fixture
def lost(demo: Demo) -> Iterator[int]:
    """A recovery whose end is not known, and of which a second batch was found; answered when the test is over. It is
    written into the demo's database: nothing there goes wrong by itself."""
    with closing(sqlite3.connect(demo.database, timeout=30)) as base, base:
        columns = [row[1] for row in base.execute("PRAGMA table_info(recovery_recovery)") if row[1] != "id"]
        other = {"batch_name": "batch_name || hex(randomblob(4))", "state": "'lost'", "outcome": "'gone'"}
        other["filing_key"] = "''"
        values = ", ".join(other.get(name, name) for name in columns)
        base.execute(
            f"INSERT INTO recovery_recovery ({', '.join(columns)}) SELECT {values} FROM recovery_recovery WHERE id = 1"
        )
        number = int(base.execute("SELECT max(id) FROM recovery_recovery").fetchone()[0])
        base.execute(EVENT, (number, 1, "duplicate", '{"batch":17}'))
    yield number
    with closing(sqlite3.connect(demo.database, timeout=30)) as base, base:
        base.execute(EVENT, (number, 2, "acknowledged", "{}"))
        base.execute("UPDATE recovery_recovery SET settled_as = 'failed' WHERE id = ?", (number,))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_an_operator_decides_is_open_to_everybody_too(sit: Callable[..., Desk], lost: int, scheme: str) -> None:
    pages = [f"{RECOVERY}{lost}/{name}/" for name in ("change", "settle", "acknowledge")]
    desk, phone = sit("operator", "fr", color_scheme=scheme), sit("operator", "fr", NARROW)
    found = {path: told for path in pages if (told := violations(desk.go(path)))}
    assert found == {}
    assert {path: over for path in pages if (over := phone.go(path).evaluate(TOO_WIDE)) > 0} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_stands_in_anybodys_way(sit: Callable[..., Desk], scheme: str) -> None:
    desk = sit("admin", "fr", color_scheme=scheme)
    found = {path: told for path in PAGES if (told := violations(desk.go(path)))}
    found |= {answer.__name__: told for answer in ANSWERS if (told := violations(answer(desk)))}
    assert found == {}


def test_a_phone_shows_every_page_without_scrolling_sideways(sit: Callable[..., Desk]) -> None:
    desk = sit("admin", "fr", NARROW)
    opened = [(path, partial(desk.go, path)) for path in PAGES]
    opened += [(answer.__name__, partial(answer, desk)) for answer in ANSWERS]
    over = {name: open_it().evaluate(TOO_WIDE) for name, open_it in opened}
    assert {name: pixels for name, pixels in over.items() if pixels > 0} == {}
