"""Submitting what is queued: look, POST once, and record what the answer means (P1 to P4, A1 to A7)."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from time import monotonic

import structlog
from django.conf import settings

from recovery.domain.gateways import Condition
from recovery.domain.states import TERMINAL, State
from recovery.gateway.errors import Ambiguous, DuplicateName, GatewayError, NotFound, NotSent, Refused
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import Batch
from recovery.models import Gateway, Recovery
from recovery.services import attempts, duplicates, events, gateways, instance, leases, phantoms, witnesses
from recovery.services.attempts import Attempt, ClaimLost
from recovery.services.cancelling import cancel_unsent
from recovery.services.clock import Clock, database_now
from recovery.services.gateways import ClientFactory, open_client
from recovery.services.wake import SETTLE, SUBMIT, send

log = structlog.get_logger(__name__)


def submit_due(*, gateway_id: int, clock: Clock = database_now, client_for: ClientFactory = open_client) -> int:
    """Submit the due recoveries of one gateway, in order, one at a time (POST is serial in Livy); how many were tried.

    One worker per gateway, by a lease; so a gateway that hangs holds up nobody else's.
    """
    pacing = settings.RECOVERY_PACING
    lease = pacing.try_deadline + pacing.lease_margin
    name, tried = f"submit:{gateway_id}", 0
    with leases.held(name, lasting=lease, clock=clock) as holder:
        if holder is None:
            return 0
        gateway = Gateway.objects.get(pk=gateway_id)
        if not gateways.takes_submissions(gateway, clock()) or not _next(gateway, clock()):
            return 0
        until = monotonic() + pacing.follow_lease
        try:
            client = client_for(gateway)
        except NotSent as error:
            gateways.record_condition(gateway, error, now=clock())
            return 0
        with client:
            if not _fit(gateway, client, clock):
                return 0
            renew = leases.Renewal(name, holder, lasting=lease, clock=clock)
            while monotonic() < until and gateways.takes_submissions(gateway, now := clock()):
                recovery_id = _next(gateway, now)
                if recovery_id is None or not renew():
                    break
                tried += submit_one(recovery_id=recovery_id, gateway=gateway, client=client, clock=clock)
    if _next(gateway, clock()) and gateways.takes_submissions(gateway, clock()):
        send(SUBMIT, gateway_id)
    return tried


def _next(gateway: Gateway, now: datetime) -> int | None:
    due = Recovery.objects.due(now).filter(
        attempts.NO_DOUBT, gateway=gateway, state=State.QUEUED, hold="", settled_as="", submit_by__gt=now
    )
    due = due.filter(cancel_requested_at__isnull=True).exclude(not_before__gt=now)
    return due.values_list("pk", flat=True).first()


def _fit(gateway: Gateway, client: KnoxLivyClient, clock: Clock) -> bool:
    """P1, and the probe of a gateway that was ill: costs no row its try."""
    try:
        version = client.version()
    except NotSent as error:
        gateways.record_condition(gateway, error, now=clock())
        return False
    gateways.record_seen(gateway, now=clock())
    gateways.record_version(gateway, version)
    if not gateways.version_is_fit(gateway, version):
        words = f"Livy {version.text}: batch names need 0.6 or later"
        old = NotSent(words, condition=Condition.OLD_LIVY)
        gateways.record_submit_condition(gateway, old, now=clock())
        return False
    try:
        witnesses.refresh(gateway, client, clock=clock)
    except NotSent as error:
        # a list that cannot be read (one huge log line in it) must not stop submissions: no new witnesses, that is all
        log.warning("no_witnesses", gateway=gateway.pk, words=error.words[:200])
    return True


def submit_one(*, recovery_id: int, gateway: Gateway, client: KnoxLivyClient, clock: Clock = database_now) -> bool:
    """Claim one queued row and try it; False when the claim was not ours to have."""
    attempt = attempts.claim(recovery_id, source=State.QUEUED, now=clock())
    if attempt is None:
        return False
    try:
        found = look(client, attempt.recovery.batch_name)
    except NotSent as error:
        gateways.record_condition(gateway, error, now=clock())
        _give_back(attempt, error, gateway.next_try_at, clock)
        return True
    if found is not None:
        _found_before_post(attempt, found, clock)
        return True
    post(attempt, gateway, client, clock)
    return True


def look(client: KnoxLivyClient, name: str) -> Batch | None:
    """P3, S1: the batch of that name, or None when Livy itself says that there is none. Raises NotSent."""
    try:
        return client.get(name)
    except NotFound:
        return None
    except GatewayError as error:
        if isinstance(error, NotSent):
            raise
        raise NotSent(error.words, condition=Condition.FORBIDDEN, status=error.status) from error


def _found_before_post(attempt: Attempt, found: Batch, clock: Clock) -> None:
    """Our name is held before this try sent anything: by ourselves after an earlier doubt, or by a stranger (A7)."""
    recovery = attempt.recovery
    if not recovery.may_have_started:
        attempts.name_taken(recovery, source=State.SUBMITTING, now=clock(), only_if=attempt.mine, batch=found)
    elif found.phantom_shape:
        attempts.doubt(recovery, kind="phantom_seen", cause="before_post", now=clock(), only_if=attempt.mine)
    else:
        attempts.take_over(
            recovery.pk, found, kind="adopted", cause="found_before_post", now=clock(), sources={State.SUBMITTING},
            only_if=attempt.mine,
        )  # fmt: skip


def post(attempt: Attempt, gateway: Gateway, client: KnoxLivyClient, clock: Clock) -> None:
    """The one POST of a try, and what its answer means."""
    recovery, begun = attempt.recovery, monotonic()
    try:
        batch = client.create(
            recovery.sent_payload,
            name=recovery.batch_name,
            deadline=max(attempt.remaining(), 0.001),
            last_act=partial(attempt.last_act, clock),
        )
    except ClaimLost:
        # nothing was sent; when the row is still ours, only its time was over
        attempts.give_back(attempt, None, cause="deadline", now=clock(), next_at=clock())
    except NotSent as error:
        gateways.record_submit_condition(gateway, error, now=clock())
        _give_back(attempt, error, gateway.submit_next_at, clock)
    except DuplicateName as error:
        gateways.record_submitted(gateway)
        _duplicate_name(attempt, error, clock)
    except Refused as error:
        _refused(attempt, gateway, client, error, clock)
    except Ambiguous as error:
        moved = attempts.doubt(
            recovery, kind="answer_lost", cause=type(error).__name__, now=clock(), only_if=attempt.mine,
            words=error.words, status=error.status, after=round(monotonic() - begun),
        )  # fmt: skip
        if not moved:
            events.of_recovery(recovery.pk, "late_answer", cause=type(error).__name__, words=error.words[:500])
    else:
        gateways.record_submitted(gateway)
        now = clock()
        moved = attempts.take_over(
            recovery.pk, batch, kind="started", now=now, sources={State.SUBMITTING}, only_if=attempt.mine
        )
        witnesses.started(gateway, batch, began=recovery.try_started_at or now, now=now)
        if not moved:
            _late(attempt, batch, client, clock)


def _give_back(attempt: Attempt, error: NotSent, next_at: datetime | None, clock: Clock) -> None:
    """A2: the gateway's matter, not the recovery's."""
    attempts.give_back(attempt, error, cause=error.condition.value, now=clock(), next_at=next_at or clock())
    cancel_unsent(attempt.recovery.pk, now=clock())


def _duplicate_name(attempt: Attempt, error: DuplicateName, clock: Clock) -> None:
    """A7: the look of this very try had found the name free, so it is ours: an earlier POST that arrived late, or this
    one, sent twice on its way. It is looked up and adopted."""
    recovery = attempt.recovery
    attempts.doubt(
        recovery, kind="looked", cause="duplicate_name", now=clock(), only_if=attempt.mine, answered=True,
        words=error.words, status=error.status,
    )  # fmt: skip
    send(SETTLE, recovery.gateway_id)


def _refused(attempt: Attempt, gateway: Gateway, client: KnoxLivyClient, error: Refused, clock: Clock) -> None:
    """A3; in a doubt it leads nowhere by itself (A5), but it is Livy's own answer, so a phantom may be removed (S2).

    A real batch under our name speaks against it (a gateway that sent the POST to two Livys): that is a doubt too.
    """
    recovery = attempt.recovery
    gateways.record_submitted(gateway)
    try:
        found = look(client, recovery.batch_name)
    except NotSent:
        found = None  # `cleanup_due` will see to what is there
    if recovery.in_doubt or (found is not None and not found.phantom_shape):
        attempts.doubt(
            recovery, kind="looked", cause="refused_in_doubt", now=clock(), only_if=attempt.mine, answered=True,
            refused=True, words=error.words, status=error.status,
        )  # fmt: skip
        send(SETTLE, recovery.gateway_id)
        return
    moved = attempts.refuse(
        recovery.pk, source=State.SUBMITTING, words=error.words, status=error.status, cause="payload",
        now=clock(), only_if=attempt.mine, cleanup=gateway.single_livy,
    )  # fmt: skip
    if not moved:
        events.of_recovery(recovery.pk, "late_answer", cause="Refused", words=error.words[:500])
        return
    phantoms.clean_up(recovery_id=recovery.pk, gateway=gateway, client=client, clock=clock)


def _late(attempt: Attempt, batch: Batch, client: KnoxLivyClient, clock: Clock) -> None:
    """A6: a 201 came back to a worker that had lost its claim."""
    pk = attempt.recovery.pk
    events.of_recovery(pk, "late_answer", cause="started", batch=batch.id, app=batch.app_id)
    row = Recovery.objects.get(pk=pk)
    if row.state == State.UNCONFIRMED and attempts.take_over(
        pk, batch, kind="adopted", now=clock(), sources={State.UNCONFIRMED}
    ):
        return
    row.refresh_from_db()
    ours = row.livy_id == batch.id and (not row.app_id or not batch.app_id or row.app_id == batch.app_id)
    if ours or (row.state not in TERMINAL and row.livy_id is None):
        return  # known already; or another try is under way, and Livy's name lock will show it this batch
    duplicates.raise_alarm(pk, cause="late_answer", batch=batch.id, app=batch.app_id, known=row.livy_id)
    if not instance.pause_reason():
        phantoms.delete_identified(pk, client, name=row.batch_name, batch_id=batch.id)
