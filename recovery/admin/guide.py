"""The steward's guide inside the portal: the paper itself, without its pictures, in the language of the page."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from markdown import markdown

from recovery.admin.base import person

_PICTURE = re.compile(r"^!\[.*?\]\(.*?\)\n", re.MULTILINE)
_TITLE = re.compile(r"\A# .*\n")


@cache
def guide(language: str) -> SafeString:
    """`docs/steward-guide.<language>.md` as HTML; the text is our own."""
    text = (settings.BASE_DIR / "docs" / f"steward-guide.{language}.md").read_text(encoding="utf-8")
    plain = _PICTURE.sub("", _TITLE.sub("", text))
    return mark_safe(markdown(plain, extensions=["tables", "sane_lists"], output_format="html"))  # noqa: S308


def guide_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """For everybody who may sign in."""
    person(request)
    language = "fr" if (get_language() or "").startswith("fr") else "en"
    return admin.page(request, "guide.html", title=_("Help for stewards"), guide=guide(language))  # type: ignore[no-any-return]
