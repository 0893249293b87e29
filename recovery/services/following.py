"""Following batches to their end by identity (F1 to F6), and carrying out cancels (C2, C3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from time import monotonic
from typing import Any

import structlog
from django.conf import settings
from django.db.models import F, Q

from recovery.domain import verdicts
from recovery.domain.pacing import Pacing
from recovery.domain.states import FOLLOWED, State
from recovery.domain.verdicts import Outcome
from recovery.gateway.errors import NotSent
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import Batch
from recovery.models import Gateway, Recovery
from recovery.services import (
    attempts,
    gateways,
    instance,
    leases,
    logs,
    stopping,
    testimony,
    transitions,
    witnesses,
)
from recovery.services.clock import Clock, database_now, seconds
from recovery.services.gateways import ClientFactory, open_client
from recovery.services.submission import look
from recovery.services.testimony import Says, Testimony

log = structlog.get_logger(__name__)

LIST_FROM = 5
"""From this many due rows on, list pages are cheaper than single GETs (real-behaviour.md §l)."""
PAGE = 1000
ROWS = 2000
STOPS = 2
"""Cancels that are carried out in one pass."""


def follow_due(*, gateway_id: int, clock: Clock = database_now, client_for: ClientFactory = open_client) -> int:
    """Look at the due batches of one gateway; how many were seen. One follower per gateway, by a lease (F1)."""
    pacing = settings.RECOVERY_PACING
    name, seen = f"follow:{gateway_id}", 0
    with leases.held(name, lasting=pacing.follow_lease, clock=clock) as holder:
        gateway = Gateway.objects.get(pk=gateway_id)
        if holder is None or gateways.is_resting(gateway, clock()):
            return 0
        due = Recovery.objects.due(clock()).filter(gateway=gateway).followed()
        rows = list(due.select_related("gateway")[:ROWS])
        if not rows:
            return 0
        try:
            with client_for(gateway) as client:
                seen = _look_at_all(
                    rows,
                    client,
                    clock,
                    lambda: leases.renew(name, holder, lasting=pacing.follow_lease, now=clock()),
                    gateway,
                )
        except NotSent as error:
            gateways.record_condition(gateway, error, now=clock())
            return seen
        gateways.record_seen(gateway, now=clock())
    return seen


def _look_at_all(
    rows: list[Recovery], client: KnoxLivyClient, clock: Clock, renew: Callable[[], bool], gateway: Gateway
) -> int:
    """Read every row first, then stop a few: a DELETE blocks for up to 20 s, and the others must not wait for it."""
    pacing, seen = settings.RECOVERY_PACING, 0
    listed = _listed(client, len(rows))
    to_stop: list[Recovery] = []
    logs_until = monotonic() + pacing.follow_lease / 2
    for row in rows:
        if not renew():
            return seen
        try:
            batch = listed.get(row.batch_name) or look(client, row.batch_name)
            read_log = monotonic() < logs_until
            if observe(recovery=row, batch=batch, client=client, clock=clock, read_log=read_log):
                to_stop.append(row)
        except NotSent as error:
            gateways.stop_unless_alive(client, error)
            later = clock() + seconds(pacing.poll_old)
            Recovery.objects.filter(pk=row.pk, state__in=FOLLOWED).update(next_action_at=later)
            continue
        seen += 1
        if batch is not None:
            listed[row.batch_name] = batch
    witnesses.remember(gateway, list(listed.values()), now=clock())
    for row in to_stop[:STOPS]:
        if not renew():
            break
        stopping.stop(recovery=row, client=client, clock=clock)
    return seen


def _listed(client: KnoxLivyClient, due: int) -> dict[str, Batch]:
    """Every named batch of the list, when that is the cheaper way. A missing one proves nothing (contract §4)."""
    if due < LIST_FROM:
        return {}
    found: dict[str, Batch] = {}
    start, until = 0, monotonic() + settings.RECOVERY_PACING.get_deadline
    while monotonic() < until:
        try:
            page = client.list(start=start, size=PAGE)
        except NotSent as error:
            # one foreign batch with a huge line of log can make a page unreadable: single reads go on
            log.warning("list_unreadable", words=error.words[:200])
            break
        found |= {batch.name: batch for batch in page.batches if batch.name}
        start += len(page.batches)
        if not page.batches or start >= page.total:
            break
    return found


def observe(
    *, recovery: Recovery, batch: Batch | None, client: KnoxLivyClient, clock: Clock, read_log: bool = True
) -> bool:
    """What one reading says about one recovery; None: Livy itself says that it knows no batch of our name.

    True when the batch lives and a cancel of it was asked for.
    """
    if batch is None:
        _gone(recovery, client, clock())
    elif not stopping.is_ours(recovery, batch):
        _stranger(recovery, batch, clock())
    elif verdicts.is_terminal(batch.state):
        _terminal(recovery, batch, client, clock())
    else:
        _alive(recovery, batch, client, clock(), read_log=read_log)
        return recovery.cancel_requested_at is not None
    return False


def _following(recovery: Recovery) -> Q:
    """The row still follows the batch that was read."""
    return Q(state__in=FOLLOWED, livy_id=recovery.livy_id)


def _alive(recovery: Recovery, batch: Batch, client: KnoxLivyClient, now: datetime, *, read_log: bool) -> None:
    """F3: every word that is not terminal, known or not, means alive."""
    pacing: Pacing = settings.RECOVERY_PACING
    age = (now - (recovery.submitted_at or recovery.created_at)).total_seconds()
    facts = attempts.facts_of(batch)
    changes = {column: value for column, value in facts.items() if getattr(recovery, column) != value}
    if recovery.terminal_word or recovery.gone_looks:
        changes |= {"terminal_word": "", "terminal_seen_at": None, "gone_looks": 0, "gone_since": None}
        transitions.note(
            recovery.pk, "reappeared", only_if=_following(recovery), changes=changes, livy_state=batch.state
        )
    if read_log and (recovery.log_due_at is None or recovery.log_due_at <= now):
        logs.capture(recovery, client, now=now, final=False)
        changes["log_due_at"] = now + seconds(pacing.log_every)
    changes |= {"seen_at": now, "next_action_at": now + seconds(pacing.poll_pause(age))}
    if batch.state == "running" and recovery.state == State.STARTING:
        transitions.advance(
            recovery.pk, State.RUNNING, kind="running", only_if=_following(recovery),
            changes=changes | {"started_at": now}, app=batch.app_id,
        )  # fmt: skip
    else:
        Recovery.objects.filter(_following(recovery), pk=recovery.pk).update(**changes)


def _terminal(recovery: Recovery, batch: Batch, client: KnoxLivyClient, now: datetime) -> None:
    """F4: recorded at first sight with log and links, the end after a second equal reading."""
    pacing: Pacing = settings.RECOVERY_PACING
    read = logs.capture(recovery, client, now=now, final=True)
    facts = attempts.facts_of(batch) | {"seen_at": now}
    waited = recovery.terminal_seen_at is not None and now - recovery.terminal_seen_at >= seconds(pacing.gone_for)
    heard = testimony.hear(recovery, since=recovery.try_started_at)
    if heard.says in (Says.ALIVE, Says.SEVERAL) or (heard.says is Says.OVER and (read or waited)):
        _by_yarn(recovery, heard, now, facts)
        return
    facts |= {"gone_looks": 0, "gone_since": None}
    again = now + seconds(pacing.second_reading)
    if recovery.terminal_word != batch.state or recovery.terminal_seen_at is None:
        transitions.note(
            recovery.pk, "terminal_seen", only_if=_following(recovery), cause=batch.state,
            changes=facts | {"terminal_word": batch.state, "terminal_seen_at": now, "next_action_at": again},
        )  # fmt: skip
        return
    if now - recovery.terminal_seen_at < seconds(pacing.second_reading):
        Recovery.objects.filter(_following(recovery), pk=recovery.pk).update(next_action_at=again)
        return
    if (not read or heard.says is Says.SILENT) and not waited:
        # the verdict needs the log of the end, not one from before it
        Recovery.objects.filter(_following(recovery), pk=recovery.pk).update(next_action_at=again)
        return
    verdict = verdicts.of_terminal(
        batch.state,
        log=logs.evidence(recovery) if read else None,
        cancel_sent=recovery.delete_sent_at is not None,
        app_known=bool(recovery.app_id or batch.app_id),
    )
    end(recovery, state=verdict.state, outcome=verdict.outcome, now=now, facts=facts, livy_state=batch.state)


def end(
    recovery: Recovery,
    *,
    state: State,
    outcome: Outcome,
    now: datetime,
    facts: dict[str, Any] | None = None,
    **told: Any,
) -> bool:
    """The honest end of a followed batch."""
    if state is State.LOST:
        return attempts.lose(
            recovery.pk, sources=set(FOLLOWED), outcome=outcome, now=now, only_if=_following(recovery), **told
        )
    return transitions.advance(
        recovery.pk,
        state,
        kind="cancelled" if state is State.CANCELLED else "ended",
        cause=outcome.value,
        sources=FOLLOWED,
        only_if=_following(recovery),
        changes=(facts or {}) | {"finished_at": now, "outcome": outcome.value},
        **told,
    )


def _gone(recovery: Recovery, client: KnoxLivyClient, now: datetime) -> None:
    """C2: a 404 is the end after a DELETE that Livy has answered, or that Livy's memory spans (Knox cut the answer).
    F6: otherwise three of them over a minute, then it cannot be known."""
    pacing: Pacing = settings.RECOVERY_PACING
    since = recovery.gone_since or now
    over = recovery.gone_looks + 1 >= pacing.gone_looks and now - since >= seconds(pacing.gone_for)
    deleted = recovery.delete_sent_at
    if over or deleted is not None:
        heard = testimony.hear(recovery, since=recovery.try_started_at)
        if heard.says in (Says.ALIVE, Says.OVER, Says.SEVERAL):
            _by_yarn(recovery, heard, now, {"seen_at": now})
            return
        if heard.says is Says.SILENT and now - since < seconds(pacing.unseen_for):
            over, deleted = False, None  # it is asked again
    if deleted is not None and (
        recovery.delete_answered_at is not None
        or witnesses.memory_spans(recovery.gateway, client, since=deleted, but=recovery.batch_name)
    ):
        end(recovery, state=State.CANCELLED, outcome=Outcome.CANCELLED_UNVERIFIED, now=now)
        return
    if over:
        end(recovery, state=State.LOST, outcome=Outcome.GONE, now=now, last=recovery.livy_state)
        return
    changes = {
        "gone_looks": F("gone_looks") + 1,
        "gone_since": since,
        "next_action_at": now + seconds(pacing.gone_for / 2),
    }
    if recovery.gone_looks == 0:
        transitions.note(recovery.pk, "gone", only_if=_following(recovery), changes=changes)
    else:
        Recovery.objects.filter(_following(recovery), pk=recovery.pk).update(**changes)


def _by_yarn(recovery: Recovery, heard: Testimony, now: datetime, seen: dict[str, Any]) -> None:
    """F5, F7, C3: YARN's word decides; an application that is alive keeps the recovery alive. `seen` are the columns
    of Livy's own reading."""
    app = heard.app
    if app is None:
        end(recovery, state=State.LOST, outcome=Outcome.DUPLICATE, now=now)
        return
    facts = seen | {"app_id": app.id}
    if heard.says is Says.OVER:
        logs.keep_diagnostics(recovery, app.diagnostics, now=now)
        verdict = verdicts.of_yarn(app.final_status, cancel_sent=recovery.delete_sent_at is not None)
        end(
            recovery, state=verdict.state, outcome=verdict.outcome, now=now, facts=facts, app=app.id,
            final_status=app.final_status,
        )  # fmt: skip
        return
    stopping_it = recovery.cancel_requested_at is not None and not instance.pause_reason()
    pause = settings.RECOVERY_PACING.cancel_retry if stopping_it else settings.RECOVERY_PACING.poll_old
    changes = facts | {"next_action_at": now + seconds(pause), "gone_since": recovery.gone_since or now}
    if recovery.gone_looks < settings.RECOVERY_PACING.gone_looks:
        transitions.note(
            recovery.pk, "seen_in_yarn", only_if=_following(recovery), app=app.id,
            changes=changes | {"gone_looks": settings.RECOVERY_PACING.gone_looks},
        )  # fmt: skip
    else:
        Recovery.objects.filter(_following(recovery), pk=recovery.pk).update(**changes)
    if stopping_it:
        Recovery.objects.filter(_following(recovery), pk=recovery.pk).update(
            delete_sent_at=recovery.delete_sent_at or now
        )
        testimony.kill(recovery, app)


def _stranger(recovery: Recovery, batch: Batch, now: datetime) -> None:
    """F2: our name is on a batch that is not the one we started; of ours nothing can be said."""
    log.error("identity", recovery=recovery.pk, batch=batch.id, known=recovery.livy_id)
    end(
        recovery, state=State.LOST, outcome=Outcome.IDENTITY, now=now, batch=batch.id, app=batch.app_id,
        known=recovery.livy_id, known_app=recovery.app_id or None,
    )  # fmt: skip
