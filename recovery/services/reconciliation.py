"""Settling a doubt by identity: by name, by Livy's own answer, or not at all (S1 to S5, C4)."""

from __future__ import annotations

from datetime import datetime
from time import monotonic

from django.conf import settings
from django.db.models import F, Q

from recovery.domain.states import Hold, State
from recovery.domain.verdicts import Outcome
from recovery.gateway.errors import Ambiguous, Forbidden, NotFound, NotSent
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import Batch
from recovery.models import Gateway, Recovery
from recovery.services import attempts, gateways, instance, leases, phantoms, transitions, witnesses
from recovery.services.clock import Clock, database_now, seconds
from recovery.services.gateways import ClientFactory, open_client
from recovery.services.submission import look, post
from recovery.services.wake import SUBMIT, send

UNCONFIRMED = {State.UNCONFIRMED}
RETENTION_MARGIN = 60.0
"""Seconds before the end of Livy's memory at which it is no longer trusted to span a try."""


def settle_due(*, gateway_id: int, clock: Clock = database_now, client_for: ClientFactory = open_client) -> int:
    """Look for the due doubts of one gateway; how many were looked at. One worker per gateway, by a lease."""
    pacing = settings.RECOVERY_PACING
    lease = pacing.try_deadline + pacing.lease_margin
    name, looked = f"settle:{gateway_id}", 0
    with leases.held(name, lasting=lease, clock=clock) as holder:
        gateway = Gateway.objects.get(pk=gateway_id)
        if holder is None or gateways.is_resting(gateway, clock()) or not _due(gateway, clock()):
            return 0
        until = monotonic() + pacing.follow_lease
        try:
            with client_for(gateway) as client:
                for recovery_id in _due(gateway, clock()):
                    if monotonic() > until or not leases.renew(name, holder, lasting=lease, now=clock()):
                        break
                    looked += settle_one(recovery_id=recovery_id, gateway=gateway, client=client, clock=clock)
        except NotSent as error:
            gateways.record_condition(gateway, error, now=clock())
            return looked
        if looked:
            gateways.record_seen(gateway, now=clock())
    return looked


def _due(gateway: Gateway, now: datetime) -> list[int]:
    rows = Recovery.objects.due(now).filter(gateway=gateway, state=State.UNCONFIRMED).exclude(hold=Hold.NAME_TAKEN)
    return list(rows.values_list("pk", flat=True)[:200])


def settle_one(*, recovery_id: int, gateway: Gateway, client: KnoxLivyClient, clock: Clock = database_now) -> bool:
    """One look at one doubt. Raises NotSent when the gateway gives no answer (the row stays due)."""
    recovery = Recovery.objects.filter(pk=recovery_id, state=State.UNCONFIRMED).first()
    if recovery is None:
        return False
    batch = look(client, recovery.batch_name)
    if batch is None:
        _not_found(recovery, gateway, client, clock)
    elif batch.phantom_shape:
        _phantom(recovery, batch, gateway, client, clock)
    else:
        attempts.take_over(recovery.pk, batch, kind="adopted", now=clock(), sources=UNCONFIRMED)
    return True


def _again_later(recovery: Recovery, now: datetime, **changes: object) -> None:
    """S1: growing pauses; not past the moment when the doubt can be decided."""
    pacing = settings.RECOVERY_PACING
    later = now + seconds(pacing.look_pause(recovery.looks + 1))
    if recovery.try_ends_at is not None and now < (decided := recovery.try_ends_at + seconds(pacing.settle)):
        later = min(later, decided)
    Recovery.objects.filter(pk=recovery.pk, state=State.UNCONFIRMED).update(
        looks=F("looks") + 1, next_action_at=later, **changes
    )


def _not_found(recovery: Recovery, gateway: Gateway, client: KnoxLivyClient, clock: Clock) -> None:
    """S3, C4: a 404 proves nothing at once, and later only where Livy's memory provably spans the try."""
    now, pacing = clock(), settings.RECOVERY_PACING
    settled_at = (recovery.try_ends_at or now) + seconds(pacing.settle)
    if recovery.phantom_id is not None:
        # it was there and is gone: somebody deleted it, or Livy restarted; the doubt starts again
        Recovery.objects.filter(pk=recovery.pk).update(phantom_id=None, phantom_since=None)
    if now < settled_at:
        _again_later(recovery, now)
    elif recovery.cancel_requested_at is not None:
        transitions.advance(
            recovery.pk, State.CANCELLED, kind="cancelled", cause="doubt_settled", sources=UNCONFIRMED,
            changes={"finished_at": now, "outcome": Outcome.CANCELLED_UNVERIFIED.value},
        )  # fmt: skip
    elif _memory_spans(recovery, gateway, client, now):
        _send_again(recovery, gateway, client, clock)
    else:
        attempts.lose(recovery.pk, sources=UNCONFIRMED, outcome=Outcome.DOUBT_UNSETTLED, now=now)


