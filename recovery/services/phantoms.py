"""Batches that Livy registered without starting them: they hold our name for ever until they are deleted (S2).

A start in progress has the same shape, so a phantom is deleted only after Livy itself has answered our latest POST:
POST is serial in Livy, so its answer means that every earlier start has finished.
"""

from __future__ import annotations

import structlog
from django.conf import settings
from django.db.models import Q

from recovery.gateway.errors import Ambiguous, Forbidden, GatewayError, NotFound, NotSent
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import Batch
from recovery.models import Gateway, Recovery
from recovery.services import events, gateways, instance, transitions
from recovery.services.clock import Clock, seconds

log = structlog.get_logger(__name__)


def log_is_empty(client: KnoxLivyClient, name: str) -> bool:
    """Livy shows the log, and it has no line. Where logs are withheld an empty one proves nothing: False.

    Raises NotSent, NotFound.
    """
    try:
        return not client.log(name, size=1).lines
    except Forbidden:
        return False


def delete_identified(recovery_id: int, client: KnoxLivyClient, *, name: str, batch_id: int) -> bool:
    """DELETE the batch under `name` when it is `batch_id`; True when it is gone. Never raises a gateway's error."""
    try:
        if client.get(name).id != batch_id:
            return False
        client.delete(name)
        client.get(name)
    except NotFound:
        return True
    except GatewayError as error:
        events.of_recovery(recovery_id, "delete_failed", cause=type(error).__name__, words=error.words[:500])
    return False


def remove(recovery: Recovery, batch: Batch, client: KnoxLivyClient) -> bool:
    """Delete a proved phantom: read once more (same id, still empty), DELETE by name, and see it gone.

    The caller has Livy's own answer to the latest POST. Raises NotSent, Ambiguous, Forbidden.
    """
    try:
        again = client.get(recovery.batch_name)
        if again.id != batch.id or not again.phantom_shape or not log_is_empty(client, recovery.batch_name):
            return False
        client.delete(recovery.batch_name)
        client.get(recovery.batch_name)
    except NotFound:
        events.of_recovery(recovery.pk, "phantom_removed", batch=batch.id)
        return True
    return False


def clean_up(*, recovery_id: int, gateway: Gateway, client: KnoxLivyClient, clock: Clock) -> None:
    """After a refusal: remove the phantom that may hold the name. Repeated by the sweep until it is done."""
    recovery = Recovery.objects.get(pk=recovery_id)
    if not recovery.cleanup_due:
        return
    if instance.pause_reason():
        return
    done = Q(cleanup_due=True)
    try:
        batch = client.get(recovery.batch_name)
        if not batch.phantom_shape:
            # Livy's verdict and a real batch contradict each other: a person has to look
            log.error("contradiction", recovery=recovery.pk, batch=batch.id)
            transitions.note(
                recovery.pk, "contradiction", only_if=done, changes={"cleanup_due": False, "next_action_at": None},
                batch=batch.id, app=batch.app_id, livy_state=batch.state,
            )  # fmt: skip
            return
        removed = remove(recovery, batch, client)
    except NotFound:
        removed = True
    except (NotSent, Ambiguous, Forbidden) as error:
        if isinstance(error, NotSent):
            gateways.record_condition(gateway, error, now=clock())
        removed = False
    later = clock() + seconds(settings.RECOVERY_PACING.cleanup_every)
    Recovery.objects.filter(done, pk=recovery.pk).update(
        cleanup_due=not removed, next_action_at=None if removed else later
    )
