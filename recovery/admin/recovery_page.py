"""A recovery's page: state and story, why it failed, facts, attempts, log, payload, events. Read only."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from recovery.admin import lights, progress, show, story
from recovery.admin import sheet as sheets
from recovery.admin.attempts import attempts
from recovery.admin.base import person
from recovery.admin.recovery_live import SHOWN_EVENTS, etag_of, gateway_badge, head, moves, next_step
from recovery.admin.recovery_log import log_of
from recovery.admin.remedy import change_lines
from recovery.admin.signature import shown as shown_cause
from recovery.domain import logtail
from recovery.domain.commands import as_curl, as_spark_submit
from recovery.domain.gateways import AuthKind
from recovery.domain.payload import Payload
from recovery.domain.preflight import Preflight
from recovery.domain.states import LIVE, State
from recovery.models import Recovery, RecoveryEvent, RecoveryLog, SubjectType
from recovery.services import attention, duplicates, log_reading, surroundings
from recovery.services.cancelling import may_cancel
from recovery.services.clock import database_now
from recovery.services.explaining import explain
from recovery.services.settling import can_be_settled


def recovery_page(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """The page; 403 without the permission to see it, and for anything but looking."""
    if request.method not in ("GET", "HEAD") or not admin.has_view_permission(request):
        raise PermissionDenied
    if not object_id.isdecimal():
        return admin._get_obj_does_not_exist_redirect(request, admin.opts, object_id)  # type: ignore[no-any-return]
    rows = surroundings.with_neighbours(Recovery.objects.for_list()).annotate(taken_up=attention.taken_up())
    recovery: Any = get_object_or_404(rows, pk=int(object_id))
    log = RecoveryLog.objects.filter(pk=recovery.pk).first()
    if moves(recovery):
        log_reading.watch(recovery=recovery, now=database_now())
    chain = surroundings.chain(recovery)
    events = RecoveryEvent.objects.of(SubjectType.RECOVERY, recovery.pk)
    shown_events = list(events[:SHOWN_EVENTS])
    recovery.last_event = shown_events[-1].seq if shown_events else None
    recovery.log_read_at, recovery.log_final = (log.read_at, log.final) if log else (None, None)
    usual = surroundings.usual(recovery)
    alarmed = duplicates.is_alarmed(recovery)
    page: HttpResponse = admin.page(
        request, "page.html",
        title=_("Recovery no. %(id)s") % {"id": recovery.pk},
        original=recovery,
        recovery=recovery,
        before_pk=recovery.before_pk,
        after_pk=recovery.after_pk,
        moves=moves(recovery),
        usual=progress.usual_words(usual),
        progress=progress.progress(recovery, usual),
        sheet=sheets.of_recovery(recovery),
        seen=seen_before(recovery),
        commands=commands(recovery),
        facts=facts(recovery),
        live_facts=progress.live_facts(recovery),
        times=progress.times(recovery),
        gateway_badge=gateway_badge(recovery),
        attempts=attempts(chain, recovery),
        events=[story.line(event) for event in shown_events],
        etag=etag_of(recovery),
        log=log_of(recovery, log),
        links=progress.links(recovery),
        driver_log=progress.driver_log(recovery),
        zone=timezone.get_current_timezone_name(),
        **(after := after_the_end(recovery, log, person(request), chain, alarmed=alarmed)),
        **head(recovery, alarmed=alarmed, taken_up=recovery.taken_up, explained=bool(after["explained"])),
    )  # fmt: skip
    return page


def seen_before(recovery: Recovery) -> lights.Lights | None:
    """The preflight as it was when it was filed."""
    seen = Preflight.from_text(recovery.preflight)
    return lights.lights_of(seen) if seen else None


def outcome_part(admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Why, and the buttons: what a page asks for once, when what it shows has ended while it was looked at."""
    recovery: Any = get_object_or_404(Recovery.objects.for_list().annotate(taken_up=attention.taken_up()), pk=pk)
    log = RecoveryLog.objects.filter(pk=pk).first()
    alarmed = duplicates.is_alarmed(recovery)
    context = after_the_end(recovery, log, person(request), surroundings.chain(recovery), alarmed=alarmed)
    step = next_step(recovery, alarmed=alarmed, taken_up=recovery.taken_up, explained=bool(context["explained"]))
    return render(request, "recovery/admin/_outcome_part.html", context | {"recovery": recovery, "step": step})


def after_the_end(
    recovery: Recovery, log: RecoveryLog | None, by: User, chain: list[Recovery], *, alarmed: bool
) -> dict[str, Any]:
    """What a person can do now, and why it ended so."""
    children = [row for row in chain if row.resubmission_of_id == recovery.pk]
    shown = buttons(recovery, by, children, alarmed=alarmed)
    again = any(button["name"] == "edit" for button in shown)
    found = explain(recovery, log)
    explained = []
    for one in found:
        changes = change_lines(recovery, one) if again and one.changes else []
        url = reverse("admin:recovery_recovery_edit", args=[recovery.pk])
        explained.append(
            shown_cause(one)
            | {
                "remedy_url": f"{url}?remedy={one.signature.pk}" if changes else "",
                "changes": changes,
            }
        )
    if any(one["remedy_url"] for one in explained):  # one main button
        shown = [button | {"look": button["look"].replace("primary", "default")} for button in shown]
    return {
        "buttons": shown,
        "explained": explained,
        "guessed": any(one["guess"] for one in explained),
        "diagnostics": logtail.plain(log.diagnostics).strip() if log else "",
    }


def facts(recovery: Recovery) -> list[tuple[str, Any]]:
    """(name, value) beside what the sheet shows; what does not change any more."""
    return [
        (_("requested by"), recovery.requester_label),
        (_("reason"), recovery.reason or show.NOTHING),
        (_("filed through"), recovery.get_channel_display()),
        (_("attempt"), recovery.attempt),
        (_("batch name"), recovery.batch_name),
    ]


def commands(recovery: Recovery) -> dict[str, str]:
    """The payload for a terminal."""
    payload, gateway = Payload.from_json(recovery.payload_json), recovery.gateway
    return {
        "curl": as_curl(
            payload, base_url=gateway.base_url, livy_path=gateway.livy_path, user=gateway.user,
            bearer=gateway.auth_kind == AuthKind.BEARER,
        ),
        "spark_submit": as_spark_submit(payload),
    }  # fmt: skip


def buttons(recovery: Recovery, by: User, children: list[Recovery], *, alarmed: bool) -> list[dict[str, str]]:
    """What this user can do now; a button that would only say no is not shown."""

    def button(name: str, text: str, look: str) -> dict[str, str]:
        url = reverse(f"admin:recovery_recovery_{name}", args=[recovery.pk])
        return {"name": name, "url": url, "text": text, "look": look}

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
