"""People who use keys only, and browsers without scripts: the same stories, by other ways."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, Desk
from tests.browser.test_stories import FILE, JAR, LIST, PATIENCE, run

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

Sit = Callable[..., Desk]
STEPS = 120
"""So many times somebody presses Tab, at the most."""
HERE = "selector => document.activeElement.matches(selector)"


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until it has the focus."""
    for _ in range(STEPS):
        page.keyboard.press("Tab")
        if page.evaluate(HERE, selector):
            return
    pytest.fail(f"{selector} is not reached by Tab")


def test_one_key_leads_past_the_navigation(sit: Sit, language: str) -> None:
    page = sit("steward", language).go(LIST)
    page.keyboard.press("Tab")
    skip = page.locator(".rp-skip")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    expect(page.locator("main#content")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.getElementById('content').contains(document.activeElement)")


def test_filters_open_and_close_by_keys(sit: Sit, language: str) -> None:
    page = sit("steward", language).go(LIST)
    opener, panel = page.locator("#rp-filters"), page.locator("#changelist-filter")
    tab_to(page, "#rp-filters")
    expect(opener).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    expect(panel).to_be_visible()
    expect(opener).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#rp-filters-close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel).to_be_visible()
    tab_to(page, "#changelist-filter [aria-labelledby~=select2-id_phase-container]")
    for key in ("Enter", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    tab_to(page, "#changelist-filter button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url("**phase=live**")


def test_colours_and_the_way_out_are_reached_by_keys(sit: Sit, language: str) -> None:
    desk = sit("auditor", language)
    page = desk.go("/admin/")
    tab_to(page, "#rp-user")
    page.keyboard.press("Enter")
    expect(page.locator("#rp-user-menu")).to_be_visible()
    expect(page.locator("#rp-user")).to_have_attribute("aria-expanded", "true")
    tab_to(page, "#rp-user-menu button[aria-pressed=false]")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_class("light")
    page.keyboard.press("Escape")
    expect(page.locator("#rp-user-menu")).to_be_hidden()
    expect(page.locator("#rp-user")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#rp-user-menu")).to_be_visible()
    tab_to(page, "#rp-user-menu a[href$='/password_change/']")
    tab_to(page, "#logout-form button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/logout/")


def test_a_recovery_is_filed_by_keys_on_a_phone(sit: Sit, language: str) -> None:
    page = sit("steward", language, NARROW).go("/admin/")
    tab_to(page, "#rp-nav-open")
    page.keyboard.press("Enter")
    expect(page.locator("#nav-sidebar")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#nav-sidebar")).to_be_hidden()
    expect(page.locator("#rp-nav-open")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#nav-sidebar")).to_be_visible()
    tab_to(page, f"#nav-sidebar a[href='{FILE}']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{FILE}")
    tab_to(page, "#id_profile")
    page.keyboard.press("ArrowDown")
    for field, typed in (("jarPath", JAR), ("jarArgs", f"--date 20240401 --keys {language}"), ("reason", "DATA-9")):
        tab_to(page, f"#id_{field}")
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type(typed)
    button = page.locator("button[name=_file]")
    expect(button).to_be_enabled(timeout=PATIENCE)
    for index in range(page.locator("input[name=confirm]").count()):
        tab_to(page, "input[name=confirm]")
        page.keyboard.press("Space")
        expect(page.locator("input[name=confirm]").nth(index)).to_be_checked()
    tab_to(page, "button[name=_file]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")
    expect(page.locator("#rp-story")).to_be_visible()


def test_names_are_words_of_the_page_and_not_of_its_icons(sit: Sit, language: str) -> None:
    page = sit("operator", language).go(LIST)
    names = page.evaluate(
        "[...document.querySelectorAll('a, button')].filter(one => one.checkVisibility()).map(one =>"
        " one.getAttribute('aria-label') ?? [...one.childNodes].filter(node => node.ariaHidden !== 'true')"
        ".map(node => node.textContent).join(' ').trim())"
    )
    assert all(names), "each has one"
    assert not any("_" in name for name in names), "an icon's word is no name"
    regions = page.locator(".simplebar-content-wrapper")
    assert regions.count() > 1
    for region in regions.all():
        assert region.get_attribute("aria-label") not in (None, "", "scrollable content")


# ── without scripts ─────────────────────────────────────────────────────────────────────────────────────────────────


def without_scripts(sit: Sit, name: str, language: str, size: tuple[int, int] = WIDE) -> Desk:
    return sit(name, language, size, java_script_enabled=False)


def file_one(desk: Desk, args: str) -> str:
    """In two steps: the preview is a page here."""
    page = desk.go(FILE)
    page.select_option("#id_profile", index=1)
    page.fill("#id_jarPath", JAR)
    page.fill("#id_jarArgs", args)
    page.fill("#id_reason", "DATA-1: a day is missing")
    page.click("button[name=_preview]")
    run(page)
    return page.url


def test_without_scripts_one_files_resubmits_and_cancels(sit: Sit, language: str) -> None:
    desk = without_scripts(sit, "steward", language)
    page = desk.page
    for number in (1, 2):
        file_one(desk, f"--date 2024050{number} --table plain.{language} --sleep 600")
        page.click("#rp-do-cancel")
        page.click("form button.rp-danger")
        page.wait_for_url("**/change/")
    for _ in range(60):  # it is not told: it asks again
        desk.go(f"{LIST}?q=plain.{language}&state__exact=cancelled")
        if page.locator("input.action-select").count() == 2:
            break
        page.wait_for_timeout(500)
    for box in page.locator("input.action-select").all():
        box.check()
    page.select_option("select[name=action]", "resubmit_selected")
    page.click("#changelist-actions button[type=submit]")
    expect(page.locator("table.rp-table tbody tr")).to_have_count(2)
    for box in page.locator("form input[type=checkbox]").all():
        box.check()
    page.click("form button.rp-primary")
    desk.go(f"{LIST}?q=plain.{language}")
    boxes = page.locator("input.action-select")
    expect(boxes).to_have_count(4)
    for box in boxes.all()[:2]:  # the new ones, for an end
        box.check()
    page.select_option("select[name=action]", "cancel_selected")
    page.click("#changelist-actions button[type=submit]")
    page.click("form button.rp-danger")
    expect(page.locator("#changelist, .rp-card").first).to_be_visible()


def test_without_scripts_an_operator_pauses_a_gateway_on_a_phone(sit: Sit, language: str) -> None:
    desk = without_scripts(sit, "operator", language, NARROW)
    page = desk.go("/admin/")
    page.click("#nav-sidebar a[href$='/recovery/gateway/']")
    page.locator("#result_list tbody a").first.click()
    page.click("a[href$='/pause/']")
    page.fill("#id_reason", "no scripts tonight")
    page.click("form button.rp-primary, form button[type=submit].rp-button")
    page.goto(f"{desk.demo.url}/admin/")
    expect(page.locator("#rp-gateways")).to_contain_text("no scripts tonight")
    page.locator("#rp-gateways a").first.click()
    page.click("a[href$='/resume/']")
    page.click("form button.rp-primary, form button[type=submit].rp-button")
    page.goto(f"{desk.demo.url}/admin/")
    expect(page.locator("#rp-gateways")).not_to_contain_text("no scripts tonight")
    assert page.locator("#rp-filters, #rp-nav-open").filter(visible=True).count() == 0, "what would do nothing is gone"
