"""Pages that are kept up to date: what a person has unfolded stays so, and a portal that is gone is said to be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Desk
from tests.browser.test_stories import PATIENCE, file_one, state

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

Sit = Callable[..., Desk]
LIVE = "**/live/**"


def test_the_chart_as_a_table_stays_open_and_keeps_the_focus(sit: Sit) -> None:
    watcher, steward = sit("steward"), sit("steward")
    page = watcher.go("/admin/")
    page.click("#rp-chart-summary")
    expect(page.locator("#rp-chart-table")).to_have_attribute("open", "")
    page.evaluate("document.getElementById('rp-chart-table').dataset.old = 'yes'")
    number = file_one(steward, "--date 20240401 --table unfolded --sleep 3").split("/")[-3]
    expect(page.locator(f"#rp-run-{number}")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#rp-chart-table[data-old]")).to_have_count(0)  # it is another one
    expect(page.locator("#rp-chart-table")).to_have_attribute("open", "")
    assert page.evaluate("document.activeElement.id") == "rp-chart-summary"


@pytest.mark.parametrize("which", ["home", "recovery"])
def test_a_portal_that_does_not_answer_is_said_to_until_it_does(sit: Sit, which: str) -> None:
    desk = sit("steward")
    if which == "home":
        desk.go("/admin/")
    else:
        file_one(desk, "--date 20240402 --table away --sleep 60")
        state(desk.page, "running")
    page, stale = desk.page, desk.page.locator("#rp-stale")
    expect(stale).to_be_hidden()
    page.route(LIVE, lambda route: route.abort())
    expect(stale).to_be_visible(timeout=PATIENCE)
    expect(stale).to_contain_text("Not up to date since")
    page.unroute(LIVE)
    expect(stale).to_be_hidden(timeout=PATIENCE)
    assert all("htmx:" in line or "ERR_FAILED" in line for line in desk.wrong)
    desk.wrong.clear()


def test_the_clock_is_not_read_out_each_second(sit: Sit) -> None:
    desk = sit("steward")
    file_one(desk, "--date 20240403 --table quiet --sleep 60")
    page = desk.page
    state(page, "running")
    said = page.locator("#rp-said[role=status]")
    expect(said).to_contain_text("running")
    page.evaluate(
        """window.changes = 0;
        new MutationObserver((found) => { window.changes += found.length; }).observe(
            document.getElementById("rp-said"), { childList: true, subtree: true, characterData: true });"""
    )
    expect(page.locator("#rp-log-lines")).to_contain_text("slept 5/", timeout=PATIENCE)  # the page was refreshed
    assert page.evaluate("window.changes") == 0
    expect(page.locator("#rp-story [role=status], #rp-story[role=status]")).to_have_count(0)
