"""What people do all day, from their first click to the last word, in French and in English."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import NARROW, Desk

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

JAR = "hdfs:///user/sddesigner/recovery.jar"
FILE = "/admin/recovery/recovery/file/"
LIST = "/admin/recovery/recovery/"
ACTION = "_selected_action"
BUTTONS = ("resubmit", "edit", "cancel", "settle", "acknowledge")
PATIENCE = 40_000
"""Milliseconds: a job of the demo runs for some seconds."""
Sit = Callable[..., Desk]
WORDS = {
    "fr": {
        "succeeded": "réussi",
        "failed": "échoué",
        "cancelled": "annulé",
        "running": "en exécution",
        "green": "en ordre",
        "cause": "Probablement : Le pilote",
    },
    "en": {
        "succeeded": "succeeded",
        "failed": "failed",
        "cancelled": "cancelled",
        "running": "running",
        "green": "in order",
        "cause": "Probably: The job’s driver",
    },
}
"""What the page says of a state."""


def fill_in(page: Page, *, args: str, jar: str = JAR, reason: str = "DATA-1: a day is missing") -> None:
    """Type a request, and wait until what will be sent is shown."""
    page.select_option("#id_profile", index=1)
    page.fill("#id_jarPath", jar)
    page.fill("#id_jarArgs", args)
    page.fill("#id_reason", reason)
    page.wait_for_selector(f"#filing-panel :text('{args.split()[0]}')")


def run(page: Page) -> None:
    """Tick what is asked, and file it."""
    button = page.locator("button[name=_file]")
    expect(button).to_be_enabled(timeout=PATIENCE)
    for box in page.locator("input[name=confirm]").all():
        box.check()
    button.click()
    page.wait_for_url("**/change/")


def file_one(desk: Desk, args: str) -> str:
    """A recovery, filed as a person does; its page's address."""
    fill_in(desk.go(FILE), args=args)
    run(desk.page)
    return desk.page.url


def state(page: Page, word: str) -> None:
    """Wait until the page says so, by itself."""
    expect(page.locator("#rp-story .rp-state")).to_contain_text(word, timeout=PATIENCE)


def test_file_it_watch_it_and_read_its_log(sit: Sit, language: str) -> None:
    desk = sit("steward", language)
    page = desk.page
    page.click("main a[href$='/recovery/file/'], #content-main a[href$='/recovery/file/']")
    fill_in(page, args=f"--date 20240101 --table splio.{language} --sleep 4")
    expect(page.locator(".rp-args li")).to_have_count(1)
    expect(page.locator("button[name=_file]")).to_be_enabled(timeout=PATIENCE)
    expect(page.locator("#filing-panel .rp-badge").first).to_have_text(re.compile(WORDS[language]["green"]))
    expect(page.locator("input[name=confirm]")).to_have_count(0)  # green: nothing is asked
    run(page)
    state(page, WORDS[language]["running"])
    expect(page.locator("#rp-log-lines")).to_contain_text("RECOVERY", timeout=PATIENCE)
    state(page, WORDS[language]["succeeded"])
    expect(page.locator("#rp-log-lines")).to_contain_text("RECOVERY done", timeout=PATIENCE)
    with page.expect_download() as download:
        page.click("#log a[download]")
    assert "RECOVERY done" in Path(download.value.path()).read_text()


def test_a_jar_that_is_not_there_is_red_and_cannot_be_run(sit: Sit, language: str) -> None:
    page = sit("steward", language).go(FILE)
    fill_in(page, args="--date 20240101", jar="hdfs:///user/sddesigner/missing.jar")
    expect(page.locator("#filing-panel .rp-badge.rp-bad").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator("button[name=_file]")).to_have_count(0)
    page.fill("#id_jarPath", JAR)
    expect(page.locator("button[name=_file]")).to_be_enabled(timeout=PATIENCE)


def test_what_was_done_already_asks_first(sit: Sit, language: str) -> None:
    desk = sit("steward", language, NARROW)
    file_one(desk, f"--date 20240103 --table once.{language}")
    page = desk.go(FILE)
    fill_in(page, args=f"--date 20240103 --table once.{language}")
    expect(page.locator("#filing-panel .rp-badge.rp-warn").first).to_be_visible(timeout=PATIENCE)
    before = page.locator("input[name=confirm]").count()
    assert before >= 1
    page.locator("button[name=_file]").click()
    expect(page.locator("input[name=confirm]:invalid").first).to_be_focused()  # the browser shows what it waits for
    page.eval_on_selector_all("input[name=confirm]", "boxes => boxes.forEach((box) => { box.required = false; })")
    page.locator("button[name=_file]").click()
    alert = page.locator("#filing-panel [role=alert]")
    expect(alert).to_be_focused()
    expect(alert).to_be_in_viewport()
    assert page.url.endswith("/file/"), "nothing was filed"
    run(page)


