"""The home page: what needs someone, what goes on, what came last, how the gateways are; and its parts that move.

A refresh takes session, user and one query more, and is answered with 304 as long as nothing that is shown has changed.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet, Subquery
from django.db.models.functions import Right, TruncDate
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from recovery import wording
from recovery.admin import progress, show, story
from recovery.admin.base import may, person
from recovery.domain import logtail
from recovery.domain.durations import Usual
from recovery.domain.states import LIVE, Hold, State
from recovery.models import Gateway, Recovery, RecoveryEvent, RecoveryLog
from recovery.services import attention, duplicates, surroundings
from recovery.services.clock import database_now

LIST = "admin:recovery_recovery_changelist"
SHOWN_ATTENTION = 5
SHOWN_RUNNING = 20
SHOWN_LAST = 10
CHART_DAYS = 14
LAST_CHARACTERS = 600
"""Of the end of a log, in which its last line is looked for."""
UNSEEN = ("payload", "sent_payload", "preflight", "args", "outcome_words", "settled_reason")
SHOWN_OF_GATEWAYS = ("name", "condition", "submit_condition", "paused", "paused_reason", "follow_only", "livy_version",
                     "livy_restarted_at", "silent", "last_seen_at")  # fmt: skip
"""A change of one of these shows; of the last one, to the minute, and only to who may see gateways."""


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The whole page (named in settings as UNFOLD's DASHBOARD_CALLBACK)."""
    user = person(request)
    context |= {"title": _("Home"), "may_file": user.has_perm("recovery.file_recovery")}
    if not user.has_perm("recovery.view_recovery"):
        return context
    sees_gateways = user.has_perm("recovery.view_gateway")
    etag = _etag(user, sees_gateways=sees_gateways, seen=_what_is(user))
    return context | {"sees_recoveries": True, "moves": True, "etag": etag} | _parts(user, sees_gateways)


def live_part(request: HttpRequest) -> HttpResponse:
    """The parts again, for htmx; 304 when none has changed."""
    if request.method not in ("GET", "HEAD"):
        raise PermissionDenied
    user = person(request)
    seen = _what_is(user)
    if not seen["may_look"]:
        raise PermissionDenied
    etag = _etag(user, sees_gateways=seen["sees_gateways"], seen=seen)
    if request.headers.get("If-None-Match", "").strip('"') == etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        parts = _parts(user, seen["sees_gateways"])
        context = parts | {"moves": True, "etag": etag, "may_file": seen["may_file"]}
        response = render(request, "recovery/admin/_home_live.html", context)
    response["ETag"] = f'"{etag}"'
    response["X-Recovery-Live"] = "1"
    return response


# ── what the parts stand for ────────────────────────────────────────────────────────────────────────────────────────


def _what_is(user: User) -> dict[str, Any]:
    """One query: whether the user may look, the last event and log of all, and how the gateways are."""
    logs = RecoveryLog.objects.filter(recovery__state__in=LIVE, read_at__isnull=False).order_by("-read_at")
    rows = Gateway.objects.for_list().annotate(
        silent=attention.silent(now=timezone.now()),
        may_look=may(user, "view_recovery"),
        may_file=may(user, "file_recovery"),
        sees_gateways=may(user, "view_gateway"),
        last_event=Subquery(RecoveryEvent.objects.order_by("-pk").values("pk")[:1]),
        last_log=Subquery(logs.values("read_at")[:1]),
    )
    found = list(rows.values("may_look", "may_file", "sees_gateways", "last_event", "last_log", *SHOWN_OF_GATEWAYS))
    if not found:  # nothing is set up yet
        return {
            "may_look": user.has_perm("recovery.view_recovery"),
            "may_file": user.has_perm("recovery.file_recovery"),
            "sees_gateways": user.has_perm("recovery.view_gateway"),
            "rows": [],
        }
    for row in found:
        row["last_seen_at"] = row["last_seen_at"] and row["last_seen_at"].replace(second=0, microsecond=0)
    return {**found[0], "rows": [[row[name] for name in SHOWN_OF_GATEWAYS] for row in found]}


def _etag(user: User, *, sees_gateways: bool, seen: dict[str, Any]) -> str:
    rows = seen["rows"] if sees_gateways else [row[:-1] for row in seen["rows"]]
    shown = (
        user.pk, sees_gateways, seen.get("last_event"), seen.get("last_log"), rows,
        timezone.localdate(), translation.get_language(),
    )  # fmt: skip
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:24]


# ── the parts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _parts(user: User, sees_gateways: bool) -> dict[str, Any]:
    now = database_now()
    rows = Recovery.objects.for_list().defer(*UNSEEN)
    ends = rows.live().annotate(log_end=Right("kept_log__output", LAST_CHARACTERS))
    running = list(ends[: SHOWN_RUNNING + 1])
    usual = surroundings.usual_of_many(running[:SHOWN_RUNNING])
    return {
        "attention": tiles(),
        "attention_days": attention.DAYS,
        "waiting": [_waiting(recovery, user) for recovery in _needs(rows, user)],
        "avoided": duplicates.avoided(now=now),
        "running": [_running(recovery, now, usual.get(recovery.pk)) for recovery in running[:SHOWN_RUNNING]],
        "running_more": len(running) > SHOWN_RUNNING,
        "last": [_row(recovery, now) for recovery in rows.ended()[:SHOWN_LAST]],
        "chart": chart(),
        "gateways": [_gateway(gateway) for gateway in _gateways(now)] if sees_gateways else [],
        "list_url": reverse(LIST),
    }


def _since(days: int) -> tuple[date, datetime]:
    """The first of the last `days` days, and its midnight."""
    day = timezone.localdate() - timedelta(days=days)
    return day, timezone.make_aware(datetime.combine(day, time.min))


