"""The guide in the portal."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

from tests.doors.admin.conftest import Door
from tests.doors.admin.pages import FILE, text

HELP = "/admin/recovery/recovery/help/"


@pytest.mark.parametrize(("language", "word"), [("fr", "Donnez le motif"), ("en", "Give the reason")])
def test_the_guide_is_shown_in_the_language_of_the_page(door: Door, language: str, word: str) -> None:
    client = door("Stewards", language=language)
    assert HELP in text(client.get(FILE)), "the form leads there"
    shown = text(client.get(HELP))
    assert word in re.sub(r"</?strong>", "", shown)
    assert "<table>" in shown
    assert "<img" not in shown.split('class="rp-card rp-guide"')[1]


def test_both_guides_have_the_same_parts() -> None:
    shapes = [
        re.findall(r"^(#+|\d+\.|\||!\[|-)", (settings.BASE_DIR / "docs" / f"steward-guide.{code}.md").read_text(), re.M)
        for code in ("fr", "en")
    ]
    assert shapes[0] == shapes[1]
