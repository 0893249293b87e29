"""Screenshots of the demo: those of the papers, or every page in every way it is looked at.

    python -m scripts.screenshots             writes docs/images/*.png, which README and the guides show
    python -m scripts.screenshots --all DIR   each page in French and English, wide and narrow, light and dark

Needs Debian's chromium. Called by `make screenshots`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from scripts.answers import ANSWERS, Go, batch_by_hand, linked, lose_one
from scripts.demo import running

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
SIZES = {"wide": (1400, 1000), "narrow": (390, 844)}
LIST = "/admin/recovery/recovery/"
JAR = "hdfs:///user/sddesigner/recovery.jar"
PAGES = {
    "home": "/admin/",
    "list": LIST,
    "file": f"{LIST}file/?profile=env&jarPath={JAR}&jarArgs=--date 20240102 --table splio.active&reason=DATA-42",
    "succeeded": f"{LIST}1/change/",
    "failed": f"{LIST}2/change/",
    "running": f"{LIST}3/change/",
    "edit": f"{LIST}2/edit/",
    "resubmit": f"{LIST}2/resubmit/",
    "cancel": f"{LIST}3/cancel/",
    "notices": f"{LIST}notices/",
    "help": f"{LIST}help/",
    "profiles": "/admin/recovery/livyprofile/",
    "profile": "/admin/recovery/livyprofile/add/",
    "import": "/admin/recovery/livyprofile/import/",
    "version": "/admin/recovery/livyprofile/1/version/1/",
    "history": "/admin/recovery/livyprofile/1/history/",
    "then": "/admin/recovery/livyprofile/1/history/1/",
    "pauses": "/admin/recovery/gateway/1/history/",
    "duplicate": "/admin/recovery/livyprofile/1/duplicate/",
    "gateways": "/admin/recovery/gateway/",
    "gateway": "/admin/recovery/gateway/1/change/",
    "signatures": "/admin/recovery/failuresignature/",
    "pause": "/admin/recovery/gateway/1/pause/",
    "signature": "/admin/recovery/failuresignature/1/change/",
    "try": "/admin/recovery/failuresignature/try/",
    "log": f"{LIST}1/log/?q=RECOVERY",
    "tokens": "/admin/recovery/apitoken/",
    "users": "/admin/auth/user/",
    "user": "/admin/auth/user/2/change/",
    "groups": "/admin/auth/group/",
    "nothing": f"{LIST}?q=nothing",
    "events": "/admin/recovery/recoveryevent/",
}
"""Name → address; recoveries 1 to 3 are made here."""
SHOWN = ("home", "file", "failed", "running")
"""Those of the papers."""
FILED = (
    "--date 20240101 --table splio.active --oom",
    "--date 20240102 --table splio.active --sleep 900",
)
"""The first one uses up its memory, which is explained."""


def sign_in(browser: Browser, url: str, password: str, *, language: str, size: str, scheme: str) -> Page:
    """The administrator's window."""
    width, height = SIZES[size]
    context = browser.new_context(
        locale=language, viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )  # fmt: skip
    page = context.new_page()
    page.goto(f"{url}/admin/login/?next=/admin/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", password)
    page.press("#id_password", "Enter")
    page.wait_for_url("**/admin/")
    return page


def file_some(page: Page, url: str) -> None:
    """One that fails and one that runs."""
    for args in FILED:
        page.goto(f"{url}{LIST}file/?profile=env&jarPath={JAR}&jarArgs={args}&reason=DATA-41")
        page.wait_for_selector("button[name=_file]:enabled")
        for box in page.locator("input[name=confirm]").all():
            box.check()
        page.click("button[name=_file]")
        page.wait_for_url("**/change/")
    page.wait_for_selector("#rp-story [data-since]", timeout=60_000)
    page.goto(f"{url}{LIST}2/change/")
    page.wait_for_selector("#rp-outcome a", timeout=60_000)


def go(page: Page, url: str, path: str) -> Page:
    """The page, at another address of the portal."""
    page.goto(url + path)
    return page


def open_(go_to: Go, path: str) -> Page:
    """A page as it stands there."""
    return go_to(path)


def main() -> int:
    """0 when all were written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", type=Path, metavar="DIR", help="every page, in every way")
    options = parser.parse_args()
    folder = options.all or IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    names = PAGES if options.all else SHOWN
    ways = product(("fr", "en"), SIZES if options.all else ("wide",), ("light", "dark") if options.all else ("light",))
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with (
        tempfile.TemporaryDirectory() as place,
        running(Path(place)) as (url, password),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        file_some(sign_in(browser, url, password, language="en", size="wide", scheme="light"), url)
        opened: dict[str, Callable[[Go], Page]] = {}
        if options.all:
            files = Path(place) / "files"
            number, by_hand = lose_one(files / "demo.sqlite3"), batch_by_hand(files)
            opened = {name: partial(open_, path=f"{LIST}{number}/{name}/") for name in ("settle", "acknowledge")}
            opened["link"] = partial(linked, number=number, batch=by_hand)
        for language, size, scheme in ways:
            page = sign_in(browser, url, password, language=language, size=size, scheme=scheme)
            for name in names:
                page.goto(url + PAGES[name])
                page.wait_for_timeout(900)  # what htmx brings, and the look before filing
                way = f"-{size}-{scheme}" if options.all else ""
                page.screenshot(path=folder / f"{name}-{language}{way}.png", full_page=options.all is not None)
            if options.all:
                for name, answer in (opened | ANSWERS).items():
                    answer(partial(go, page, url)).wait_for_timeout(900)
                    page.screenshot(path=folder / f"{name}-{language}{way}.png", full_page=True)
            page.context.close()
        browser.close()
    print(f"screenshots: in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
