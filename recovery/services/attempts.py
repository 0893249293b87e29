"""One try to submit: the claim before it (P2), and the four ways it can end (A1 to A4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from recovery.domain.states import State
from recovery.domain.verdicts import Outcome
from recovery.gateway.errors import GatewayError
from recovery.gateway.wire import Batch
from recovery.gateway.yarn import Application
from recovery.models import Recovery
from recovery.services import events, transitions
from recovery.services.clock import Clock, seconds

log = structlog.get_logger(__name__)


NO_DOUBT = Q(may_have_started=False) | Q(doubt_try__lte=F("cleared_try"))
"""Nothing of the row can run (A5)."""


class ClaimLost(Exception):
    """The last look before the first byte found the claim gone or its time over: nothing was sent (P2)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """A claimed row: `fence` proves the claim, `ends` is the deadline on this process's monotonic clock."""

    recovery: Recovery
    fence: int
    ends: float

    @property
    def mine(self) -> Q:
        """Holds while nobody else has claimed the row."""
        return Q(fence=self.fence)

    def remaining(self) -> float:
        """Seconds until the deadline."""
        return self.ends - monotonic()

    def last_act(self, clock: Clock) -> None:
        """P2: deadline and token again, once the connection stands, and that nobody has settled it meanwhile (H1).
        From here on the try may have been sent."""
        rows = Recovery.objects.filter(self.mine, pk=self.recovery.pk, state=State.SUBMITTING, settled_as="")
        rows = rows.filter(lease_until__gt=clock())
        if self.remaining() <= 0 or not rows.update(post_begun_try=self.fence):
            raise ClaimLost


def held(recovery: Recovery) -> Q:
    """Holds while nobody has claimed the row since it was read: what was concluded from that reading is still true."""
    return Q(fence=recovery.fence)


def claim(recovery_id: int, *, source: State, now: datetime, only_if: Q | None = None) -> Attempt | None:
    """P2: guarded UPDATE, tries + 1, a new fence, a lease of the try's deadline plus a margin. None: not ours.

    What a person has settled is never claimed (H1), nor a queued row whose doubt is open.
    """
    pacing = settings.RECOVERY_PACING
    ends = monotonic() + pacing.try_deadline
    lease = now + seconds(pacing.try_deadline + pacing.lease_margin)
    free = Q(hold="", next_action_at__lte=now) & (Q(not_before__isnull=True) | Q(not_before__lte=now))
    free &= Q(lease_until__isnull=True) | Q(lease_until__lte=now) | Q(state=State.UNCONFIRMED)
    free &= Q(settled_as="")
    if source is State.QUEUED:
        free &= Q(cancel_requested_at__isnull=True) & NO_DOUBT
    if only_if is not None:
        free &= only_if
    with transaction.atomic():
        moved = transitions.advance(
            recovery_id,
            State.SUBMITTING,
            kind="claimed",
            cause=source.value,
            sources={source},
            only_if=free,
            changes={
                "tries": F("tries") + 1,
                "fence": F("fence") + 1,
                "lease_until": lease,
                "try_started_at": now,
                "try_ends_at": now + seconds(pacing.try_deadline),
                "next_action_at": lease,
            },
        )
        if not moved:
            return None
        recovery = Recovery.objects.select_related("gateway").get(pk=recovery_id)
    return Attempt(recovery=recovery, fence=recovery.fence, ends=ends)


_WIDTHS = {"app_id": 100, "owner": 150, "proxy_user": 150, "spark_ui_url": 1000, "driver_log_url": 1000}
"""Widths of the columns that Livy's words go into."""


def facts_of(batch: Batch) -> dict[str, Any]:
    """The columns that a batch object fills (A1). Links are kept once seen: Livy takes them back at the end."""
    facts: dict[str, Any] = {"livy_id": batch.id, "livy_state": batch.state[:40]}
    for column, value in (
        ("app_id", batch.app_id),
        ("owner", batch.owner),
        ("proxy_user", batch.proxy_user),
        ("spark_ui_url", batch.spark_ui_url),
        ("driver_log_url", batch.driver_log_url),
    ):
        if value:
            facts[column] = value[: _WIDTHS[column]]
    return facts


def take_over(
    recovery_id: int,
    batch: Batch,
    *,
    kind: str,
    now: datetime,
    sources: set[State],
    only_if: Q | None = None,
    cause: str = "",
) -> bool:
    """The batch is ours: follow it from now on (A1, or adoption after a doubt)."""
    running = batch.state == "running"
    changes = facts_of(batch) | {
        "lease_until": None,
        "next_action_at": now + seconds(settings.RECOVERY_PACING.poll_young),
        "log_due_at": now,
        "seen_at": now,
        "submitted_at": now,
        "phantom_id": None,
        "phantom_since": None,
        "hold": "",
        "started_at": now if running else None,
    }
    told: dict[str, Any] = {"batch": batch.id, "app": batch.app_id, "livy_state": batch.state}
    moved = transitions.advance(
        recovery_id,
        State.RUNNING if running else State.STARTING,
        kind=kind,
        cause=cause,
        sources=sources,
        only_if=only_if,
        changes=changes,
        **told,
    )
    if not moved and kind == "adopted":  # A6: evidence is always written; a late 201 has words of its own
        events.of_recovery(recovery_id, "evidence", cause=kind, **told)
    return moved


