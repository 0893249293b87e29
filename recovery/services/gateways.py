"""A gateway as the workers use it: its client, its condition, its pauses (A2), whether it takes submissions (P1)."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q

from recovery.domain.errors import InvalidInput, Problem
from recovery.domain.gateways import AuthKind, Condition
from recovery.domain.states import FOLLOWED, State
from recovery.gateway.endpoint import Endpoint, SecretUnavailable, resolve_secret
from recovery.gateway.errors import GatewayError, NotSent
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import Version
from recovery.gateway.yarn import YarnClient
from recovery.models import Gateway, Recovery, SubjectType
from recovery.services import events, instance
from recovery.services.clock import seconds
from recovery.services.editing import changed_columns

AWAY = frozenset({Condition.UNREACHABLE, Condition.TIMEOUT, Condition.SERVER_ERROR, Condition.INACTIVE})
"""Conditions in which Livy may just be down, or being started anew."""
BUSY = FOLLOWED | {State.SUBMITTING, State.UNCONFIRMED}
"""Counted against `max_running`; a row on hold is nobody's job."""


class ClientFactory(Protocol):
    """Makes a client for a gateway; tests inject their own."""

    def __call__(self, gateway: Gateway) -> KnoxLivyClient:
        """Raises NotSent when the secret cannot be read."""


def open_client(gateway: Gateway) -> KnoxLivyClient:
    """A client whose secret was resolved just now. Refuses to work inside a transaction (convention 4)."""
    with transaction.atomic(durable=True):
        pass  # raises RuntimeError when a transaction is open
    try:
        secret = resolve_secret(gateway.secret_ref, dict(os.environ) | _env_file_secret())
    except SecretUnavailable as error:
        raise NotSent(str(error), condition=Condition.SECRET) from error
    endpoint = Endpoint(
        base_url=gateway.base_url,
        livy_path=gateway.livy_path,
        auth=AuthKind(gateway.auth_kind),
        user=gateway.user,
        secret=secret,
        verify_tls=gateway.verify_tls,
        ca_bundle=gateway.ca_bundle,
    )
    return KnoxLivyClient.at(endpoint, pacing=settings.RECOVERY_PACING)


def open_yarn(gateway: Gateway) -> YarnClient:
    """The ResourceManager behind it; only for a gateway with a `yarn_path`. Raises NotSent as `open_client` does."""
    with open_client(gateway) as client:
        return YarnClient(client.endpoint, gateway.yarn_path, pacing=settings.RECOVERY_PACING)


def _env_file_secret() -> dict[str, str]:
    """`env:AD_PASSWORD` also means a line of `.env`, which is not in the process's environment."""
    password = str(settings.ENV["AD_PASSWORD"])
    return {"AD_PASSWORD": password} if password else {}


def takes_submissions(gateway: Gateway, now: datetime) -> bool:
    """Not paused, not followed only, not in a pause after a failure, this database's own portal (H5), not full."""
    return takes_posts(gateway, now) and room(gateway) > 0


def takes_posts(gateway: Gateway, now: datetime) -> bool:
    """The same, but for the room: a doubt that is sent again counts against it already."""
    if gateway.paused or gateway.follow_only or is_resting(gateway, now) or instance.pause_reason():
        return False
    resting = bool(gateway.submit_condition) and gateway.submit_next_at is not None and gateway.submit_next_at > now
    return not resting


def is_resting(gateway: Gateway, now: datetime) -> bool:
    """In its pause after a failure."""
    return bool(gateway.condition) and gateway.next_try_at is not None and gateway.next_try_at > now


def room(gateway: Gateway) -> int:
    """How many more recoveries may run there now (`max_running`)."""
    if gateway.max_running is None:
        return 1_000_000
    busy = Recovery.objects.filter(gateway=gateway, state__in=BUSY, hold="").count()
    return max(0, gateway.max_running - busy)


def version_is_fit(gateway: Gateway, version: Version) -> bool:
    """P1: this Livy knows names, by its version or by an operator's word."""
    return version.knows_names is True or (version.knows_names is None and gateway.version_accepted)


def record_version(gateway: Gateway, version: Version) -> None:
    """Keep the version seen; an event when it changed."""
    if gateway.livy_version == version.text:
        return
    with transaction.atomic():
        Gateway.objects.filter(pk=gateway.pk).update(livy_version=version.text[:100])
        events.append(SubjectType.GATEWAY, gateway.pk, "version", before=gateway.livy_version, now=version.text[:100])
    gateway.livy_version = version.text[:100]


def record_condition(
    gateway: Gateway, error: GatewayError, *, now: datetime, jitter: Callable[[], float] = random.random
) -> None:
    """A2: the gateway shows why it cannot be used and rests for a growing time. One event per change of condition.

    Workers that meet one failure at the same moment count it once: what is stored by then decides.
    """
    condition = error.condition if isinstance(error, NotSent) else Condition.SERVER_ERROR
    pacing = settings.RECOVERY_PACING
    with transaction.atomic():
        stored = Gateway.objects.select_for_update().get(pk=gateway.pk)
        changed = stored.condition != condition
        failures = stored.failures + (changed or not is_resting(stored, now))
        pause = pacing.gateway_pause(failures, jitter())
        if isinstance(error, NotSent) and error.retry_after is not None:
            pause = min(max(pause, error.retry_after), pacing.gateway_pause_most)
        Gateway.objects.filter(pk=gateway.pk).update(
            condition=condition.value,
            condition_words=error.words[:2000],
            condition_since=now if changed else stored.condition_since,
            failures=failures,
            next_try_at=now + seconds(pause),
            away_at=now if condition in AWAY else stored.away_at,
        )
        if changed:
            events.append(SubjectType.GATEWAY, gateway.pk, "condition", cause=condition.value, words=error.words[:500])
    gateway.refresh_from_db()


