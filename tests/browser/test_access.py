"""Every page can be used by everybody: axe-core finds nothing serious, in light and dark; on a phone no page scrolls
sideways."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import NARROW, Desk

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RECOVERY = "/admin/recovery/recovery/"
PAGES = (
    "/admin/", RECOVERY, f"{RECOVERY}file/", f"{RECOVERY}notices/", f"{RECOVERY}help/", f"{RECOVERY}1/change/",
    f"{RECOVERY}1/resubmit/", f"{RECOVERY}1/edit/", f"{RECOVERY}1/log/?q=RECOVERY", "/admin/recovery/livyprofile/",
    "/admin/recovery/livyprofile/1/change/", "/admin/recovery/livyprofile/add/", "/admin/recovery/gateway/",
    "/admin/recovery/gateway/1/change/", "/admin/recovery/gateway/1/pause/", "/admin/recovery/failuresignature/",
    "/admin/recovery/failuresignature/1/change/", "/admin/recovery/recoveryevent/", "/admin/recovery/apitoken/",
)  # fmt: skip
"""Of ours; the first recovery of the demo has succeeded."""
RUN = "axe.run(document, {resultTypes: ['violations']})"


def violations(page: Page) -> list[str]:
    """What axe-core calls serious or critical."""
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate(RUN)
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node['html'][:160]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_stands_in_anybodys_way(sit: Callable[..., Desk], scheme: str) -> None:
    desk = sit("admin", "fr", color_scheme=scheme)
    found = {path: told for path in PAGES if (told := violations(desk.go(path)))}
    assert found == {}


def test_a_phone_shows_every_page_without_scrolling_sideways(sit: Callable[..., Desk]) -> None:
    desk = sit("admin", "fr", NARROW)
    wide = {}
    for path in PAGES:
        page = desk.go(path)
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            wide[path] = over
    assert wide == {}
