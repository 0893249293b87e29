"""« Test this connection »: the page that asks first, and the one that shows each part with its light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from recovery import wording
from recovery.admin import show
from recovery.admin.base import PortalAdmin, person
from recovery.domain.gateways import Found
from recovery.models import Gateway, LivyProfile
from recovery.services import connection
from recovery.services.clock import database_now

LOOKS = {
    Found.WORKS: ("good", "check_circle"),
    Found.WARNS: ("warn", "warning"),
    Found.FAILS: ("bad", "error"),
    Found.NOT_ASKED: ("calm", "remove"),
}
"""What was found → (tone, icon)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One part: its name, its light, what it means, and the raw words for operators."""

    title: str
    badge: SafeString
    text: str
    words: str


def ask_test(admin: PortalAdmin, request: HttpRequest, gateway: Gateway, *, original: Any) -> HttpResponse:
    """The page before a test."""
    warning = _(
        "Asks Livy, WebHDFS and YARN through the gateway “%(gateway)s”, with its user, whether they can be used. "
        "Nothing is started."
    )
    return admin.page(
        request, "confirm.html", title=_("Test this connection"), original=original, button=_("Test now"),
        warning=warning % {"gateway": gateway.name},
    )  # fmt: skip


def tested(admin: PortalAdmin, request: HttpRequest, gateway: Gateway, *, back: Gateway | LivyProfile) -> HttpResponse:
    """Tests, and shows what was found."""
    test = connection.try_connection(gateway=gateway, now=database_now(), by=person(request))
    if test.ok:
        text = _("“%(gateway)s” answers and lets us in. Livy %(version)s.")
        messages.success(request, text % {"gateway": gateway.name, "version": test.version})
    elif test.condition:
        text = _("“%(gateway)s” %(condition)s.")
        messages.error(request, text % {"gateway": gateway.name, "condition": wording.label(test.condition)})
    rows = [_shown(row) for row in test.rows]
    return admin.page(
        request, "tested.html", title=_("Test this connection"), original=back, rows=rows, gateway=gateway
    )


def _shown(row: connection.Row) -> Shown:
    why = wording.why_text(row.condition, row.words) if row.condition else wording.found_text(row.code, row.params)
    badge = show.badge(*LOOKS[row.found], wording.label(row.found))
    return Shown(title=str(wording.label(row.part)), badge=badge, text=why, words=row.words)
