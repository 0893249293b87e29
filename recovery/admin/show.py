"""How values look in the admin: badges, times, durations, JSON. Text always says what the colour says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recovery import wording
from recovery.domain.gateways import Condition
from recovery.domain.payload import WIRE_NAMES
from recovery.domain.states import State
from recovery.models import Gateway, Recovery
from recovery.services.usage import Usage

NOTHING: Final = "–"
DAY: Final = 24 * 3600
"""Seconds."""
LOOKS: Final[Mapping[State, tuple[str, str]]] = MappingProxyType(
    {
        State.AWAITING_APPROVAL: ("warn", "approval"),
        State.QUEUED: ("calm", "schedule"),
        State.SUBMITTING: ("busy", "upload"),
        State.UNCONFIRMED: ("warn", "help"),
        State.STARTING: ("busy", "hourglass_top"),
        State.RUNNING: ("busy", "play_circle"),
        State.SUCCEEDED: ("good", "check_circle"),
        State.FAILED: ("bad", "error"),
        State.CANCELLED: ("calm", "cancel"),
        State.REFUSED: ("bad", "block"),
        State.LOST: ("warn", "search"),
    }
)
"""State → (tone, icon)."""


def badge(tone: str, icon: str, text: object) -> SafeString:
    """A coloured label with an icon; the icon is silent for screen readers, the text says all."""
    return format_html(
        '<span class="rp-badge rp-{}"><span class="material-symbols-outlined" aria-hidden="true">{}</span>{}</span>',
        tone,
        icon,
        text,
    )


def state_badge(recovery: Recovery) -> SafeString:
    """The state, and the cancel that stands beside it while it is asked for and not confirmed."""
    state = State(recovery.state)
    shown = badge(*LOOKS[state], wording.label(state))
    if recovery.cancel_requested_at is not None and not recovery.is_terminal:
        shown = format_html("{} {}", shown, badge("warn", "cancel", _("cancel asked for")))
    if recovery.settled_as:
        shown = format_html("{} {}", shown, badge("calm", "gavel", recovery.get_settled_as_display()))
    return shown


def gateway_badge(gateway: Gateway, *, silent: bool = False) -> SafeString:
    """Whether submissions are paused, and whether it can be used, or why not. `silent`: it should have been seen."""
    shown = []
    if gateway.paused:
        shown.append(badge("warn", "pause_circle", _("submissions paused")))
    if gateway.seen_condition:
        shown.append(badge("bad", "error", wording.label(Condition(gateway.seen_condition))))
    elif silent and gateway.last_seen_at is not None:
        words = format_html(_("not seen since {}"), clock(gateway.last_seen_at))
        shown.append(badge("warn", "visibility_off", words))
    elif silent:
        shown.append(badge("warn", "visibility_off", _("never seen, although work waits for it")))
    elif gateway.follow_only:
        shown.append(badge("calm", "visibility", _("follow only")))
    elif not gateway.paused:
        seen = gateway.last_seen_at is not None
        shown.append(badge("good", "check_circle", _("usable")) if seen else badge("calm", "help", _("not seen yet")))
    return format_html_join(" ", "{}", [(one,) for one in shown])


def moment(when: datetime | None, *, empty: str = NOTHING) -> SafeString | str:
    """A time in the portal's zone, to the second; the zone is in the tool tip."""
    if when is None:
        return empty
    local = timezone.localtime(when)
    return _time(local, f"{local:%Z} (UTC{local:%z})", date_format(local, "j N Y, H:i:s"), "")


def minute(when: datetime | None, *, empty: str = NOTHING) -> SafeString | str:
    """A time in the portal's zone, to the minute, for tables; to the second in the tool tip."""
    if when is None:
        return empty
    local = timezone.localtime(when)
    exact = f"{date_format(local, 'j N Y, H:i:s')} {local:%Z}"
    return _time(local, exact, date_format(local, "j N Y, H:i"), "")


def ago(when: datetime | None, *, empty: str = NOTHING) -> SafeString | str:
    """How long ago, while it is less than a day; then the date. Exactly, with the zone, in the tool tip.

    `frame.js` keeps it true while the page is open.
    """
    if when is None:
        return empty
    local = timezone.localtime(when)
    seconds = (timezone.now() - when).total_seconds()
    exact = f"{date_format(local, 'j N Y, H:i:s')} {local:%Z}"
    if not -60 < seconds < DAY:
        return _time(local, exact, date_format(local, "j N Y"), "")
    minutes = int(seconds) // 60
    if minutes < 1:
        return _time(local, exact, _("just now"), " data-ago")
    passed = f"{minutes} min" if minutes < 60 else f"{minutes // 60} h"
    return _time(local, exact, _("%(span)s ago") % {"span": passed}, " data-ago")


