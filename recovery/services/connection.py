"""« Test this connection »: Livy, WebHDFS and YARN behind one gateway, each with what it said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.auth.models import User

from recovery.domain.gateways import Condition
from recovery.domain.preflight import Check, Light, Preflight
from recovery.gateway.errors import GatewayError, NotSent
from recovery.gateway.wire import Version
from recovery.gateway.yarn import YarnClient
from recovery.models import Gateway, SubjectType
from recovery.services import events, probing
from recovery.services.gateways import (
    ClientFactory,
    open_client,
    record_condition,
    record_seen,
    record_version,
    version_is_fit,
)
from recovery.services.preflight import gateway_checks
from recovery.services.probing import Look


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionTest:
    """What was found. `ok`: Livy is reachable, lets us in and is fit; `seen` tells of everything behind the gateway."""

    ok: bool
    condition: Condition | None = None
    words: str = ""
    version: str = ""
    seen: Preflight


def try_connection(
    *, gateway: Gateway, now: datetime, by: User | None = None, client_for: ClientFactory = open_client
) -> ConnectionTest:
    """Asks Livy as a worker does, and heals or records the gateway's condition; then WebHDFS and YARN, where there are
    any. Starts nothing. Never inside a transaction."""
    livy = _livy(gateway, now, client_for)
    fit = livy.state == probing.OK and version_is_fit(gateway, Version(text=livy.text))
    condition = None if fit else Condition(livy.condition or Condition.OLD_LIVY)
    events.append(
        SubjectType.GATEWAY, gateway.pk, "tested", cause=condition.value if condition else "ok", actor=by,
        version=livy.text or None,
    )  # fmt: skip
    looks = (
        dict(probing.look_around(gateway, jar="", now=now, fresh=True, client_for=client_for))
        if gateway.webhdfs_path
        else {}
    )
    checks = (*gateway_checks(gateway, looks | {probing.LIVY: livy}), _yarn(gateway, client_for))
    at = now.astimezone(UTC).isoformat(timespec="seconds")
    return ConnectionTest(
        ok=fit, condition=condition, words=livy.words, version=livy.text, seen=Preflight(at=at, checks=checks)
    )


def _livy(gateway: Gateway, now: datetime, client_for: ClientFactory) -> Look:
    try:
        with client_for(gateway) as client:
            version = client.version()
            client.list(size=0)
    except GatewayError as error:
        record_condition(gateway, error, now=now)
        condition = error.condition if isinstance(error, NotSent) else Condition.SERVER_ERROR
        return Look(state=probing.UNKNOWN, condition=condition.value, words=error.words)
    record_seen(gateway, now=now)
    record_version(gateway, version)
    return Look(state=probing.OK, text=version.text)


def _yarn(gateway: Gateway, client_for: ClientFactory) -> Check:
    if not gateway.yarn_path:
        return Check(code="yarn_none", light=Light.GREY)
    pacing = replace(settings.RECOVERY_PACING, get_deadline=settings.RECOVERY_PACING.preflight_limit)
    try:
        with client_for(gateway) as client, YarnClient(client.endpoint, gateway.yarn_path, pacing=pacing) as yarn:
            started = yarn.info().started
    except GatewayError as error:
        condition = error.condition if isinstance(error, NotSent) else Condition.FORBIDDEN
        params = {"condition": condition.value, "words": error.words[:300]}
        return Check(code="yarn_ill", light=Light.AMBER, params=params)
    return Check(code="yarn_ok", light=Light.GREEN, params={"since": int(started.timestamp() * 1000)})
