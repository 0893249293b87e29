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
from recovery.services import attempts, gateways, instance, leases, phantoms, testimony, transitions, witnesses
from recovery.services.clock import Clock, database_now, seconds
from recovery.services.gateways import ClientFactory, open_client
from recovery.services.submission import look, post
from recovery.services.testimony import Says, Testimony
from recovery.services.wake import SUBMIT, send

UNCONFIRMED = {State.UNCONFIRMED}


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
                    try:
                        looked += settle_one(recovery_id=recovery_id, gateway=gateway, client=client, clock=clock)
                    except NotSent as error:
                        gateways.stop_unless_alive(client, error)
                        later = clock() + seconds(pacing.look_pauses[-1])
                        Recovery.objects.filter(pk=recovery_id, state=State.UNCONFIRMED).update(next_action_at=later)
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
    rows = Recovery.objects.select_related("gateway")
    recovery = rows.filter(pk=recovery_id, state=State.UNCONFIRMED).first()
    if recovery is None:
        return False
    batch = look(client, recovery.batch_name)
    if batch is None:
        _not_found(recovery, gateway, client, clock)
    elif batch.phantom_shape:
        _phantom(recovery, batch, gateway, client, clock)
    else:
        attempts.take_over(
            recovery.pk, batch, kind="adopted", now=clock(), sources=UNCONFIRMED, only_if=attempts.held(recovery)
        )
    return True


def _again_later(recovery: Recovery, now: datetime, **changes: object) -> None:
    """S1: growing pauses; not past the moment when the doubt can be decided."""
    pacing = settings.RECOVERY_PACING
    later = now + seconds(pacing.look_pause(recovery.looks + 1))
    if now < (decided := _decided_at(recovery, now)):
        later = min(later, decided)
    rows = Recovery.objects.filter(attempts.held(recovery), pk=recovery.pk, state=State.UNCONFIRMED)
    rows.update(looks=F("looks") + 1, next_action_at=later, **changes)


def _decided_at(recovery: Recovery, now: datetime) -> datetime:
    """When the settle time after the end of the last try's deadline is over (S3)."""
    return (recovery.try_ends_at or now) + seconds(settings.RECOVERY_PACING.settle)


def _not_found(recovery: Recovery, gateway: Gateway, client: KnoxLivyClient, clock: Clock) -> None:
    """S3, C4: a 404 proves nothing at once, and later only where Livy's memory provably spans the try."""
    now = clock()
    if recovery.cleanup_due and recovery.answered_try == recovery.fence:
        _cleared(recovery, now)  # a phantom that was proved, and is gone (S2)
    elif now < _decided_at(recovery, now):
        # a phantom that was there and is gone: somebody deleted it, or Livy restarted; the doubt starts again
        _again_later(recovery, now, phantom_id=None, phantom_since=None)
    else:
        _decide(recovery, gateway, client, clock)


def _decide(recovery: Recovery, gateway: Gateway, client: KnoxLivyClient, clock: Clock) -> None:
    """The settle time is over: YARN's word first, then Livy's memory, else it cannot be known (S3)."""
    now = clock()
    heard = testimony.hear(recovery, since=recovery.doubt_since)
    if heard.app is not None:
        attempts.take_over_in_yarn(recovery, heard.app, now=now)
        return
    if heard.says is Says.SEVERAL:
        attempts.lose(
            recovery.pk, sources=UNCONFIRMED, outcome=Outcome.DUPLICATE, now=now, only_if=attempts.held(recovery)
        )
        return
    if heard.says is Says.SILENT or (heard.says is Says.NONE and not _twice(recovery, now)):
        _again_later(recovery, now, yarn_none_at=_first_none(recovery, heard, now))
        return
    proved = heard.says is Says.NONE or _memory_spans(recovery, gateway, client, now)
    if recovery.settled_as or not proved:
        attempts.lose(
            recovery.pk, sources=UNCONFIRMED, outcome=Outcome.DOUBT_UNSETTLED, now=now, only_if=attempts.held(recovery)
        )
    elif recovery.cancel_requested_at is not None:
        transitions.advance(
            recovery.pk, State.CANCELLED, kind="cancelled", cause="doubt_settled", sources=UNCONFIRMED,
            only_if=attempts.held(recovery),
            changes={"finished_at": now, "outcome": Outcome.CANCELLED_UNVERIFIED.value},
        )  # fmt: skip
    else:
        _send_again(recovery, gateway, client, clock)


def _twice(recovery: Recovery, now: datetime) -> bool:
    """S3 (b): asked twice at a distance, and none both times."""
    return recovery.yarn_none_at is not None and now - recovery.yarn_none_at >= seconds(
        settings.RECOVERY_PACING.settle / 4
    )


def _first_none(recovery: Recovery, heard: Testimony, now: datetime) -> datetime | None:
    return (recovery.yarn_none_at or now) if heard.says is Says.NONE else None


def _memory_spans(recovery: Recovery, gateway: Gateway, client: KnoxLivyClient, now: datetime) -> bool:
    """S3 (a): since the first try of the doubt; a restored row's is not known (H5)."""
    since = recovery.doubt_since
    if since is None:
        return False
    return witnesses.memory_spans(gateway, client, since=since, but=recovery.batch_name, now=now)


