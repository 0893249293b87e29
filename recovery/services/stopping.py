"""Carrying out a cancel that was asked for (C2)."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Q

from recovery.domain import verdicts
from recovery.domain.states import FOLLOWED
from recovery.gateway.errors import Forbidden, GatewayError, NotFound, NotSent
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import Batch
from recovery.models import Recovery
from recovery.services import events, instance, logs, transitions
from recovery.services.clock import Clock, seconds


def is_ours(recovery: Recovery, batch: Batch) -> bool:
    """F2: the name, then the application id, or the same number in Livy."""
    if batch.name != recovery.batch_name:
        return False
    if recovery.app_id and batch.app_id:
        return recovery.app_id == batch.app_id
    return recovery.livy_id == batch.id


def stop(*, recovery: Recovery, client: KnoxLivyClient, clock: Clock) -> None:
    """Read once more, then DELETE by name; it blocks, and Knox may cut it. The row ends by a later look.

    `delete_sent_at` is stored before the DELETE and taken back when certainly nothing was done; `delete_answered_at`
    only when Livy itself said "deleted": a 404 after that is the end of it. Raises NotSent of the reading.
    """
    now, pacing = clock(), settings.RECOVERY_PACING
    if instance.pause_reason():
        return
    logs.capture(recovery, client, now=now)
    held = Q(state__in=FOLLOWED, livy_id=recovery.livy_id)
    try:
        batch = client.get(recovery.batch_name)
    except NotFound:
        return
    if verdicts.is_terminal(batch.state) or not is_ours(recovery, batch):
        Recovery.objects.filter(held, pk=recovery.pk).update(next_action_at=clock())  # the follower's matter
        return
    soon = {"next_action_at": now + seconds(pacing.cancel_retry)}
    if recovery.app_id and batch.app_id is None:
        # ours has an application; this one may be somebody else's that has just begun under our name and number
        Recovery.objects.filter(held, pk=recovery.pk).update(**soon)
        return
    first = recovery.delete_sent_at is None
    if first and not transitions.note(
        recovery.pk, "delete_sent", only_if=held, changes={"delete_sent_at": now, **soon}, batch=recovery.livy_id
    ):
        return
    changes: dict[str, object] = dict(soon)
    try:
        client.delete(recovery.batch_name)
    except NotFound:
        changes["next_action_at"] = clock()
    except GatewayError as error:
        events.of_recovery(recovery.pk, "delete_failed", cause=type(error).__name__, words=error.words[:500])
        if first and isinstance(error, (NotSent, Forbidden)):
            changes["delete_sent_at"] = None
    else:
        changes |= {"delete_answered_at": clock(), "next_action_at": clock()}
    Recovery.objects.filter(held, pk=recovery.pk).update(**changes)