def _memory_spans(recovery: Recovery, gateway: Gateway, client: KnoxLivyClient, now: datetime) -> bool:
    """S3 (a), S4: one Livy, which had no time to collect an ended batch, and either keeps its batches over a restart
    or still has one that was seen before the try."""
    since = recovery.doubt_since
    if not gateway.single_livy or since is None:
        return False
    if now - since > seconds(max(gateway.retention_seconds - RETENTION_MARGIN, 0)):
        return False
    return gateway.livy_recovery or witnesses.still_there(gateway, client, before=since, but=recovery.batch_name)


def _send_again(
    recovery: Recovery, gateway: Gateway, client: KnoxLivyClient, clock: Clock, *, probe: Batch | None = None
) -> None:
    """POST the same name once more: after a settled 404 (S3), or while a phantom shape holds it (`probe`, S2)."""
    now = clock()
    if recovery.tries >= settings.RECOVERY_PACING.max_tries:
        attempts.lose(recovery.pk, sources=UNCONFIRMED, outcome=Outcome.TOO_MANY_TRIES, now=now, kind="parked")
        return
    if gateway.paused or gateway.follow_only or instance.pause_reason():
        _again_later(recovery, now)
        return
    attempt = attempts.claim(recovery.pk, source=State.UNCONFIRMED, now=now)
    if attempt is None:
        return
    try:
        found = look(client, recovery.batch_name)
    except NotSent as error:
        attempts.give_back(attempt, error, cause=error.condition.value, now=clock(), next_at=clock())
        raise
    same = found is None if probe is None else found is not None and found.id == probe.id and found.phantom_shape
    if same:
        post(attempt, gateway, client, clock)
    elif found is not None and not found.phantom_shape:
        attempts.take_over(
            recovery.pk, found, kind="adopted", now=clock(), sources={State.SUBMITTING}, only_if=attempt.mine
        )
    else:
        attempts.give_back(attempt, None, cause="changed", now=clock(), next_at=clock())


def _phantom(recovery: Recovery, batch: Batch, gateway: Gateway, client: KnoxLivyClient, clock: Clock) -> None:
    """S2: registered, with nothing to show that it started."""
    now, pacing = clock(), settings.RECOVERY_PACING
    if recovery.answered_try == recovery.tries and not instance.pause_reason():
        _remove_proved(recovery, batch, client, clock)
    elif recovery.phantom_id != batch.id:
        transitions.note(
            recovery.pk, "phantom_seen", only_if=Q(state=State.UNCONFIRMED),
            changes={"phantom_id": batch.id, "phantom_since": now}, batch=batch.id,
        )  # fmt: skip
        _again_later(recovery, now)
    elif now - (recovery.phantom_since or now) < seconds(pacing.settle):
        _again_later(recovery, now)
    elif not _log_is_empty(client, recovery.batch_name):
        _again_later(recovery, now)  # withheld: it may be a start in progress, or a job that runs
    else:
        _send_again(recovery, gateway, client, clock, probe=batch)


def _log_is_empty(client: KnoxLivyClient, name: str) -> bool:
    try:
        return phantoms.log_is_empty(client, name)
    except NotFound:
        return False


def _remove_proved(recovery: Recovery, batch: Batch, client: KnoxLivyClient, clock: Clock) -> None:
    """Livy has answered our latest POST, so the phantom is one. Gone, it is evidence that nothing runs."""
    try:
        removed = phantoms.remove(recovery, batch, client)
    except (Ambiguous, Forbidden):
        removed = False
    now = clock()
    if not removed:
        _again_later(recovery, now)
        return
    cleared = {"cleared_try": F("tries"), "phantom_id": None, "phantom_since": None, "doubt_since": None}
    if recovery.refusal_try == recovery.tries:
        transitions.advance(
            recovery.pk, State.REFUSED, kind="refused", cause="phantom_removed", sources=UNCONFIRMED,
            changes=cleared | {"finished_at": now, "outcome": Outcome.REFUSED_BY_SERVER.value},
            words=recovery.outcome_words[:500],
        )  # fmt: skip
    elif recovery.cancel_requested_at is not None:
        transitions.advance(
            recovery.pk, State.CANCELLED, kind="cancelled", cause="phantom_removed", sources=UNCONFIRMED,
            changes=cleared | {"finished_at": now, "outcome": Outcome.CANCELLED_BEFORE_START.value},
        )  # fmt: skip
    else:
        transitions.advance(
            recovery.pk, State.QUEUED, kind="phantom_removed", cause="next_try", sources=UNCONFIRMED,
            changes=cleared | {"next_action_at": now, "lease_until": None},
        )  # fmt: skip
        send(SUBMIT, recovery.gateway_id)