def _time(local: datetime, exact: str, text: str, mark: str) -> SafeString:
    return format_html(
        '<time class="rp-minute" datetime="{}" title="{}"{}>{}</time>',
        local.isoformat(timespec="seconds"),
        exact,
        mark,
        text,
    )


def clock(when: datetime) -> SafeString:
    """The time of today, or day and time; whole in the tool tip."""
    local = timezone.localtime(when)
    return format_html(
        '<time class="rp-minute" datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        f"{date_format(local, 'j N Y, H:i:s')} {local:%Z}",
        date_format(local, "H:i" if local.date() == timezone.localdate() else "j N, H:i"),
    )


def command(path: str, arguments: str) -> SafeString:
    """A jar's name and its arguments, short; whole in the tool tip."""
    return format_html(
        '<span class="rp-command" title="{}">{} <code>{}</code></span>',
        f"{path} {shortened(arguments, 500)}",
        shortened(jar_name(path), 40),
        shortened(arguments),
    )


def two_lines(first: str, second: str) -> SafeString:
    """What a cell is about, and a word more below it, short; whole in the tool tip."""
    below = format_html('<span class="rp-below" title="{}">{}</span>', second, shortened(second, 60)) if second else ""
    return format_html('<span class="rp-cell">{}{}</span>', first, below)


def duration(recovery: Recovery, now: datetime) -> str:
    """From running to now; of what has ended from running (or else from Livy's yes) to the end. Empty when it never
    ran; rounded as its usual duration is."""
    begun = recovery.begun_at if recovery.is_terminal else recovery.started_at
    if begun is None:
        return NOTHING
    return span(round(((recovery.finished_at or now) - begun).total_seconds()))


def span(seconds: int) -> str:
    """ "42 s", "3 min 10 s", "2 h 05 min", "3 days 4 h"."""
    seconds = max(0, seconds)
    minutes, rest = divmod(seconds, 60)
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if days:
        return ngettext("%(days)s day %(hours)s h", "%(days)s days %(hours)s h", days) % {
            "days": days,
            "hours": hours_left,
        }
    if hours:
        return f"{hours} h {minutes_left:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def pretty(text: str) -> str:
    """Frozen JSON, indented to be read."""
    return json.dumps(json.loads(text), indent=2, ensure_ascii=False)


def value(shown: object) -> str:
    """A value of a payload as text: lists line by line, objects as `key = value`, nothing as a dash."""
    if isinstance(shown, bool):
        return _("yes") if shown else _("no")
    if shown in (None, "", [], {}):
        return NOTHING
    if isinstance(shown, list):
        return "\n".join(str(item) for item in shown)
    if isinstance(shown, Mapping):
        return "\n".join(f"{key} = {_on_one_line(item)}" for key, item in shown.items())
    return str(shown)


def _on_one_line(item: object) -> str:
    """A value with line breaks as JSON: it must not look like another key."""
    text = str(item)
    return text if len(text.splitlines()) < 2 else json.dumps(text, ensure_ascii=False)


def column_name(model: type[models.Model], name: str) -> str:
    """What a column is called: what goes to Livy as Livy spells it."""
    if name in WIRE_NAMES:
        return WIRE_NAMES[name]
    return str(capfirst(str(model._meta.get_field(name).verbose_name)))  # type: ignore[union-attr]  # a column's


def usage(used: Usage) -> SafeString | str:
    """How many recoveries, how many of them go on, and the last success."""
    if not used.filed:
        return _("no recovery so far")
    words = ngettext("%(count)s recovery", "%(count)s recoveries", used.filed) % {"count": used.filed}
    going = ngettext("%(count)s of them goes on", "%(count)s of them go on", used.live) % {"count": used.live}
    if used.last_success is None:
        return format_html("{} · {} · {}", words, going, _("none has succeeded"))
    number, when = used.last_success
    url = reverse("admin:recovery_recovery_change", args=[number])
    last = format_html('<a class="rp-link" href="{}">{}</a> ({})', url, _("no. %(id)s") % {"id": number}, minute(when))
    return format_html("{} · {} · {} {}", words, going, _("last success:"), last)


def shortened(text: str, length: int = 60) -> str:
    """At most `length` characters."""
    return text if len(text) <= length else text[: length - 1] + "…"


def jar_name(path: str) -> str:
    """The last part of a path."""
    return path.rstrip("/").rsplit("/", 1)[-1] or path


def web_link(url: str) -> str:
    """`url` when it is one that a browser may follow; links come from the cluster and are not trusted."""
    parts = urlsplit(url) if url else None
    return url if parts and parts.scheme in ("http", "https") and parts.netloc else ""
