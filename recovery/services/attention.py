"""What waits for a person: one rule for the home page, the list's filter and the recovery's page; and gateways that
should have been seen, and were not."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import BooleanField, Case, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from recovery.domain.states import LIVE, Hold, State
from recovery.domain.verdicts import Outcome
from recovery.models import Recovery
from recovery.models.recovery import JarKey
from recovery.services import duplicates
from recovery.services.clock import seconds

DAYS: Final = 7
"""What ended badly before that is history, and no longer a task."""
_BADLY: Final = Q(state__in=[State.FAILED, State.REFUSED]) | (
    Q(state=State.CANCELLED) & ~Q(outcome=Outcome.CANCELLED_BEFORE_START)
)
_OPEN: Final = (
    Q(state=State.AWAITING_APPROVAL, cancel_requested_at__isnull=True)
    | Q(state=State.LOST, settled_as="")
    | Q(state__in=LIVE, hold=Hold.NAME_TAKEN)
)
"""Waits for somebody's decision, however old it is."""


def since() -> datetime:
    """Midnight, a week ago."""
    return timezone.make_aware(datetime.combine(timezone.localdate() - timedelta(days=DAYS), time.min))


def taken_up() -> Case:
    """To annotate: it ended badly, and the work went on since."""
    return Case(When(_BADLY, then=_went_on()), default=Value(False), output_field=BooleanField())


def _went_on() -> Q:
    """It was resubmitted, or the same jar has succeeded with the same arguments since it was filed."""
    later = Recovery.objects.alias(jar_key=JarKey("jar_path")).filter(
        jar_key=JarKey(OuterRef("jar_path")), created_at__gt=OuterRef("created_at"),
        state=State.SUCCEEDED, raw_jar_args=OuterRef("raw_jar_args"),
    )  # fmt: skip
    return Q(Exists(Recovery.objects.filter(resubmission_of=OuterRef("pk")))) | Q(Exists(later))


def needs_someone() -> QuerySet[Recovery, Any]:
    """The numbers of those that wait for a person, to be asked `pk__in`. Each part has its own index: in one condition
    a database would go through all that were ever filed."""
    badly = Recovery.objects.filter(_BADLY, ~_went_on(), created_at__gte=since())
    parts = (badly, Recovery.objects.filter(_OPEN), duplicates.alarmed())
    first, *others = (part.order_by().values("pk") for part in parts)
    return first.union(*others)


# ── gateways ────────────────────────────────────────────────────────────────────────────────────────────────────────

_FOLLOWED: Final = frozenset({State.SUBMITTING, State.UNCONFIRMED, State.STARTING, State.RUNNING})


def silent(*, now: datetime) -> Q:
    """Of a gateway: work has waited there for some minutes, and nobody has seen it: no worker runs, it seems. One
    without work is not asked, so its silence means nothing."""
    before = _before(now)
    work = Recovery.objects.filter(created_at__lt=before, settled_as="").exclude(hold=Hold.NAME_TAKEN).order_by()
    # found by their states: asked for each gateway, SQLite goes through all that were ever filed there
    followed, queued = work.filter(state__in=_FOLLOWED), work.filter(state=State.QUEUED)
    sends = Q(paused=False, follow_only=False)
    waits = Q(pk__in=followed.values("gateway_id")) | (sends & Q(pk__in=queued.values("gateway_id")))
    return (Q(last_seen_at__isnull=True) | Q(last_seen_at__lt=before)) & waits


def keeps_silent(recovery: Recovery, *, now: datetime) -> bool:
    """The same of the gateway of a recovery, which is the work that waits."""
    gateway, before = recovery.gateway, _before(now)
    if recovery.created_at >= before or recovery.settled_as or recovery.hold == Hold.NAME_TAKEN:
        return False
    if gateway.last_seen_at is not None and gateway.last_seen_at >= before:
        return False
    sends = not (gateway.paused or gateway.follow_only)
    return recovery.state in _FOLLOWED or (sends and recovery.state == State.QUEUED)


def _before(now: datetime) -> datetime:
    return now - seconds(settings.RECOVERY_PACING.unseen_soon())
