"""Many recoveries at once: first a page that says what will happen to each, then a message that says how many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from recovery import wording
from recovery.admin import show
from recovery.admin.base import person
from recovery.admin.forms import checked_reason, new_key
from recovery.admin.lights import Lights, lights_of
from recovery.admin.sheet import Again, of_resubmission
from recovery.domain.errors import InvalidInput
from recovery.domain.gateways import Channel
from recovery.domain.payload import Payload
from recovery.domain.preflight import Light, Preflight
from recovery.domain.states import State
from recovery.models import LivyProfile, Recovery
from recovery.services.cancelling import may_cancel, request_cancel
from recovery.services.clock import database_now
from recovery.services.filing import FilingKeyReused, Gate, Origin, PreflightStops
from recovery.services.preflight import preflight
from recovery.services.resubmission import obstacle, resubmit

AT_MOST: Final = 100
LOOKING: Final = 15.0
"""Seconds for looking at all of them; a look is kept for a minute, so that a second attempt gets further."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One selected recovery, and why nothing can be done with it (empty: it can)."""

    recovery: Recovery
    badge: SafeString
    why_not: str
    lights: Lights | None = None
    again: Again | None = None
    """What is sent when it is sent again."""

    @property
    def arguments(self) -> str:
        """Short."""
        return show.shortened(self.recovery.raw_jar_args)

    @property
    def moved(self) -> list[tuple[str, str, str]]:
        """What is not as it was then, for all that its payload is: (name, then, now)."""
        return [(name, then, now) for name, then, _today, now in self.again.rows if then != now] if self.again else []


def resubmit_many(admin: Any, request: HttpRequest, queryset: QuerySet[Recovery]) -> HttpResponse | None:
    """Each as it was, with its own reason unless one is given here."""
    by = person(request)
    reason = request.POST.get("reason", "").strip()
    key = request.POST.get("key", "") or new_key()
    usable = set(LivyProfile.objects.usable_by(by).values_list("pk", flat=True))
    look = _Looks()
    made: list[int] = []

    def why_not(recovery: Recovery) -> str:
        origin = Origin(by=by, channel=Channel.ADMIN)
        problem = obstacle(recovery=recovery, origin=origin, reason=reason, usable=usable)
        return wording.sentence(problem) if problem else no_ticket(recovery) or red(recovery)

    def no_ticket(recovery: Recovery) -> str:
        try:
            checked_reason(reason or recovery.reason)
        except ValidationError as error:
            return " ".join(error.messages)
        return ""

    def red(recovery: Recovery) -> str:
        seen = look(recovery)
        if seen is None:
            return _("There was no time left to look at it. Send fewer at once, or try again.")
        return " ".join(wording.check_text(check, seen) for check in seen.of(Light.RED))

    def do(recovery: Recovery) -> str:
        origin = Origin(by=by, channel=Channel.ADMIN, filing_key=f"{key}-{recovery.pk}"[:200])
        if missing := no_ticket(recovery):
            return missing
        shown = frozenset(request.POST.getlist(f"seen-{recovery.pk}")) if "amber" in request.POST else frozenset()
        try:
            why = why_not(recovery)
            if why and look.over:
                return why
            if not why and request.POST.get(f"sheet-{recovery.pk}") != of_resubmission(recovery, {}).sheet.token:
                return _("What would be sent has changed since you looked: please check it once more.")
            given = reason or (recovery.reason if not why else "")
            gate = Gate(confirmed=shown)
            filed = resubmit(recovery=recovery, origin=origin, reason=given, now=database_now(), gate=gate)
            made.append(filed.recovery.pk)
        except InvalidInput as error:
            return " ".join(wording.sentence(problem) for problem in error.problems)
        except PreflightStops as stop:
            return " ".join(wording.sentence(problem) for problem in wording.stopping(stop.checks, stop.preflight))
        except FilingKeyReused:
            return _("It was resubmitted from this page already.")
        return ""

    return _confirmed(
        admin, request, queryset, do=do, why_not=why_not, key=key, reason=reason, look=look, made=made,
        action="resubmit_selected", title=_("Resubmit as they were"),
        done=_("%(done)s of %(all)s recoveries resubmitted."),
    )  # fmt: skip


