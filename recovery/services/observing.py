"""What one reading of a batch says about its recovery: alive, a terminal word, gone, a stranger (F2 to F6, C2, C3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db.models import F, Q

from recovery.domain import verdicts
from recovery.domain.pacing import Pacing
from recovery.domain.states import FOLLOWED, State
from recovery.domain.verdicts import Outcome
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import Batch
from recovery.models import Recovery
from recovery.services import attempts, instance, logs, stopping, testimony, transitions, witnesses
from recovery.services.clock import Clock, seconds
from recovery.services.testimony import Says, Testimony

log = structlog.get_logger(__name__)


def observe(*, recovery: Recovery, batch: Batch | None, client: KnoxLivyClient, clock: Clock) -> bool:
    """What one reading says about one recovery; None: Livy itself says that it knows no batch of our name.

    True when the batch lives and a cancel of it was asked for.
    """
    if batch is None:
        _gone(recovery, client, clock())
    elif not stopping.is_ours(recovery, batch):
        _stranger(recovery, batch, clock())
    elif verdicts.is_terminal(batch.state):
        _terminal(recovery, batch, clock())
    else:
        _alive(recovery, batch, clock())
        return recovery.cancel_requested_at is not None
    return False


def _following(recovery: Recovery) -> Q:
    """The row still follows the batch that was read."""
    return Q(state__in=FOLLOWED, livy_id=recovery.livy_id)


def pause_of(recovery: Recovery, now: datetime) -> float:
    """Seconds until the next look at a live batch."""
    pacing: Pacing = settings.RECOVERY_PACING
    age = (now - (recovery.submitted_at or recovery.created_at)).total_seconds()
    return pacing.on_tick(pacing.poll_pause(age))


def _alive(recovery: Recovery, batch: Batch, now: datetime) -> None:
    """F3: every word that is not terminal, known or not, means alive."""
    facts = attempts.facts_of(batch)
    changes = {column: value for column, value in facts.items() if getattr(recovery, column) != value}
    if recovery.log_due_at is None:
        changes["log_due_at"] = now
    if recovery.terminal_word or recovery.gone_looks:
        changes |= {"terminal_word": "", "terminal_seen_at": None, "gone_looks": 0, "gone_since": None}
        transitions.note(
            recovery.pk, "reappeared", only_if=_following(recovery), changes=changes, livy_state=batch.state
        )
    changes |= {"seen_at": now, "next_action_at": now + seconds(pause_of(recovery, now))}
    if batch.state == "running" and recovery.state == State.STARTING:
        transitions.advance(
            recovery.pk, State.RUNNING, kind="running", only_if=_following(recovery),
            changes=changes | {"started_at": now}, app=batch.app_id,
        )  # fmt: skip
    else:
        Recovery.objects.filter(_following(recovery), pk=recovery.pk).update(**changes)


def _terminal(recovery: Recovery, batch: Batch, now: datetime) -> None:
    """F4: recorded at first sight with its links, its log asked for; the end after a second equal reading."""
    pacing: Pacing = settings.RECOVERY_PACING
    facts = attempts.facts_of(batch) | {"seen_at": now}
    heard = testimony.hear(recovery, since=recovery.try_started_at)
    if heard.says in (Says.ALIVE, Says.SEVERAL, Says.OVER):
        _by_yarn(recovery, heard, now, facts | {"log_due_at": now})
        return
    facts |= {"gone_looks": 0, "gone_since": None}
    again = now + seconds(pacing.second_reading)
    if recovery.terminal_word != batch.state or recovery.terminal_seen_at is None:
        transitions.note(
            recovery.pk, "terminal_seen", only_if=_following(recovery), cause=batch.state,
            changes=facts | {
                "terminal_word": batch.state, "terminal_seen_at": now, "next_action_at": again, "log_due_at": now,
            },
        )  # fmt: skip
        return
    waited = now - recovery.terminal_seen_at
    # an application that YARN has shown alive is YARN's to end; and one look without an answer says nothing
    shown = recovery.gone_looks >= pacing.gone_looks
    heard_last = max(recovery.terminal_seen_at, recovery.seen_at or recovery.terminal_seen_at)
    patience = seconds(pacing.unseen_for if shown else pacing.gone_for)
    silent = heard.says is Says.SILENT and now - heard_last < patience
    if waited < seconds(pacing.second_reading) or silent or _log_may_come(recovery, batch, now):
        Recovery.objects.filter(_following(recovery), pk=recovery.pk).update(next_action_at=again)
        return
    verdict = verdicts.of_terminal(
        batch.state,
        log=logs.evidence(recovery) if logs.is_of_the_end(recovery) else None,
        cancel_sent=recovery.delete_sent_at is not None,
        app_known=bool(recovery.app_id or batch.app_id),
    )
    end(recovery, state=verdict.state, outcome=verdict.outcome, now=now, facts=facts, livy_state=batch.state)


def _log_may_come(recovery: Recovery, batch: Batch, now: datetime) -> bool:
    """True while the verdict on `dead` has to wait for the log of the end: it decides between failed and lost (F5)."""
    since = recovery.terminal_seen_at
    if since is None or not verdicts.needs_log(batch.state) or logs.is_of_the_end(recovery):
        return False
    tried = recovery.log_due_at is None or recovery.log_due_at > since
    pacing: Pacing = settings.RECOVERY_PACING
    patience = pacing.gone_for if tried else recovery.gateway.retention_seconds - witnesses.RETENTION_MARGIN
    return now - since < seconds(patience)


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
        or witnesses.memory_spans(recovery.gateway, client, since=deleted, but=recovery.batch_name, now=now)
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
