"""A preflight as the pages show it: what blocks and what asks first, who we are and which jar it is; the rest of what
is in order is folded away."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recovery import wording
from recovery.admin import show
from recovery.admin.sheet import Again
from recovery.domain.preflight import Check, Light, Preflight
from recovery.services.clock import database_now
from recovery.services.filing import PreflightStops
from recovery.services.preflight import preflight

LOOKS = {
    Light.RED: ("bad", "block"),
    Light.AMBER: ("warn", "warning"),
    Light.GREY: ("calm", "help"),
    Light.GREEN: ("good", "check_circle"),
}
"""Light → (tone, icon)."""
ALWAYS = ("who", "runs_as")
"""Codes that begin so are shown though they are in order; so is the jar's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One check. `asks`: it has a box to be ticked; `subject` is shown where it is a path; `when`: the exact time."""

    badge: SafeString
    text: str
    key: str
    subject: str = ""
    when: str = ""
    url: str = ""
    asks: bool = False
    confirmed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Lights:
    """The whole: its light in words, what to look at, what is in order (`told` is shown, `fine` folded away), when."""

    badge: SafeString
    summary: str
    blocks: bool
    asks: bool
    rows: list[Row]
    told: list[Row] = field(default_factory=list)
    fine: list[Row] = field(default_factory=list)
    at: SafeString | str = ""
    age: int = 0

    @property
    def looked(self) -> str:
        """ "Looked at 40 s ago": some of it may have been kept from a moment ago."""
        return _("Looked at %(age)s s ago") % {"age": self.age} if self.age > 1 else _("Looked at just now")

    @property
    def how_many_fine(self) -> str:
        """ "5 checks are in order"."""
        return ngettext("%(count)s check is in order", "%(count)s checks are in order", len(self.fine)) % {
            "count": len(self.fine)
        }


def light_badge(light: Light) -> SafeString:
    """Colour, icon and word."""
    return show.badge(*LOOKS[light], wording.label(light))


def lights_of(
    seen: Preflight, *, ask: bool = False, ticked: frozenset[str] = frozenset(), now: datetime | None = None
) -> Lights:
    """Ready for a page. `ask` gives the amber ones their boxes; `ticked` are those that stay ticked; `now` tells how
    long ago it was looked at."""
    confirmed = ticked | set(seen.confirmed)
    rows = [
        _row(check, seen, asks=ask and light is Light.AMBER, confirmed=check.key in confirmed)
        for light in (Light.RED, Light.AMBER, Light.GREY)
        for check in seen.of(light)
    ]
    at, jar = datetime.fromisoformat(seen.at), seen.jar
    told = [check for check in seen.of(Light.GREEN) if check is jar or check.code.startswith(ALWAYS)]
    return Lights(
        badge=light_badge(seen.light),
        summary=str(wording.label(seen.light)),
        blocks=bool(seen.of(Light.RED)),
        asks=bool(seen.of(Light.AMBER)),
        rows=rows,
        told=[_row(check, seen) for check in told],
        fine=[_row(check, seen) for check in seen.of(Light.GREEN) if check not in told],
        at=show.moment(at),
        age=int((now - at).total_seconds()) if now else 0,
    )


def of_again(again: Again, request: HttpRequest, *, fresh: bool, stop: PreflightStops | None) -> Lights:
    """What speaks against a resubmission: what has just stopped it, or else a look; `fresh` passes over what was seen a
    moment ago."""
    now = database_now()
    seen = (
        stop.preflight
        if stop
        else preflight(
            profile=again.sheet.profile,
            payload=again.payload,
            sent_text=again.sheet.sent,
            now=now,
            fresh=fresh,
        )
    )
    return lights_of(seen, ask=True, ticked=ticked(request), now=now)


def ticked(request: HttpRequest) -> frozenset[str]:
    """The amber checks that were confirmed."""
    return frozenset(request.POST.getlist("confirm"))


def to_be_ticked(stop: PreflightStops | None) -> bool:
    """It was stopped, and nothing blocks: it waits for somebody's confirmation alone."""
    return stop is not None and all(check.light is Light.AMBER for check in stop.checks)


def _row(check: Check, seen: Preflight, *, asks: bool = False, confirmed: bool = False) -> Row:
    about = check.code in wording.ABOUT_A_RECOVERY and check.subject.isdecimal()
    return Row(
        badge=light_badge(check.light),
        text=wording.check_text(check, seen),
        key=check.key,
        when=wording.check_when(check) if check.subject else "",
        subject="" if about else check.subject,
        url=reverse("admin:recovery_recovery_change", args=[check.subject]) if about else "",
        asks=asks,
        confirmed=confirmed,
    )
