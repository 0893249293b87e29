"""A person decides what could not be known (H1). The state stays what was known; the decision stands beside it."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from recovery.domain.states import LIVE, Settlement, State
from recovery.models import Recovery
from recovery.services import transitions
from recovery.services.clock import seconds


def can_be_settled(recovery: Recovery, now: datetime) -> bool:
    """Lost and not settled; or not ended while its gateway was not seen for so long that nobody can follow it."""
    if recovery.settled_as:
        return False
    return recovery.state == State.LOST or (recovery.state in LIVE and _unseen(recovery, now))


def _unseen(recovery: Recovery, now: datetime) -> bool:
    seen = recovery.gateway.last_seen_at or recovery.created_at
    return seen <= now - seconds(settings.RECOVERY_PACING.unseen_for)


def settle(*, recovery: Recovery, settled_as: Settlement, reason: str, by: User, now: datetime) -> bool:
    """Write the decision; False when it cannot be settled, or was settled by someone else first."""
    if not reason.strip():
        raise ValueError("a reason is needed")
    if not can_be_settled(recovery, now):
        return False
    return transitions.note(
        recovery.pk,
        "settled",
        only_if=Q(settled_as="", state=recovery.state),
        actor=by,
        cause=settled_as.value,
        changes={
            "settled_as": settled_as.value,
            "settled_reason": reason,
            "settled_by": by,
            "settled_at": now,
        },
        reason=reason,
        state=recovery.state,
    )
