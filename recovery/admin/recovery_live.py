"""What moves on a recovery's page while it is looked at: asked for every few seconds, answered with 304 mostly.

One query beside session and user finds whether the user may look, the row, the number of its last event, and the log
only when it is another one than the page has. So a refresh takes four queries at the most.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Case, F, Max, OuterRef, Q, Subquery, TextField, Value, When
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from recovery import wording
from recovery.admin import progress, recovery_log, show, story
from recovery.admin.base import may, person
from recovery.domain import logtail
from recovery.domain.states import State
from recovery.models import Recovery, RecoveryEvent, RecoveryLog, SubjectType
from recovery.services import attention, duplicates, log_reading

SHOWN_EVENTS = 500
UNSEEN = ("payload", "sent_payload", "raw_jar_args", "args")


def moves(recovery: Recovery) -> bool:
    """The page still changes by itself: it goes on, or its last log is not read yet."""
    return not recovery.is_terminal or recovery.log_due_at is not None


def live_part(admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """The parts that changed, for htmx; 304 when none did."""
    if request.method not in ("GET", "HEAD"):
        raise PermissionDenied
    known = request.headers.get("If-None-Match", "").strip('"')
    recovery = get_object_or_404(_rows(person(request), known), pk=pk)
    if not (recovery.may_look or admin.has_view_permission(request)):
        raise PermissionDenied
    etag = etag_of(recovery)
    if etag == known:
        if moves(recovery):
            log_reading.watch(recovery=recovery, now=recovery.database_time)
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = render(request, "recovery/admin/_live.html", _changed(request, recovery))
    response["ETag"] = f'"{etag}"'
    response["X-Recovery-Live"] = "1"
    return response


def _rows(user: User, known: str) -> Any:
    events = RecoveryEvent.objects.filter(subject_type=SubjectType.RECOVERY, subject_id=OuterRef("pk")).order_by()
    read_at = F("kept_log__read_at")
    same = Q(kept_log__read_at=seen) if (seen := _read_at(known)) else Q(kept_log__isnull=True)
    return (
        Recovery.objects.select_related("gateway", "settled_by")
        .defer(*UNSEEN)
        .annotate(
            may_look=may(user, "view_recovery"),
            last_event=Subquery(events.values("subject_id").annotate(last=Max("seq")).values("last")),
            database_time=Now(),
            taken_up=attention.taken_up(),
            log_read_at=read_at,
            log_final=F("kept_log__final"),
            log_text=Case(
                When(same, then=Value(None)), default=F("kept_log__output"), output_field=TextField(null=True)
            ),
        )
    )


def etag_of(recovery: Any) -> str:
    """Changes with whatever the live parts show; a hash, and the time of the log that it stands for."""
    gateway = recovery.gateway
    shown = (
        recovery.pk, recovery.state, recovery.outcome, recovery.hold, recovery.tries, recovery.cancel_requested_at,
        recovery.livy_state, recovery.app_id, recovery.livy_id, recovery.proxy_user, recovery.spark_ui_url,
        recovery.driver_log_url, recovery.settled_as, recovery.log_due_at is None, recovery.last_event,
        recovery.delete_sent_at, recovery.delete_answered_at,
        recovery.seen_at and recovery.seen_at.replace(second=0, microsecond=0), recovery.log_final,
        gateway.paused, gateway.paused_reason, gateway.seen_condition, _is_unseen(recovery), translation.get_language(),
    )  # fmt: skip
    read_at = recovery.log_read_at
    stamp = str(int(read_at.timestamp() * 1_000_000)) if read_at else "0"
    return f"{hashlib.sha256(repr(shown).encode()).hexdigest()[:24]}.{stamp}"


def _read_at(etag: str) -> datetime | None:
    stamp = etag.rpartition(".")[2]
    if not stamp.isdecimal() or not 0 < int(stamp) < 10**17:
        return None
    seconds, micros = divmod(int(stamp), 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)


def _changed(request: HttpRequest, recovery: Any) -> dict[str, Any]:
    seen = request.GET.get("seen", "")
    text: str | None = recovery.log_text
    lines, follows = recovery_log.added(text, seen) if text is not None else ("", True)
    log = RecoveryLog(pk=recovery.pk, read_at=recovery.log_read_at, final=bool(recovery.log_final))
    events = list(RecoveryEvent.objects.of(SubjectType.RECOVERY, recovery.pk)[:SHOWN_EVENTS])
    shown = head(recovery, alarmed=duplicates.alarm_stands(events), taken_up=recovery.taken_up)
    return shown | {
        "recovery": recovery,
        "moves": moves(recovery),
        "outcome_url": _outcome_url(recovery, events),
        "mark": logtail.mark(text) if text is not None else seen,
        "lines": lines,
        "follows": follows,
        "log_note": recovery_log.note(log) if recovery.log_read_at else "",
        "events": [story.line(event) for event in events],
        "times": progress.times(recovery),
        "facts": progress.live_facts(recovery),
        "proxy_user": story.proxy_user(recovery),
        "links": progress.links(recovery),
        "log": {"on_yarn": story.is_client_log(recovery)},
        "driver_log": progress.driver_log(recovery),
        "gateway_badge": gateway_badge(recovery),
    }


def gateway_badge(recovery: Recovery) -> SafeString:
    """How its gateway is; said of the work that waits there, which this is."""
    return show.gateway_badge(recovery.gateway, silent=_is_unseen(recovery))


def _is_unseen(recovery: Recovery) -> bool:
    return attention.keeps_silent(recovery, now=timezone.now())


def _outcome_url(recovery: Recovery, events: list[RecoveryEvent]) -> str:
    """Where the page asks for its buttons anew, and why it ended: when they are others than it was opened with."""
    asked = recovery.cancel_requested_at is not None or any(event.kind == "duplicate" for event in events)
    if not (recovery.is_terminal or asked):
        return ""
    return reverse("admin:recovery_recovery_outcome", args=[recovery.pk])


def head(recovery: Recovery, *, alarmed: bool, taken_up: bool, explained: bool = False) -> dict[str, Any]:
    """What the page begins with: state, story, what next, the steps."""
    return {
        "linked": linked(recovery),
        "badge": show.state_badge(recovery),
        "said": f"{wording.label(State(recovery.state))}.",
        "headline": story.headline(recovery),
        "step": next_step(recovery, alarmed=alarmed, taken_up=taken_up, explained=explained),
        "steps": progress.steps(recovery),
        "since": progress.running_since(recovery),
        "since_words": progress.since_words(recovery),
        "elapsed": show.duration(recovery, timezone.now()),
        "cancel": progress.cancel_words(recovery),
    }


def next_step(recovery: Recovery, *, alarmed: bool, taken_up: bool, explained: bool) -> story.Step:
    """What next; where a cause stands below, that comes first."""
    step = story.next_step(recovery, alarmed=alarmed, taken_up=taken_up)
    if explained and step.needs_someone and not alarmed and recovery.state in (State.FAILED, State.REFUSED):
        return story.Step(text=_("See below what probably went wrong, and what to do about it."), needs_someone=True)
    return step


def linked(recovery: Recovery) -> str:
    """The batch that a person has linked it to."""
    number = None if recovery.linked_batch_id is None else str(recovery.linked_batch_id)
    return " · ".join(part for part in (number, recovery.linked_batch_name, recovery.linked_app_id) if part)
