"""Whose database this is (H5): a copied or restored database must not start or stop batches by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.conf import settings
from django.db import transaction
from django.db.models import F

from recovery.domain.states import State
from recovery.domain.verdicts import Outcome
from recovery.models import Instance, Recovery, SubjectType
from recovery.services import events, transitions

How = Literal["moved", "restored", "copy"]


def current() -> Instance:
    """The row; made at first use with this environment's PORTAL_ID."""
    row, _created = Instance.objects.get_or_create(pk=Instance.ID, defaults={"portal_id": settings.PORTAL_ID})
    return row


def pause_reason() -> str:
    """Why POSTs and DELETEs are paused; empty when this database is this portal's."""
    row = current()
    if row.portal_id == settings.PORTAL_ID:
        return ""
    return (
        f"This database belongs to the portal {row.portal_id!r}, and PORTAL_ID is {settings.PORTAL_ID!r}: "
        "run manage.py adopt_database --moved, --restored or --copy."
    )


def adopt(*, how: How, now: datetime) -> int:
    """Make this database this portal's; how many recoveries were touched.

    `moved`: the old portal is gone, everything goes on. `restored`: rows may be older than what happened in Livy, so
    each one that may be sent is in doubt: it is looked up, and what is not found cannot be known. `copy`: the original
    goes on elsewhere; every row that is not ended becomes `lost` in this copy.
    """
    touched = 0
    with transaction.atomic():
        row = current()
        Instance.objects.filter(pk=row.pk).update(portal_id=settings.PORTAL_ID, epoch=F("epoch") + 1)
        events.append(SubjectType.INSTANCE, row.pk, "changed", cause=how, before=row.portal_id, now=settings.PORTAL_ID)
        if how == "copy":
            for recovery in Recovery.objects.live().only("pk", "state").order_by("pk"):
                touched += _end_in_copy(recovery, now)
        elif how == "restored":
            sendable = (State.QUEUED, State.AWAITING_APPROVAL, State.SUBMITTING, State.UNCONFIRMED)
            for recovery in Recovery.objects.filter(state__in=sendable).order_by("pk"):
                touched += _doubt_restored(recovery, now)
    return touched


def _end_in_copy(recovery: Recovery, now: datetime) -> bool:
    if recovery.state == State.AWAITING_APPROVAL:
        return transitions.advance(
            recovery.pk, State.CANCELLED, kind="lost", cause="copy",
            changes={"finished_at": now, "outcome": Outcome.CANCELLED_BEFORE_START.value},
        )  # fmt: skip
    if recovery.state == State.SUBMITTING:
        transitions.advance(recovery.pk, State.UNCONFIRMED, kind="worker_lost", cause="copy")
    return transitions.advance(
        recovery.pk, State.LOST, kind="lost", cause="copy",
        changes={"finished_at": now, "outcome": Outcome.DOUBT_UNSETTLED.value},
    )  # fmt: skip


def _doubt_restored(recovery: Recovery, now: datetime) -> bool:
    """What waits in the backup may have been sent after it: a doubt, like a lost answer (A4), of unknown beginning."""
    doubt = {
        "may_have_started": True, "fence": F("fence") + 1, "doubt_try": F("fence") + 1, "doubt_since": None,
        "try_started_at": now, "try_ends_at": now, "looks": 0, "lease_until": None, "next_action_at": now,
    }  # fmt: skip
    if recovery.state == State.QUEUED:
        transitions.advance(recovery.pk, State.SUBMITTING, kind="claimed", cause="restored")
    if recovery.state in (State.QUEUED, State.SUBMITTING):
        return transitions.advance(recovery.pk, State.UNCONFIRMED, kind="worker_lost", cause="restored", changes=doubt)
    return transitions.note(recovery.pk, "worker_lost", cause="restored", changes=doubt)