def _needs(rows: QuerySet[Recovery], user: User) -> list[Recovery]:
    """The newest that need someone, one's own first."""
    found = rows.filter(pk__in=attention.needs_someone()).annotate(
        is_mine=Q(requester=user.pk), alarmed=Q(pk__in=duplicates.alarmed())
    )
    return list(found.order_by("-is_mine", "-pk")[:SHOWN_ATTENTION])


def _waiting(recovery: Any, user: User) -> dict[str, Any]:
    tells_more = recovery.alarmed or recovery.hold == Hold.NAME_TAKEN or recovery.state == State.CANCELLED
    return {
        "pk": recovery.pk,
        "badge": show.state_badge(recovery),
        "command": show.command(recovery.jar_path, recovery.raw_jar_args),
        "by": _("you") if recovery.requester_id == user.pk else recovery.requester_label,
        "headline": story.next_step(recovery, alarmed=recovery.alarmed).text
        if tells_more
        else story.headline(recovery),
    }


def _row(recovery: Recovery, now: datetime) -> dict[str, Any]:
    return {
        "pk": recovery.pk,
        "badge": show.state_badge(recovery),
        "command": show.command(recovery.jar_path, recovery.raw_jar_args),
        "by": recovery.requester_label,
        "ended": show.ago(recovery.finished_at),
        "duration": show.duration(recovery, now),
    }


def _running(recovery: Any, now: datetime, usual: Usual | None) -> dict[str, Any]:
    lines = logtail.plain(recovery.log_end or "").split("\n")
    words = [line for line in lines if line.strip() and line != logtail.GAP]
    return _row(recovery, now) | {
        "since": progress.running_since(recovery),
        "since_words": progress.since_words(recovery),
        "why": story.why_waiting(recovery),
        "is_client_log": story.is_client_log(recovery),
        "bar": progress.progress(recovery, usual),
        "usual": show.span(round(usual.median)) if usual else "",
        "last_line": show.shortened(words[-1].strip(), 160) if words else "",
    }


def _gateways(now: datetime) -> QuerySet[Gateway]:
    return Gateway.objects.for_list().annotate(silent=attention.silent(now=now))


def _gateway(gateway: Any) -> dict[str, Any]:
    restarted = gateway.livy_restarted_at
    return {
        "gateway": gateway,
        "badge": show.gateway_badge(gateway, silent=gateway.silent),
        "seen": show.ago(gateway.last_seen_at, empty=_("never")),
        "restarted": show.ago(restarted) if restarted else "",
    }


ALWAYS = (State.FAILED, State.REFUSED, State.LOST, State.AWAITING_APPROVAL)


def tiles() -> list[dict[str, Any]]:
    """How many wait for a person, by state; a state that seldom does has a tile only then."""
    second = Q(pk__in=duplicates.alarmed())
    rows = Recovery.objects.filter(pk__in=attention.needs_someone()).order_by().values_list("state")
    counted = rows.annotate(count=Count("id"), alarmed=Count("id", filter=second))
    found = {state: (count, alarmed) for state, count, alarmed in counted}
    counts = {state: found.get(state, (0, 0))[0] for state in (*ALWAYS, *(s for s in State if s not in ALWAYS))}
    shown = [
        _tile(count, wording.label(state), show.LOOKS[state], f"attention&state__exact={state}")
        for state, count in counts.items()
        if count or state in ALWAYS
    ]
    if alarmed := sum(alarmed for _count, alarmed in found.values()):
        shown.append(_tile(alarmed, _("second batch found"), ("bad", "warning"), "duplicate"))
    return shown


def _tile(count: int, text: Any, look: tuple[str, str], phase: str) -> dict[str, Any]:
    tone, icon = look
    url = f"{reverse(LIST)}?phase={phase}"
    return {"count": count, "text": text, "tone": tone if count else "calm", "icon": icon, "url": url}


GOOD, BAD, OTHER = "good", "bad", "calm"
_BAD = (State.FAILED, State.REFUSED, State.LOST)


def chart() -> dict[str, Any]:
    """Recoveries filed on each of the last days, by what became of them; the numbers are a table for those who do not
    see the bars."""
    first, midnight = _since(CHART_DAYS - 1)
    counts = (  # by day alone: with the state in it, SQLite goes through all that were ever filed
        Recovery.objects.filter(created_at__gte=midnight)
        .order_by()
        .values_list(TruncDate("created_at"))
        .annotate(
            filed=Count("id"),
            good=Count("id", filter=Q(state=State.SUCCEEDED)),
            bad=Count("id", filter=Q(state__in=_BAD)),
        )
    )
    days = {first + timedelta(days=n): {GOOD: 0, BAD: 0, OTHER: 0} for n in range(CHART_DAYS)}
    for day, count, good, bad in counts:
        if day in days:
            days[day] = {GOOD: good, BAD: bad, OTHER: count - good - bad}
    highest = max(sum(day.values()) for day in days.values())
    bars = [
        {"day": day, "total": sum(parts.values()), "url": f"{reverse(LIST)}?created_at_from={day}&created_at_to={day}",
         **parts, "stack": _stack(parts, highest)}
        for day, parts in days.items()
    ]  # fmt: skip
    return {"days": bars, "highest": highest, "total": sum(bar["total"] for bar in bars)}


HEIGHT = 100


def _stack(parts: dict[str, int], highest: int) -> list[dict[str, Any]]:
    """Rectangles from the bottom up, in a drawing that is 100 high."""
    top, shown = float(HEIGHT), []
    for tone in (GOOD, BAD, OTHER):
        if parts[tone]:
            height = round(HEIGHT * parts[tone] / highest, 2)
            top -= height
            shown.append({"tone": tone, "y": f"{top:.2f}", "height": f"{height:.2f}"})
    return shown
