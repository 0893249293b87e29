"""Carrying out a cancel that was asked for, on a batch that was just read and is ours (C2)."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Q

from recovery.domain.states import FOLLOWED
from recovery.gateway.errors import GatewayError, NotFound, NotSent
from recovery.gateway.livy import KnoxLivyClient
from recovery.models import Recovery
from recovery.services import events, instance, logs, transitions
from recovery.services.clock import Clock, seconds


def stop(*, recovery: Recovery, client: KnoxLivyClient, clock: Clock) -> None:
    """DELETE by name; it blocks, and Knox may cut it. The row ends when a later look says 404 (the follower's).

    `delete_sent_at` is stored before the DELETE, and taken back when certainly nothing was sent: a later 404 would
    otherwise be read as its effect.
    """
    now, pacing = clock(), settings.RECOVERY_PACING
    if instance.pause_reason():
        return
    logs.capture(recovery, client, now=now, final=False)
    held = Q(state__in=FOLLOWED, livy_id=recovery.livy_id)
    soon = {"next_action_at": now + seconds(pacing.cancel_retry)}
    first = recovery.delete_sent_at is None
    if first and not transitions.note(
        recovery.pk, "delete_sent", only_if=held, changes={"delete_sent_at": now, **soon}, batch=recovery.livy_id
    ):
        return
    try:
        client.delete(recovery.batch_name)
    except NotFound:
        soon["next_action_at"] = clock()
    except GatewayError as error:
        events.of_recovery(recovery.pk, "delete_failed", cause=type(error).__name__, words=error.words[:500])
        if first and isinstance(error, NotSent):
            Recovery.objects.filter(held, pk=recovery.pk).update(delete_sent_at=None)
    else:
        soon["next_action_at"] = clock()
    Recovery.objects.filter(held, pk=recovery.pk).update(**soon)
