"""Batches that Livy registered without starting them: they hold our name for ever until they are deleted (S2).

A start in progress has the same shape, so a phantom is deleted only after Livy itself has answered our latest POST:
POST is serial in Livy, so its answer means that every earlier start has finished. Where several Livys stand behind the
gateway, the answer of one says nothing about the others, and nothing is deleted (S4).
"""

from __future__ import annotations

from datetime import timedelta

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

CLEANUP_FOR = timedelta(days=1)
"""After this a phantom that could not be removed is left to people."""


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


def is_still(recovery: Recovery, batch: Batch, client: KnoxLivyClient) -> bool:
    """Read once more: the same id, still empty. The caller has Livy's own answer to the latest POST.

    Raises NotSent, NotFound.
    """
    again = client.get(recovery.batch_name)
    return again.id == batch.id and again.phantom_shape and log_is_empty(client, recovery.batch_name)


def remove(recovery: Recovery, batch: Batch, client: KnoxLivyClient) -> bool:
    """Delete a proved phantom by name, and see it gone. Raises NotSent, Ambiguous, Forbidden."""
    try:
        client.delete(recovery.batch_name)
        client.get(recovery.batch_name)
    except NotFound:
        events.of_recovery(recovery.pk, "phantom_removed", batch=batch.id)
        return True
    return False


def clean_up(*, recovery_id: int, gateway: Gateway, client: KnoxLivyClient, clock: Clock) -> None:
    """After a refusal: remove the phantom that may hold the name. Repeated by the sweep for a day."""
    recovery = Recovery.objects.get(pk=recovery_id)
    if not recovery.cleanup_due or instance.pause_reason():
        return
    due = Q(cleanup_due=True)
    over = {"cleanup_due": False, "next_action_at": None}
    removed = False
    try:
        batch = client.get(recovery.batch_name)
        if not batch.phantom_shape:
            # Livy's verdict and a real batch contradict each other: a person has to look
            log.error("contradiction", recovery=recovery.pk, batch=batch.id)
            transitions.note(
                recovery.pk, "contradiction", only_if=due, changes=over,
                batch=batch.id, app=batch.app_id, livy_state=batch.state,
            )  # fmt: skip
            return
        removed = is_still(recovery, batch, client) and remove(recovery, batch, client)
    except NotFound:
        removed = True
    except NotSent as error:
        gateways.record_condition(gateway, error, now=clock())
    except (Ambiguous, Forbidden) as error:
        log.warning("cleanup_failed", recovery=recovery.pk, error=type(error).__name__)
    now = clock()
    if removed:
        Recovery.objects.filter(due, pk=recovery.pk).update(**over)
    elif recovery.finished_at is not None and now - recovery.finished_at > CLEANUP_FOR:
        transitions.note(recovery.pk, "cleanup_failed", only_if=due, cause="given_up", changes=over)
    else:
        later = now + seconds(settings.RECOVERY_PACING.cleanup_every)
        Recovery.objects.filter(due, pk=recovery.pk).update(next_action_at=later)
