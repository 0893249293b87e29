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
from recovery.models import Gateway, Recovery, RecoveryEvent, SubjectType
from recovery.services import (
    attempts,
    duplicates,
    gateways,
    leases,
    listing,
    log_reading,
    notifying,
    phantoms,
    transitions,
    witnesses,
)
from recovery.services.cancelling import cancel_unsent
from recovery.services.clock import Clock, database_now, seconds
from recovery.services.gateways import ClientFactory, open_client
from recovery.services.submission import look
from recovery.services.wake import FOLLOW, LOGS, NOTIFY, SETTLE, SUBMIT, send

log = structlog.get_logger(__name__)

ROWS = 500


def sweep(*, clock: Clock = database_now, client_for: ClientFactory = open_client) -> None:
    """One tick: lost workers, bounds, leftovers, and a wake-up for each gateway with due work.

    Idempotent, and alone by a lease: two beats do no harm. What calls gateways has a lease of its own, so that one that
    hangs holds up no wake-up of another.
    """
    lasting = settings.RECOVERY_PACING.follow_lease
    with leases.held("sweep", lasting=lasting, clock=clock) as holder:
        if holder is None:
            return
        now = clock()
        expire_claims(now=now)
        expire_rows(now=now)
        wake_gateways(now=now)
        if notifying.sort_out(now=now):
            send(NOTIFY)
    with leases.held("tidy", lasting=lasting, clock=clock) as holder:
        if holder is not None:
            tidy(clock=clock, client_for=client_for)
            look_for_restarts(clock=clock, client_for=client_for)


def expire_claims(*, now: datetime) -> int:
    """A4: the lease ran out while `submitting`; the worker was killed before, during or after its POST.

    One that had not come to its last act before the first byte has sent nothing: no doubt (P2).
    """
    moved = 0
    for row in Recovery.objects.filter(state=State.SUBMITTING, lease_until__lte=now)[:ROWS]:
        expired = Q(fence=row.fence, lease_until__lte=now)
        if row.post_begun_try >= row.fence:
            moved += attempts.doubt(row, kind="worker_lost", cause="lease", now=now, only_if=expired)
        else:
            moved += transitions.advance(
                row.pk, State.UNCONFIRMED if row.in_doubt else State.QUEUED, kind="worker_lost", cause="before_post",
                sources={State.SUBMITTING}, only_if=expired & ~Q(post_begun_try=row.fence),
                changes={"lease_until": None, "next_action_at": now},
            )  # fmt: skip
    return moved