class _Looks:
    """The preflight of each, while there is time."""

    def __init__(self) -> None:
        self._until = monotonic() + LOOKING
        self._seen: dict[int, Preflight] = {}
        self.over = False
        """There was no time left for one of them."""

    def __call__(self, recovery: Recovery) -> Preflight | None:
        if recovery.pk not in self._seen:
            if monotonic() > self._until:
                self.over = True
                return None
            self._seen[recovery.pk] = preflight(
                profile=recovery.profile,
                payload=Payload.from_json(recovery.payload_json),
                sent_text=recovery.sent_payload,
                now=database_now(),
            )
        return self._seen[recovery.pk]

    def lights(self, recovery: Recovery) -> Lights | None:
        """Of one that was looked at."""
        seen = self._seen.get(recovery.pk)
        return lights_of(seen, ask=True) if seen else None


def cancel_many(admin: Any, request: HttpRequest, queryset: QuerySet[Recovery]) -> HttpResponse | None:
    """Each that goes on and that the user may cancel."""
    by = person(request)
    reason = request.POST.get("reason", "").strip()

    def why_not(recovery: Recovery) -> str:
        if not may_cancel(by, recovery):
            return _("You may cancel your own recoveries only.")
        if recovery.is_terminal:
            return _("It has ended.")
        return _("A cancel was asked for already.") if recovery.cancel_requested_at is not None else ""

    def do(recovery: Recovery) -> str:
        if why := why_not(recovery):
            return why
        asked = request_cancel(recovery=recovery, by=by, now=database_now(), reason=reason)
        return "" if asked else _("It has ended.")

    return _confirmed(
        admin, request, queryset, do=do, why_not=why_not, key=new_key(), reason=reason,
        action="cancel_selected", title=_("Cancel"),
        done=_("Cancel asked for %(done)s of %(all)s recoveries."),
    )  # fmt: skip


def _confirmed(
    admin: Any,
    request: HttpRequest,
    queryset: QuerySet[Recovery],
    *,
    do: Callable[[Recovery], str],
    why_not: Callable[[Recovery], str],
    key: str,
    reason: str,
    action: str,
    title: str,
    done: str,
    look: _Looks | None = None,
    made: Sequence[int] = (),
) -> HttpResponse | None:
    """The page, or the work and its message. Whole rows: the list leaves the payloads out."""
    numbers = list(queryset.values_list("pk", flat=True)[: AT_MOST + 1])
    if len(numbers) > AT_MOST:
        messages.error(request, _("At most %(limit)s at once.") % {"limit": AT_MOST})
        return None
    selected = list(Recovery.objects.for_list().filter(pk__in=numbers))
    if "confirmed" in request.POST:
        failed = [(recovery.pk, why) for recovery in reversed(selected) if (why := do(recovery))]
        text = conditional_escape(done % {"done": len(selected) - len(failed), "all": len(selected)}) + _links(made)
        text += format_html_join("", " {} {}: {}", ((_("No."), number, why) for number, why in failed))
        (messages.warning if failed else messages.success)(request, text)
        return _back(request)
    rows = [
        Row(
            recovery=r, badge=show.state_badge(r), why_not=why_not(r), lights=look.lights(r) if look else None,
            again=of_resubmission(r, {}) if look else None,
        )
        for r in selected
    ]  # fmt: skip
    page: HttpResponse = admin.page(
        request, "bulk.html", title=title, rows=rows, possible=sum(not row.why_not for row in rows), action=action,
        key=key, reason=reason, checkbox=ACTION_CHECKBOX_NAME, cancelling=action == "cancel_selected",
        asks=any(row.lights and row.lights.asks and not row.why_not for row in rows),
        reason_helps=bool(look and (settings.REASON_PATTERN or any(row.recovery.state == State.LOST for row in rows))),
        back=request.get_full_path(),
    )  # fmt: skip
    return page


def _links(made: Sequence[int]) -> SafeString:
    """To what was made."""
    links = ((reverse("admin:recovery_recovery_change", args=[number]), number) for number in made)
    shown = format_html_join(", ", '<a class="rp-link" href="{}">{}</a>', links)
    return format_html(" {} {}.", _("New:"), shown) if made else shown


def _back(request: HttpRequest) -> HttpResponse:
    """To the list with its filters, as it was when they were chosen; not by them: what has moved would be left out."""
    home = reverse("admin:recovery_recovery_changelist")
    back = request.POST.get("back", "")
    return HttpResponseRedirect(back if back.split("?")[0] == home else home)
