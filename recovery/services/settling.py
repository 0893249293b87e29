"""A person decides what could not be known (H1). The state stays what was known; the decision stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from recovery.domain.states import LIVE, Hold, Settlement, State
from recovery.domain.verdicts import Outcome
from recovery.models import Recovery
from recovery.services import attempts, transitions
from recovery.services.clock import seconds


def can_be_settled(recovery: Recovery, now: datetime) -> bool:
    """Lost and not settled; its name is taken (A7); or not ended, while its gateway was not seen for so long that
    nobody can follow it."""
    if recovery.settled_as:
        return False
    if recovery.state == State.LOST or recovery.hold == Hold.NAME_TAKEN:
        return True
    return recovery.state in LIVE and _unseen(recovery, now)


def _unseen(recovery: Recovery, now: datetime) -> bool:
    seen = recovery.gateway.last_seen_at or recovery.created_at
    return seen <= now - seconds(settings.RECOVERY_PACING.unseen_for)


def settle(
    *,
    recovery: Recovery,
    settled_as: Settlement,
    reason: str,
    by: User,
    now: datetime,
    linked: Mapping[str, Any] | None = None,
    **evidence: Any,
) -> bool:
    """Write the decision; False when it cannot be settled, or was settled by someone else first.

    A settled row is never submitted any more; what was not sent yet ends here. `linked` are the columns of the batch
    that it is linked to, and `evidence` goes into the event: `services/linking.py` looks them up.
    """
    if not reason.strip():
        raise ValueError("a reason is needed")
    if (settled_as is Settlement.LINKED) != (linked is not None):
        raise ValueError("a link needs the batch that was looked up, and nothing else has one")
    if not can_be_settled(recovery, now):
        return False
    settled = transitions.note(
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
            **(linked or {}),
        },
        reason=reason,
        state=recovery.state,
        **evidence,
    )
    if settled:
        end_settled(recovery.pk, now=now)
    return settled


def end_settled(recovery_id: int, *, now: datetime) -> bool:
    """What a person has settled and what nobody follows has no more way to go."""
    ended = transitions.advance(
        recovery_id,
        State.REFUSED,
        kind="expired",
        cause="settled",
        sources={State.QUEUED, State.AWAITING_APPROVAL},
        only_if=~Q(settled_as="") & attempts.NO_DOUBT,
        changes={"finished_at": now, "outcome": Outcome.NEVER_SUBMITTED.value},
    )
    return ended or attempts.lose(
        recovery_id,
        sources={State.QUEUED, State.UNCONFIRMED},
        outcome=Outcome.DOUBT_UNSETTLED,
        now=now,
        only_if=~Q(settled_as=""),
    )