def record_submit_condition(
    gateway: Gateway, error: NotSent, *, now: datetime, jitter: Callable[[], float] = random.random
) -> None:
    """A2 for what was answered to a submission: submissions rest, for longer each time; following goes on."""
    pause = settings.RECOVERY_PACING.gateway_pause(gateway.submit_failures + 1, jitter())
    if error.retry_after is not None:
        pause = min(max(pause, error.retry_after), settings.RECOVERY_PACING.gateway_pause_most)
    changed = gateway.submit_condition != error.condition
    with transaction.atomic():
        Gateway.objects.filter(pk=gateway.pk).update(
            submit_condition=error.condition.value,
            submit_words=error.words[:2000],
            submit_since=now if changed else gateway.submit_since,
            submit_failures=F("submit_failures") + 1,
            submit_next_at=now + seconds(pause),
        )
        if changed:
            events.append(
                SubjectType.GATEWAY, gateway.pk, "condition", cause=error.condition.value, words=error.words[:500]
            )
    gateway.refresh_from_db()


def record_submitted(gateway: Gateway) -> None:
    """Livy has taken, or judged, a submission: they need no rest any more."""
    if not gateway.submit_condition:
        return
    with transaction.atomic():
        healed = Gateway.objects.filter(~Q(submit_condition=""), pk=gateway.pk).update(
            submit_condition="", submit_words="", submit_since=None, submit_failures=0, submit_next_at=None
        )
        if healed:
            events.append(SubjectType.GATEWAY, gateway.pk, "healed", cause=gateway.submit_condition)
    gateway.refresh_from_db()


def stop_unless_alive(client: KnoxLivyClient, error: NotSent) -> None:
    """After a call about one batch failed: goes on when Livy answers otherwise, so that one bad batch starves nobody.

    Raises `error`, or what the gateway says now, when it does not.
    """
    if error.condition in (Condition.CREDENTIALS, Condition.SECRET):
        raise error
    client.version()


def record_seen(gateway: Gateway, *, now: datetime) -> None:
    """It answered as Livy: the condition ends, one event when there was one. Written at most every few seconds."""
    fresh = gateway.last_seen_at is not None and (now - gateway.last_seen_at) < seconds(
        settings.RECOVERY_PACING.sweep_every
    )
    if fresh and not gateway.condition:
        return
    with transaction.atomic():
        Gateway.objects.filter(pk=gateway.pk).update(last_seen_at=now)
        healed = Gateway.objects.filter(~Q(condition=""), pk=gateway.pk).update(
            condition="", condition_words="", condition_since=None, failures=0, next_try_at=None
        )
        if healed:
            events.append(SubjectType.GATEWAY, gateway.pk, "healed", cause=gateway.condition)
    gateway.refresh_from_db()


def endpoint_problems(gateway: Gateway, changed: Iterable[str]) -> list[Problem]:
    """H4: what makes it this gateway stays, once a recovery was filed on it. For a row that is locked."""
    moved = [name for name in Gateway.ENDPOINT_FIELDS if name in set(changed)]
    if not moved or not gateway.used:
        return []
    return [Problem(field=name, code="endpoint_used") for name in moved]


def save_gateway(*, gateway: Gateway, changed: Iterable[str], by: User) -> Gateway:
    """Store a new gateway, or those columns of a known one: the others (pause, condition …) are the workers' and
    operators' meanwhile. With an event. Raises InvalidInput when what was used would become another."""
    gateway._history_user = by  # type: ignore[attr-defined]  # simple-history's way to say who
    with transaction.atomic():
        if gateway._state.adding:
            gateway.save()
            events.append(SubjectType.GATEWAY, gateway.pk, "created", actor=by)
            return gateway
        stored = Gateway.objects.select_for_update().get(pk=gateway.pk)
        columns = changed_columns(stored, gateway, changed)
        if problems := endpoint_problems(stored, columns):
            raise InvalidInput(problems)
        if columns:
            for name in columns:
                setattr(stored, name, getattr(gateway, name))
            stored._history_user = by  # type: ignore[attr-defined]  # the same
            stored.save(update_fields=columns)
            events.append(SubjectType.GATEWAY, gateway.pk, "changed", actor=by, changed=sorted(columns))
    return stored


def pause(*, gateway_id: int, by: User, reason: str) -> bool:
    """An operator stops submissions; what runs is followed on."""
    with transaction.atomic():
        changed = Gateway.objects.filter(pk=gateway_id, paused=False).update(paused=True, paused_reason=reason[:300])
        if changed:
            events.append(SubjectType.GATEWAY, gateway_id, "paused", actor=by, reason=reason)
    return bool(changed)


def resume(*, gateway_id: int, by: User) -> bool:
    """Submissions go on."""
    with transaction.atomic():
        changed = Gateway.objects.filter(pk=gateway_id, paused=True).update(paused=False, paused_reason="")
        if changed:
            events.append(SubjectType.GATEWAY, gateway_id, "resumed", actor=by)
    return bool(changed)