def _send_again(
    recovery: Recovery, gateway: Gateway, client: KnoxLivyClient, clock: Clock, *, probe: Batch | None = None
) -> None:
    """POST the same name once more: after a settled 404 (S3), or while a phantom shape holds it (`probe`, S2)."""
    now = clock()
    if recovery.tries >= settings.RECOVERY_PACING.max_tries:
        attempts.lose(
            recovery.pk, sources=UNCONFIRMED, outcome=Outcome.TOO_MANY_TRIES, now=now, kind="parked",
            only_if=attempts.held(recovery),
        )  # fmt: skip
        return
    if not gateways.takes_posts(gateway, now):
        _again_later(recovery, now)
        return
    attempt = attempts.claim(recovery.pk, source=State.UNCONFIRMED, now=now, only_if=attempts.held(recovery))
    if attempt is None:
        return
    try:
        found = look(client, recovery.batch_name)
        # the memory is asked for once more, after the look that it has to vouch for
        same = _is_same(found, probe) and (probe is not None or _proved(recovery, gateway, client, clock()))
    except NotSent as error:
        attempts.give_back(attempt, error, cause=error.condition.value, now=clock(), next_at=clock())
        raise
    if same:
        post(attempt, gateway, client, clock)
    elif found is not None and not found.phantom_shape:
        attempts.take_over(
            recovery.pk, found, kind="adopted", cause="found_before_post", now=clock(), sources={State.SUBMITTING},
            only_if=attempt.mine,
        )  # fmt: skip
    else:
        attempts.give_back(attempt, None, cause="changed", now=clock(), next_at=clock())


def _proved(recovery: Recovery, gateway: Gateway, client: KnoxLivyClient, now: datetime) -> bool:
    """S3 (a) or (b), once more. An application that YARN knows by now, or its silence, is no leave to send."""
    says = testimony.hear(recovery, since=recovery.doubt_since).says
    if says is Says.NONE:
        return _twice(recovery, now)
    return says in (Says.NOTHING_HERE, Says.FORGOT) and _memory_spans(recovery, gateway, client, now)


def _is_same(found: Batch | None, probe: Batch | None) -> bool:
    """What the look before the POST has to find: nothing, or still the phantom shape that is to be probed."""
    if probe is None:
        return found is None
    return found is not None and found.id == probe.id and found.phantom_shape


def _phantom(recovery: Recovery, batch: Batch, gateway: Gateway, client: KnoxLivyClient, clock: Clock) -> None:
    """S2: registered, with nothing to show that it started."""
    now, pacing = clock(), settings.RECOVERY_PACING
    if not gateway.single_livy:
        _again_later(recovery, now)  # S4: the answer of one Livy says nothing about a start in another
    elif recovery.answered_try == recovery.fence and not instance.pause_reason():
        _remove_proved(recovery, batch, client, clock)
    elif recovery.phantom_id != batch.id:
        transitions.note(
            recovery.pk, "phantom_seen", only_if=Q(state=State.UNCONFIRMED) & attempts.held(recovery),
            changes={"phantom_id": batch.id, "phantom_since": now}, batch=batch.id,
        )  # fmt: skip
        _again_later(recovery, now)
    elif now - (recovery.phantom_since or now) < seconds(pacing.settle):
        _again_later(recovery, now)
    elif not _log_is_empty(client, recovery.batch_name):
        _again_later(recovery, now)  # withheld: it may be a start in progress, or a job that runs
    elif testimony.hear(recovery, since=recovery.doubt_since).says not in (Says.NONE, Says.NOTHING_HERE):
        _again_later(recovery, now)  # YARN knows one, or cannot say
    else:
        _send_again(recovery, gateway, client, clock, probe=batch)


def _log_is_empty(client: KnoxLivyClient, name: str) -> bool:
    try:
        return phantoms.log_is_empty(client, name)
    except NotFound:
        return False


def _remove_proved(recovery: Recovery, batch: Batch, client: KnoxLivyClient, clock: Clock) -> None:
    """Livy has answered our latest POST, so the phantom is one, and its end is evidence that nothing runs.

    That it is proved is stored before the DELETE (`cleanup_due`): it stays true when the worker is killed.
    """
    try:
        if not phantoms.is_still(recovery, batch, client):
            _again_later(recovery, clock())
            return
        proved = Q(state=State.UNCONFIRMED) & attempts.held(recovery)
        if not transitions.note(
            recovery.pk, "phantom_proved", only_if=proved, changes={"cleanup_due": True}, batch=batch.id
        ):
            return
        removed = phantoms.remove(recovery, batch, client)
    except NotFound:
        removed = False  # looked at again, and then judged by what is stored
    except (Ambiguous, Forbidden):
        removed = False
    if removed:
        _cleared(recovery, clock())
    else:
        _again_later(recovery, clock())


def _cleared(recovery: Recovery, now: datetime) -> None:
    """Nothing runs, up to the latest try: what follows from that."""
    cleared = {
        "cleared_try": recovery.fence, "phantom_id": None, "phantom_since": None, "doubt_since": None,
        "cleanup_due": False,
    }  # fmt: skip
    only_if = attempts.held(recovery)
    if recovery.refusal_try == recovery.fence:
        transitions.advance(
            recovery.pk, State.REFUSED, kind="refused", cause="phantom_removed", sources=UNCONFIRMED, only_if=only_if,
            changes=cleared | {"finished_at": now, "outcome": Outcome.REFUSED_BY_SERVER.value},
            words=recovery.outcome_words[:500],
        )  # fmt: skip
    elif recovery.cancel_requested_at is not None:
        transitions.advance(
            recovery.pk, State.CANCELLED, kind="cancelled", cause="phantom_removed", sources=UNCONFIRMED,
            only_if=only_if,
            changes=cleared | {"finished_at": now, "outcome": Outcome.CANCELLED_BEFORE_START.value},
        )  # fmt: skip
    else:
        transitions.advance(
            recovery.pk, State.QUEUED, kind="cleared", cause="next_try", sources=UNCONFIRMED, only_if=only_if,
            changes=cleared | {"next_action_at": now, "lease_until": None},
        )  # fmt: skip
        send(SUBMIT, recovery.gateway_id)
