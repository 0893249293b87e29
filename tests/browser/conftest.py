"""The demo, and people at it in a browser: Chromium, driven by Playwright. A page that logs an error, breaks the policy
of what it may load, or asks another host for something, fails the test that opened it."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
STARTS_WITHIN = 90.0
WIDE, NARROW = (1400, 1000), (390, 844)


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Where it is, and everybody's password."""

    url: str
    password: str


@dataclass(kw_only=True)
class Desk:
    """One person at one browser window."""

    demo: Demo
    page: Page
    wrong: list[str] = field(default_factory=list)
    """What no page may do."""

    def go(self, path: str) -> Page:
        """Open a page of the portal."""
        self.page.goto(self.demo.url + path)
        return self.page

    def watch(self) -> None:
        """Note everything that goes wrong."""
        self.page.on("console", self._logged)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", self._asked)

    def _logged(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).netloc not in ("", urlsplit(self.demo.url).netloc):
            self.wrong.append(f"left the host: {request.url}")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    told = folder / "told.txt"
    with told.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "scripts/demo.py", "--port", "0", "--folder", str(folder / "files")],
            cwd=ROOT, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    try:
        yield _told(child, told)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(30)


def _told(child: subprocess.Popen[bytes], told: Path) -> Demo:
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end:
        text = told.read_text()
        if password := re.search(r"password: (\S+)", text):
            found = re.search(r"The portal is at (\S+?)/ ", text)
            assert found is not None
            return Demo(url=found[1], password=password[1])
        assert child.poll() is None, text
        time.sleep(0.2)
    raise AssertionError(f"the demo does not start:\n{told.read_text()}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # what runs as root in a container has no sandbox of Chromium's own; only our own pages are opened
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def sit(demo: Demo, browser: Browser) -> Iterator[Callable[..., Desk]]:
    """`sit("steward", "fr")`: signed in."""
    contexts: list[BrowserContext] = []
    desks: list[Desk] = []

    def sit_down(name: str, language: str = "en", size: tuple[int, int] = WIDE, **options: Any) -> Desk:
        context = browser.new_context(
            locale=language, viewport={"width": size[0], "height": size[1]}, accept_downloads=True, **options
        )
        contexts.append(context)
        desk = Desk(demo=demo, page=context.new_page())
        desk.watch()
        desks.append(desk)
        desk.go("/admin/login/?next=/admin/")
        desk.page.fill("#id_username", name)
        desk.page.fill("#id_password", demo.password)
        desk.page.click("button[type=submit]:has-text('→'), form#login-form button[type=submit]")
        desk.page.wait_for_url("**/admin/")
        return desk

    yield sit_down
    for context in contexts:
        context.close()
    assert [line for desk in desks for line in desk.wrong] == []


@pytest.fixture(params=["fr", "en"])
def language(request: pytest.FixtureRequest) -> str:
    """Every story is played in both."""
    return str(request.param)
