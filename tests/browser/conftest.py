"""The demo, and people at it in a browser: Chromium, driven by Playwright. A page that logs an error, breaks the policy
of what it may load, or asks another host for something, fails the test that opened it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from scripts.demo import running

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WIDE, NARROW = (1400, 1000), (390, 844)


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Where it is, and everybody's password."""

    url: str
    password: str
    database: Path


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
    with running(folder) as (url, password):
        yield Demo(url=url, password=password, database=folder / "files" / "demo.sqlite3")


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