def test_a_late_answer_does_not_offer_to_run_what_is_typed_no_more(sit: Sit) -> None:
    page = sit("steward").page
    page.clock.install()
    held: list[Route] = []
    page.route("**/file/preview/", lambda route: held.append(route))
    page.goto(page.url.removesuffix("/admin/") + FILE)
    page.select_option("#id_profile", index=1)
    page.fill("#id_jarPath", JAR)
    page.fill("#id_jarArgs", "--date 20240109")
    page.clock.run_for(1000)
    while not held:
        page.wait_for_timeout(20)
    old = held[0].fetch()
    assert "_file" in old.text()
    page.fill("#id_jarArgs", "--date 20240110")
    held[0].fulfill(response=old)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done()))")
    expect(page.locator("button[name=_file]:enabled")).to_have_count(0)
    page.unroute("**/file/preview/")
    page.clock.run_for(1000)
    expect(page.locator("#filing-panel .rp-args")).to_contain_text("20240110")
    expect(page.locator("button[name=_file]")).to_be_enabled()


def test_a_failure_is_explained_and_run_again_with_its_remedy(sit: Sit, language: str) -> None:
    desk = sit("steward", language)
    file_one(desk, f"--date 20240104 --oom --table big.{language}")
    page = desk.page
    state(page, WORDS[language]["failed"])
    remedy = page.locator("#rp-outcome a[href*='remedy=']").first
    expect(remedy).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#rp-outcome")).to_contain_text(WORDS[language]["cause"])
    expect(page.locator("#rp-outcome")).to_contain_text("java.lang.OutOfMemoryError: Java heap space")
    remedy.click()  # it asks for nothing: its preview follows at once
    page.wait_for_selector("input[name=previewed]", state="attached")
    expect(page.locator(".rp-table").first).to_contain_text("driverMemory")
    run(page)
    expect(page.locator(".rp-chain > li")).to_have_count(2)


def test_a_running_job_is_cancelled(sit: Sit, language: str) -> None:
    desk = sit("steward", language)
    file_one(desk, "--date 20240105 --sleep 600")
    page = desk.page
    state(page, WORDS[language]["running"])
    page.click("#rp-do-cancel")
    expect(page.locator(".rp-alert").first).to_be_visible()
    page.locator("form button.rp-danger").click()
    page.wait_for_url("**/change/")
    state(page, WORDS[language]["cancelled"])


def test_two_are_run_again_at_once(sit: Sit, language: str) -> None:
    desk = sit("steward", language)
    for number in (1, 2):
        file_one(desk, f"--date 2024020{number} --table again.{language}")
        state(desk.page, WORDS[language]["succeeded"])
    page = desk.go(f"{LIST}?q=again.{language}")
    boxes = page.locator("input.action-select")
    expect(boxes).to_have_count(2)
    for box in boxes.all():
        box.check()
    page.select_option("select[name=action]", "resubmit_selected")
    page.locator("#changelist-form button[type=submit]").first.click()
    expect(page.locator("table.rp-table tbody tr")).to_have_count(2)
    page.locator("input[name=amber]").check()  # both have succeeded today, which is said
    page.locator("form button.rp-primary").click()
    page.goto(f"{desk.demo.url}{LIST}?q=again.{language}")
    expect(page.locator("input.action-select")).to_have_count(4)


def test_an_auditor_takes_a_list_home_and_changes_nothing(sit: Sit, language: str, tmp_path: Path) -> None:
    desk = sit("auditor", language)
    page = desk.go(LIST)
    with page.expect_download() as download:
        page.click("a[href*='/export/csv/']")
    lines = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    rows = list(csv.reader(lines, delimiter=";" if language == "fr" else ","))
    assert len(rows) > 1
    with page.expect_download() as book:
        page.click("a[href*='/export/xlsx/']")
    assert Path(book.value.path()).read_bytes().startswith(b"PK")
    number = rows[1][0]
    token = next(one["value"] for one in page.context.cookies() if one["name"] == "csrftoken")
    given: dict[str, str | float | bool] = {"csrfmiddlewaretoken": token, "reason": "a reason", "confirmed": "1"}
    forbidden = [f"recovery/{path}/" for path in ("file", *(f"{number}/{name}" for name in BUTTONS))]
    forbidden += [f"livyprofile/{path}/" for path in ("add", "import", "1/duplicate")]
    forbidden += [f"gateway/{path}/" for path in ("add", "1/pause", "1/resume", "1/test")]
    forbidden += ["failuresignature/add/"]
    seen_only = [
        "livyprofile/1/change/",
        "gateway/1/change/",
        "failuresignature/1/change/",
        f"recovery/{number}/change/",
    ]
    for path in (*forbidden, *seen_only):
        address = f"{desk.demo.url}/admin/recovery/{path}"
        looked, sent = page.context.request.get(address), page.context.request.post(address, form=given)
        assert (looked.status, sent.status) == (403 if path in forbidden else 200, 403), path
    many: dict[str, str | float | bool] = {ACTION: number, "action": "resubmit_selected", "key": "k" * 32}
    page.context.request.post(desk.demo.url + LIST, form=given | many)
    page.goto(f"{desk.demo.url}{LIST}{number}/change/")
    expect(page.locator("#rp-story")).to_be_visible()
    expect(page.locator("a[id^='rp-do-']")).to_have_count(0)
    after = page.context.request.get(f"{desk.demo.url}{LIST}export/json/").json()
    assert len(after) == len(rows) - 1, "nothing was made of it"


