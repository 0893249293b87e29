"""A recovery's page: state, what next, facts, payload, events, log. Read only."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from recovery.admin import lights, show, story
from recovery.admin import sheet as sheets
from recovery.admin.base import person
from recovery.domain.preflight import Preflight
from recovery.domain.states import LIVE, State
from recovery.models import Recovery, RecoveryEvent, RecoveryLog, SubjectType
from recovery.services import duplicates
from recovery.services.cancelling import may_cancel
from recovery.services.clock import database_now
from recovery.services.settling import can_be_settled

SHOWN_LINES = 5000
SHOWN_EVENTS = 500


def recovery_page(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """The page; 403 without the permission to see it, and for anything but looking."""
    if request.method not in ("GET", "HEAD") or not admin.has_view_permission(request):
        raise PermissionDenied
    if not object_id.isdecimal():
        return admin._get_obj_does_not_exist_redirect(request, admin.opts, object_id)  # type: ignore[no-any-return]
    recovery = get_object_or_404(Recovery.objects.for_list(), pk=int(object_id))
    children = list(recovery.resubmissions.order_by("id").only("id", "state", "cancel_requested_at", "settled_as"))
    events = RecoveryEvent.objects.of(SubjectType.RECOVERY, recovery.pk)
    alarmed = duplicates.is_alarmed(recovery)
    page: HttpResponse = admin.page(
        request, "page.html",
        title=_("Recovery no. %(id)s") % {"id": recovery.pk},
        original=recovery,
        recovery=recovery,
        badge=show.state_badge(recovery),
        headline=story.headline(recovery),
        step=story.next_step(recovery, alarmed=alarmed),
        sheet=sheets.of_recovery(recovery),
        seen=seen_before(recovery),
        facts=facts(recovery),
        times=times(recovery),
        gateway_badge=show.gateway_badge(recovery.gateway),
        parent=recovery.resubmission_of,
        parent_badge=show.state_badge(recovery.resubmission_of) if recovery.resubmission_of else "",
        children=[(child, show.state_badge(child)) for child in children],
        events=[story.line(event) for event in events[:SHOWN_EVENTS]],
        log=log_of(recovery),
        links=links(recovery),
        buttons=buttons(recovery, person(request), children, alarmed=alarmed),
        linked=linked(recovery),
        zone=timezone.get_current_timezone_name(),
    )  # fmt: skip
    return page


def seen_before(recovery: Recovery) -> lights.Lights | None:
    """The preflight as it was when it was filed."""
    seen = Preflight.from_text(recovery.preflight)
    return lights.lights_of(seen) if seen else None


def facts(recovery: Recovery) -> list[tuple[str, Any]]:
    """(name, value) beside what the sheet shows."""
    return [
        (_("requested by"), recovery.requester_label),
        (_("reason"), recovery.reason or show.NOTHING),
        (_("filed through"), recovery.get_channel_display()),
        (_("attempt"), recovery.attempt),
        (_("tries"), recovery.tries),
        (_("batch name"), recovery.batch_name),
        (_("batch id"), show.NOTHING if recovery.livy_id is None else recovery.livy_id),
        (_("application id"), recovery.app_id or show.NOTHING),
        (_("state in Livy"), recovery.livy_state or show.NOTHING),
        (_("owner in Livy"), recovery.owner or show.NOTHING),
    ]


def linked(recovery: Recovery) -> str:
    """The batch that a person has linked it to."""
    number = None if recovery.linked_batch_id is None else str(recovery.linked_batch_id)
    return " · ".join(part for part in (number, recovery.linked_batch_name, recovery.linked_app_id) if part)


def times(recovery: Recovery) -> list[tuple[str, Any]]:
    """(name, time) of what has happened."""
    known = [
        (_("filed"), recovery.created_at),
        (_("to be submitted by"), recovery.submit_by if recovery.state == State.QUEUED else None),
        (_("submitted"), recovery.submitted_at),
        (_("running since"), recovery.started_at),
        (_("last seen"), recovery.seen_at),
        (_("cancel asked for"), recovery.cancel_requested_at),
        (_("ended"), recovery.finished_at),
        (_("settled"), recovery.settled_at),
    ]
    shown: list[tuple[str, Any]] = [(name, show.moment(when)) for name, when in known if when is not None]
    if recovery.started_at or recovery.submitted_at:
        shown.append((_("duration"), show.duration(recovery, timezone.now())))
    return shown


def links(recovery: Recovery) -> list[tuple[str, str]]:
    """Those that a browser may follow."""
    known = [(_("Spark UI"), recovery.spark_ui_url), (_("driver log"), recovery.driver_log_url)]
    return [(name, show.web_link(url)) for name, url in known if show.web_link(url)]


def log_of(recovery: Recovery) -> dict[str, Any]:
    """The log's end, and what has to be said of it."""
    log = RecoveryLog.objects.filter(pk=recovery.pk).first()
    on_yarn = bool(recovery.gateway.yarn_path) or recovery.app_id.startswith("application_")
    if log is None:
        return {"exists": False, "on_yarn": on_yarn}
    lines = log.output.splitlines()
    return {
        "exists": True,
        "on_yarn": on_yarn,
        "output": "\n".join(lines[-SHOWN_LINES:]),
        "left_out": max(0, len(lines) - SHOWN_LINES),
        "diagnostics": log.diagnostics.strip(),
        "withheld": log.withheld,
        "read_at": show.moment(log.read_at),
        "final": log.final,
    }


def buttons(recovery: Recovery, by: User, children: list[Recovery], *, alarmed: bool) -> list[dict[str, str]]:
    """What this user can do now; a button that would only say no is not shown."""

    def button(name: str, text: str, look: str) -> dict[str, str]:
        return {"url": reverse(f"admin:recovery_recovery_{name}", args=[recovery.pk]), "text": text, "look": look}

    shown = []
    unsettled = recovery.state == State.LOST and not recovery.settled_as
    again = recovery.is_terminal and not any(child.state in LIVE for child in children)
    decides = not unsettled or by.has_perm("recovery.settle_recovery")
    if again and decides and by.has_perm("recovery.resubmit_recovery"):
        main = "primary" if recovery.state in (State.FAILED, State.REFUSED) else "default"
        shown.append(button("edit", _("Edit and resubmit"), main))
        shown.append(button("resubmit", _("Resubmit as it was"), "default"))
    if by.has_perm("recovery.settle_recovery"):
        if can_be_settled(recovery, database_now()):
            shown.insert(0, button("settle", _("Settle"), "primary"))
        elif alarmed:
            shown.insert(0, button("acknowledge", _("Acknowledge the alarm"), "primary"))
    if not recovery.is_terminal and recovery.cancel_requested_at is None and may_cancel(by, recovery):
        shown.append(button("cancel", _("Cancel"), "danger"))
    return shown