def take_over_in_yarn(recovery: Recovery, app: Application, *, now: datetime) -> bool:
    """Livy does not know it, and YARN does, by its tag: it is followed there (S3 b)."""
    return transitions.advance(
        recovery.pk,
        State.STARTING,
        kind="adopted",
        cause="yarn",
        sources={State.UNCONFIRMED},
        only_if=held(recovery),
        changes={
            "app_id": app.id, "lease_until": None, "next_action_at": now, "seen_at": now, "submitted_at": now,
            "phantom_id": None, "phantom_since": None,
        },
        app=app.id,
    )  # fmt: skip


def give_back(attempt: Attempt, error: GatewayError | None, *, cause: str, now: datetime, next_at: datetime) -> bool:
    """A2: nothing was started. The try does not count; the row waits, in doubt if it was in doubt before (A5)."""
    recovery = attempt.recovery
    return transitions.advance(
        recovery.pk,
        State.UNCONFIRMED if recovery.in_doubt else State.QUEUED,
        kind="not_sent",
        cause=cause,
        sources={State.SUBMITTING},
        only_if=attempt.mine,
        changes={"lease_until": None, "tries": F("tries") - 1, "next_action_at": next_at},
        words=error.words[:500] if error else None,
        status=error.status if error else None,
    )


def doubt(
    recovery: Recovery,
    *,
    kind: str,
    cause: str,
    now: datetime,
    only_if: Q,
    answered: bool = False,
    refused: bool = False,
    words: str = "",
    status: int | None = None,
    after: int | None = None,
) -> bool:
    """A4: it may have started. `answered`: Livy itself said something to this try's POST (S2); `refused`: its verdict
    on the payload, which in a doubt proves nothing by itself (A5); `after`: seconds until it was lost."""
    pacing = settings.RECOVERY_PACING
    known = recovery.in_doubt
    changes: dict[str, Any] = {
        "may_have_started": True,
        "doubt_try": F("fence"),
        "doubt_since": recovery.doubt_since if known else recovery.try_started_at,
        "lease_until": None,
        "looks": 0,
        "yarn_none_at": None,
        "next_action_at": now if answered else now + seconds(pacing.look_pause(1)),
    }
    if answered:
        changes["answered_try"] = F("fence")
    if refused:
        changes |= {"refusal_try": F("fence"), "outcome_words": words}
    return transitions.advance(
        recovery.pk,
        State.UNCONFIRMED,
        kind=kind,
        cause=cause,
        sources={State.SUBMITTING},
        only_if=only_if,
        changes=changes,
        words=words[:500] or None,
        status=status,
        after=after,
    )


def refuse(
    recovery_id: int,
    *,
    source: State,
    words: str,
    status: int | None,
    cause: str,
    now: datetime,
    only_if: Q,
    cleanup: bool,
) -> bool:
    """A3: Livy's verdict on the payload. A phantom may be left: `cleanup_due` survives a killed worker."""
    return transitions.advance(
        recovery_id,
        State.REFUSED,
        kind="refused",
        cause=cause,
        sources={source},
        only_if=only_if,
        changes={
            "finished_at": now,
            "outcome": Outcome.REFUSED_BY_SERVER.value,
            "outcome_words": words,
            "cleanup_due": cleanup,
            "next_action_at": now if cleanup else None,
        },
        words=words[:500],
        status=status,
    )


def name_taken(recovery: Recovery, *, source: State, now: datetime, only_if: Q, batch: Batch | None) -> bool:
    """A7 on the very first try: somebody else holds our name. Nothing is done by itself any more; a person decides."""
    log.error("name_taken", recovery=recovery.pk, batch_name=recovery.batch_name)
    return transitions.advance(
        recovery.pk,
        State.UNCONFIRMED,
        kind="name_taken",
        sources={source},
        only_if=only_if,
        changes={"hold": "name_taken", "lease_until": None, "next_action_at": now},
        batch=batch.id if batch else None,
        app=batch.app_id if batch else None,
    )


def lose(
    recovery_id: int,
    *,
    sources: set[State],
    outcome: Outcome,
    now: datetime,
    kind: str = "lost",
    only_if: Q | None = None,
    **facts: Any,
) -> bool:
    """It cannot be known: a person settles it. It goes on being looked up for a while (F6)."""
    return transitions.advance(
        recovery_id,
        State.LOST,
        kind=kind,
        cause=outcome.value,
        sources=sources,
        only_if=only_if,
        changes={
            "finished_at": now,
            "outcome": outcome.value,
            "next_action_at": now + seconds(settings.RECOVERY_PACING.lost_look_every),
        },
        **facts,
    )