def test_an_operator_pauses_a_gateway_and_it_goes_on(sit: Sit, language: str) -> None:
    desk = sit("operator", language)
    page = desk.go("/admin/")
    page.locator("#rp-gateways a").first.click()
    page.click("a[href$='/pause/']")
    page.fill("#id_reason", "maintenance tonight")
    page.locator("form button.rp-primary, form button[type=submit].rp-button").first.click()
    page.goto(f"{desk.demo.url}/admin/")
    expect(page.locator("#rp-gateways")).to_contain_text("maintenance tonight")
    page.locator("#rp-gateways a").first.click()
    page.click("a[href$='/resume/']")
    page.locator("form button.rp-primary, form button[type=submit].rp-button").first.click()
    page.goto(f"{desk.demo.url}/admin/")
    expect(page.locator("#rp-gateways")).not_to_contain_text("maintenance tonight")


def test_the_home_page_follows_what_runs_without_being_loaded_again(sit: Sit, language: str) -> None:
    watcher, steward = sit("steward", language), sit("steward", language)
    page = watcher.go("/admin/")
    page.evaluate("window.stays = true")
    page.locator("#content-main a").first.focus()
    url = file_one(steward, f"--date 20240301 --table home.{language} --sleep 3")
    number = url.split("/")[-3]
    expect(page.locator(f"#rp-run-{number}")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(f"#rp-end-{number}")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("window.stays") is True
    assert page.evaluate("document.activeElement.tagName") == "A", "the focus stays where it was"


def test_an_operator_imports_a_profile_and_edits_its_configuration_in_rows(sit: Sit, language: str) -> None:
    desk = sit("operator", language)
    page = desk.go("/admin/recovery/livyprofile/")
    page.click("a[href$='/livyprofile/import/']")
    page.fill("#id_name", f"night-{language}")
    page.select_option("#id_gateway", index=1)
    page.fill("#id_text", 'LIVY_QUEUE=root.night\nLIVY_CONF={"spark.sql.shuffle.partitions": "200"}\nAD_PASSWORD=hush')
    page.click("button[name=_preview]")
    expect(page.locator(".rp-facts")).to_contain_text("root.night")
    expect(page.locator("#id_text")).not_to_have_value(re.compile("hush"))
    page.click("button[name=_save]")
    page.wait_for_url("**/change/**")
    rows = page.locator(".rp-pair")
    expect(rows).to_have_count(1)
    expect(rows.first.locator("input").first).to_have_value("spark.sql.shuffle.partitions")
    page.locator(".rp-pairs .rp-buttons button").first.click()
    rows.nth(1).locator("input").first.fill("spark.speculation")
    rows.nth(1).locator("input").nth(1).fill("yes")
    page.locator("[name=_continue]").first.click()
    page.wait_for_load_state()
    expect(page.locator("body")).to_contain_text("spark.speculation")  # the remark: it is true or false
    expect(page.locator(".rp-pairs-remarks")).to_contain_text("spark.speculation")
    expect(page.locator(".rp-pair")).to_have_count(2)
    page.locator(".rp-pair").nth(1).locator("button").click()
    page.locator(".rp-pairs .rp-buttons button").nth(1).click()
    expect(page.locator("#id_conf")).to_have_value("spark.sql.shuffle.partitions=200")
    page.locator(".rp-pairs .rp-buttons button").nth(2).click()
    expect(page.locator("#id_conf")).to_have_value('{\n  "spark.sql.shuffle.partitions": "200"\n}')
    page.locator("[name=_continue]").first.click()
    expect(page.locator(".rp-pair")).to_have_count(1)


def test_an_operator_tests_what_stands_behind_a_gateway(sit: Sit, language: str) -> None:
    desk = sit("operator", language)
    page = desk.go("/admin/recovery/gateway/")
    page.locator("#result_list tbody tr").first.locator("a").first.click()
    page.locator("a[href$='/test/']").first.click()
    page.locator("form button.rp-primary").click()
    expect(page.locator(".rp-checks li h3")).to_contain_text(["Livy", "Auth", "WebHDFS", "YARN"])


def test_how_long_ago_stays_true_while_a_page_is_open(sit: Sit, language: str) -> None:
    desk = sit("auditor", language)
    desk.page.clock.install()
    page = desk.go(f"{LIST}?q=1")
    shown = page.locator("#result_list time[data-ago]").first
    before, exact = shown.inner_text(), shown.get_attribute("title")
    desk.page.clock.fast_forward("02:03:00")
    expect(shown).not_to_have_text(before)
    expect(shown).to_contain_text("2 h")
    desk.page.clock.fast_forward("23:00:00")
    expect(shown).to_have_text(exact or "")
