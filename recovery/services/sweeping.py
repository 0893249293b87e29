"""The sweep: finds in the database whatever is due, with no help from the broker (invariant 2)."""

from __future__ import annotations

from datetime import datetime
from time import monotonic

import structlog
from django.conf import settings
from django.db.models import F, Q

from recovery.domain.states import FOLLOWED, LIVE, Hold, State
from recovery.domain.verdicts import Outcome
from recovery.gateway.errors import NotSent
from recovery.gateway.wire import Batch
from recovery.models import Gateway, Recovery
from recovery.services import attempts, events, gateways, leases, phantoms, transitions
from recovery.services.cancelling import cancel_unsent
from recovery.services.clock import Clock, database_now, seconds
from recovery.services.gateways import ClientFactory, open_client
from recovery.services.submission import look
from recovery.services.wake import FOLLOW, SETTLE, SUBMIT, send

log = structlog.get_logger(__name__)

ROWS = 500


def sweep(*, clock: Clock = database_now, client_for: ClientFactory = open_client) -> None:
    """One tick: lost workers, bounds, leftovers, and a wake-up for each gateway with due work.

    Idempotent, and alone by a lease: two beats do no harm.
    """
    with leases.held("sweep", lasting=settings.RECOVERY_PACING.follow_lease, clock=clock) as holder:
        if holder is None:
            return
        now = clock()
        expire_claims(now=now)
        expire_rows(now=now)
        wake_gateways(now=now)
        tidy(clock=clock, client_for=client_for)


def expire_claims(*, now: datetime) -> int:
    """A4: the lease ran out while `submitting`; the worker was killed before, during or after its POST."""
    doubts = 0
    for row in Recovery.objects.filter(state=State.SUBMITTING, lease_until__lte=now)[:ROWS]:
        doubts += attempts.doubt(
            row, kind="worker_lost", cause="lease", now=now, only_if=Q(fence=row.fence, lease_until__lte=now)
        )
    return doubts


def expire_rows(*, now: datetime) -> int:
    """S5: `submit_by` and the number of tries; and queued rows whose cancel was asked for (C1)."""
    ended = 0
    too_many = settings.RECOVERY_PACING.max_tries
    cleared = Q(may_have_started=False) | Q(doubt_try__lte=F("cleared_try"))
    over = Q(submit_by__lte=now) | Q(tries__gte=too_many, next_action_at__lte=now)
    for row in Recovery.objects.filter(over, state=State.QUEUED)[:ROWS]:
        late = row.submit_by <= now
        outcome = Outcome.NEVER_SUBMITTED if late else Outcome.TOO_MANY_TRIES
        kind = "expired" if late else "parked"
        if row.in_doubt:
            ended += attempts.lose(row.pk, sources={State.QUEUED}, outcome=outcome, now=now, kind=kind)
        else:
            ended += transitions.advance(
                row.pk, State.REFUSED, kind=kind, cause=outcome.value, sources={State.QUEUED}, only_if=cleared,
                changes={"finished_at": now, "outcome": outcome.value},
            )  # fmt: skip
    for row in Recovery.objects.filter(state=State.UNCONFIRMED, submit_by__lte=now)[:ROWS]:
        taken = row.hold == Hold.NAME_TAKEN
        outcome = Outcome.NAME_TAKEN if taken else Outcome.DOUBT_UNSETTLED
        ended += attempts.lose(row.pk, sources={State.UNCONFIRMED}, outcome=outcome, now=now, kind="expired")
    asked = Recovery.objects.filter(
        state__in=(State.QUEUED, State.AWAITING_APPROVAL), cancel_requested_at__isnull=False
    )
    for pk in asked.values_list("pk", flat=True)[:ROWS]:
        ended += cancel_unsent(pk, now=now)
    return ended


def wake_gateways(*, now: datetime) -> None:
    """A message per gateway and kind of due work; what is already under way is stopped by its lease."""
    due = (
        Recovery.objects.filter(state__in=LIVE, next_action_at__lte=now)
        .exclude(hold=Hold.NAME_TAKEN)
        .order_by()
        .values_list("gateway_id", "state")
        .distinct()
    )
    work: set[tuple[str, int]] = set()
    for gateway_id, state in due:
        if state in FOLLOWED:
            work.add((FOLLOW, gateway_id))
        elif state == State.UNCONFIRMED:
            work.add((SETTLE, gateway_id))
        elif state == State.QUEUED:
            work.add((SUBMIT, gateway_id))
    resting = {g.pk for g in Gateway.objects.exclude(condition="") if gateways.is_resting(g, now)}
    for task, gateway_id in sorted(work):
        if gateway_id not in resting:
            send(task, gateway_id)


def tidy(*, clock: Clock, client_for: ClientFactory) -> int:
    """Phantoms of refused recoveries (S2), and another look for lost ones while Livy may remember them (F6)."""
    now = clock()
    until = monotonic() + settings.RECOVERY_PACING.follow_lease / 2
    leftovers = Recovery.objects.due(now).filter(Q(cleanup_due=True) | Q(state=State.LOST))
    tidied = 0
    for row in leftovers.select_related("gateway")[:20]:
        if monotonic() > until:
            break
        if gateways.is_resting(row.gateway, now):
            continue
        try:
            with client_for(row.gateway) as client:
                if row.cleanup_due:
                    phantoms.clean_up(recovery_id=row.pk, gateway=row.gateway, client=client, clock=clock)
                else:
                    look_for_lost(row, look(client, row.batch_name), now=now)
        except NotSent as error:
            gateways.record_condition(row.gateway, error, now=now)
        tidied += 1
    return tidied


def look_for_lost(row: Recovery, batch: Batch | None, *, now: datetime) -> None:
    """F6: what is found is written as evidence; the state stays, a person settles it."""
    ended = row.finished_at or now
    over = now - ended > seconds(row.gateway.retention_seconds)
    pause = seconds(settings.RECOVERY_PACING.lost_look_every)
    later = {"next_action_at": None if over else now + pause}
    if batch is not None and (batch.state != row.livy_state or row.livy_id != batch.id):
        transitions.note(
            row.pk, "evidence", only_if=Q(state=State.LOST),
            changes=later | {"livy_state": batch.state[:40]},
            batch=batch.id, app=batch.app_id, livy_state=batch.state,
        )  # fmt: skip
        if row.livy_id is not None and row.livy_id != batch.id:
            log.error("duplicate", recovery=row.pk, batch=batch.id, known=row.livy_id)
            events.of_recovery(row.pk, "duplicate", cause="found_later", batch=batch.id, known=row.livy_id)
        return
    Recovery.objects.filter(pk=row.pk, state=State.LOST).update(**later)
