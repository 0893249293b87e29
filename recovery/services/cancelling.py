"""Asking for a cancel (C1). Carrying it out is the follower's and the submitter's work."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Q

from recovery.domain.states import LIVE, Hold, State
from recovery.domain.verdicts import Outcome
from recovery.models import Recovery
from recovery.services import transitions
from recovery.services.attempts import NO_DOUBT
from recovery.services.wake import FOLLOW, SETTLE, SUBMIT, wake


def may_cancel(user: User, recovery: Recovery) -> bool:
    """Their own with one permission, anybody's with another."""
    if user.has_perm("recovery.cancel_any_recovery"):
        return True
    return user.has_perm("recovery.cancel_own_recovery") and recovery.requester_id == user.pk


def request_cancel(*, recovery: Recovery, by: User, now: datetime, reason: str = "") -> bool:
    """Ask for a cancel; False when it has ended or was asked for already.

    What was never sent is `cancelled` at once. Everything else keeps its state until Livy confirms.
    """
    asked = {"cancel_requested_at": now, "cancel_requested_by": by}
    if not transitions.note(
        recovery.pk,
        "cancel_requested",
        only_if=Q(state__in=LIVE, cancel_requested_at__isnull=True),
        actor=by,
        changes={**asked, "next_action_at": now},
        reason=reason or None,
    ):
        return False
    if not cancel_unsent(recovery.pk, now=now):
        for task in (SUBMIT, SETTLE, FOLLOW):
            wake(task, recovery.gateway_id)
    return True


def cancel_unsent(recovery_id: int, *, now: datetime) -> bool:
    """`cancelled` for a row with an asked-for cancel of which nothing can run: not sent, and no doubt is open."""
    waiting = Q(state__in=(State.QUEUED, State.AWAITING_APPROVAL))
    return transitions.advance(
        recovery_id,
        State.CANCELLED,
        kind="cancelled",
        cause="not_sent",
        sources={State.QUEUED, State.AWAITING_APPROVAL, State.UNCONFIRMED},
        # whose name was taken before its first POST was never sent either (A7)
        only_if=Q(cancel_requested_at__isnull=False) & NO_DOUBT & (waiting | Q(hold=Hold.NAME_TAKEN)),
        changes={"finished_at": now, "outcome": Outcome.CANCELLED_BEFORE_START.value},
    )