def expire_rows(*, now: datetime) -> int:
    """S5: `submit_by` and the number of tries; and queued rows whose cancel was asked for (C1)."""
    ended = 0
    pacing = settings.RECOVERY_PACING
    over = Q(submit_by__lte=now) | Q(tries__gte=pacing.max_tries, next_action_at__lte=now)
    for row in Recovery.objects.filter(over, state=State.QUEUED)[:ROWS]:
        late = row.submit_by <= now
        outcome = Outcome.NEVER_SUBMITTED if late else Outcome.TOO_MANY_TRIES
        kind = "expired" if late else "parked"
        if row.in_doubt:
            ended += attempts.lose(
                row.pk, sources={State.QUEUED}, outcome=outcome, now=now, kind=kind, only_if=attempts.held(row)
            )
        else:
            ended += transitions.advance(
                row.pk, State.REFUSED, kind=kind, cause=outcome.value, sources={State.QUEUED},
                only_if=attempts.NO_DOUBT & attempts.held(row),
                changes={"finished_at": now, "outcome": outcome.value},
            )  # fmt: skip
    # a doubt is looked at before it is given up, unless its gateway has been away for another such time
    settled = Q(looks__gte=1, try_ends_at__lte=now - seconds(pacing.settle))
    settled |= Q(hold=Hold.NAME_TAKEN) | Q(submit_by__lte=now - seconds(pacing.submit_within))
    for row in Recovery.objects.filter(settled, state=State.UNCONFIRMED, submit_by__lte=now)[:ROWS]:
        taken = row.hold == Hold.NAME_TAKEN
        outcome = Outcome.NAME_TAKEN if taken else Outcome.DOUBT_UNSETTLED
        ended += attempts.lose(
            row.pk, sources={State.UNCONFIRMED}, outcome=outcome, now=now, kind="expired", only_if=attempts.held(row)
        )
    asked = Recovery.objects.filter(cancel_requested_at__isnull=False).filter(
        Q(state__in=(State.QUEUED, State.AWAITING_APPROVAL)) | Q(state=State.UNCONFIRMED, hold=Hold.NAME_TAKEN)
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
    work |= {(FOLLOW, gateway_id) for gateway_id in listing.due(now)}
    work |= {(LOGS, gateway_id) for gateway_id in log_reading.due(now)}
    resting = {g.pk for g in Gateway.objects.exclude(condition="") if gateways.is_resting(g, now)}
    for task, gateway_id in sorted(work):
        if gateway_id not in resting:
            send(task, gateway_id)


def tidy(*, clock: Clock, client_for: ClientFactory) -> int:
    """Phantoms of refused recoveries (S2), and another look for lost ones while Livy may remember them (F6)."""
    now = clock()
    until = monotonic() + settings.RECOVERY_PACING.follow_lease / 2
    refused = Q(cleanup_due=True, state=State.REFUSED)
    leftovers = Recovery.objects.due(now).filter(refused | Q(state=State.LOST))
    leftovers = leftovers.exclude(~Q(gateway__condition=""), gateway__next_try_at__gt=now)
    tidied = 0
    for row in leftovers.select_related("gateway")[:20]:
        if monotonic() > until:
            break
        try:
            with client_for(row.gateway) as client:
                if row.cleanup_due:
                    phantoms.clean_up(recovery_id=row.pk, gateway=row.gateway, client=client, clock=clock)
                else:
                    look_for_lost(row, look(client, row.batch_name), now=now)
        except NotSent as error:
            gateways.record_condition(row.gateway, error, now=now)
            later = now + seconds(settings.RECOVERY_PACING.lost_look_every)
            Recovery.objects.filter(pk=row.pk, state=row.state).update(next_action_at=later)
        tidied += 1
    return tidied


def look_for_restarts(*, clock: Clock, client_for: ClientFactory) -> None:
    """Where a batch that we follow has just gone: was Livy restarted?"""
    until = monotonic() + settings.RECOVERY_PACING.follow_lease / 2
    gone = Q(state__in=FOLLOWED, gone_looks__gte=1, gone_looks__lt=settings.RECOVERY_PACING.gone_looks)
    untold = Q(gateway__livy_restarted_at__isnull=True) | Q(gone_since__gt=F("gateway__livy_restarted_at"))
    rows = Recovery.objects.filter(gone & untold).order_by()
    for gateway in Gateway.objects.filter(pk__in=rows.values("gateway_id"), single_livy=True, livy_recovery=False):
        if monotonic() > until:
            break
        if gateways.is_resting(gateway, clock()):
            continue
        try:
            with client_for(gateway) as client:
                witnesses.look_for_gone(gateway, client, clock=clock)
        except NotSent as error:
            gateways.record_condition(gateway, error, now=clock())


def look_for_lost(row: Recovery, batch: Batch | None, *, now: datetime) -> None:
    """F6: what is found is written as evidence; the state stays, a person settles it."""
    ended = row.finished_at or now
    over = now - ended > seconds(row.gateway.retention_seconds)
    pause = seconds(settings.RECOVERY_PACING.lost_look_every)
    later = {"next_action_at": None if over else now + pause}
    if batch is None or not _is_news(row, batch):
        Recovery.objects.filter(pk=row.pk, state=State.LOST).update(**later)
        return
    known = row.livy_id
    transitions.note(
        row.pk, "evidence", only_if=Q(state=State.LOST),
        changes=later | {"livy_state": batch.state[:40], "livy_id": batch.id if known is None else known},
        batch=batch.id, app=batch.app_id, livy_state=batch.state,
    )  # fmt: skip
    if known is not None and known != batch.id:
        duplicates.raise_alarm(row.pk, cause="found_later", batch=batch.id, known=known)


def _is_news(row: Recovery, batch: Batch) -> bool:
    """Not what the last evidence said already."""
    last = RecoveryEvent.objects.of(SubjectType.RECOVERY, row.pk).filter(kind="evidence").last()
    told = last.facts if last is not None else {"batch": row.livy_id, "livy_state": row.livy_state}
    return (told.get("batch"), told.get("livy_state")) != (batch.id, batch.state)
