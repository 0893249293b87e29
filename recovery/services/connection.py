"""« Test this connection »: Livy, who we are, WebHDFS and YARN behind one gateway, each with what was found.

One Knox stands before all of them: where it does not answer, or takes us for nobody, the others are not asked, since
each wrong password counts towards locking the account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User

from recovery.domain.gateways import AuthKind, Condition, Found, Part
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
from recovery.services.probing import Look

SHUT: Final[Mapping[Condition, str]] = MappingProxyType(
    dict.fromkeys((Condition.UNREACHABLE, Condition.DNS, Condition.TLS), "after_away")
    | dict.fromkeys((Condition.CREDENTIALS, Condition.LOGIN_PAGE), "after_refusal")
    | {Condition.SECRET: "after_secret"}
)
"""Conditions in which nothing else is asked, each with the word that says why."""
_NOBODY: Final = frozenset({Condition.SECRET, Condition.CREDENTIALS, Condition.LOGIN_PAGE})
_LET_IN: Final = frozenset({None, Condition.OLD_LIVY, Condition.FORBIDDEN})


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What was found of one part: a word for its sentence, the condition that it tells of, and the raw words."""

    part: Part
    found: Found
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    condition: Condition | None = None
    words: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionTest:
    """What was found. `ok`: Livy is reachable, lets us in and is fit; `rows` tell of everything behind the gateway."""

    ok: bool
    condition: Condition | None = None
    words: str = ""
    version: str = ""
    rows: tuple[Row, ...] = ()


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
    asked = condition not in SHUT
    home = None
    if gateway.webhdfs_path and asked:
        home = probing.look_around(gateway, jar="", now=now, fresh=True, client_for=client_for)[probing.HOME]
    rows = (
        _livy_row(condition, livy),
        _who(gateway, condition, livy, home),
        _webhdfs(home) if home else _not_asked(Part.WEBHDFS, condition, gateway.webhdfs_path, "webhdfs_none"),
        _yarn(gateway, client_for)
        if gateway.yarn_path and asked
        else _not_asked(Part.YARN, condition, gateway.yarn_path, "yarn_none"),
        *_paused(gateway),
    )
    return ConnectionTest(ok=fit, condition=condition, words=livy.words, version=livy.text, rows=rows)


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


def _livy_row(condition: Condition | None, livy: Look) -> Row:
    if condition in (None, Condition.OLD_LIVY):
        found, code = (Found.FAILS, "livy_old") if condition else (Found.WORKS, "livy_ok")
        return Row(part=Part.LIVY, found=found, code=code, params={"version": livy.text[:100]})
    if condition in _NOBODY:
        return Row(part=Part.LIVY, found=Found.NOT_ASKED, code=SHUT[condition])
    return Row(part=Part.LIVY, found=Found.FAILS, code="fails", condition=condition, words=livy.words)


def _who(gateway: Gateway, condition: Condition | None, livy: Look, home: Look | None) -> Row:
    """Who we are there: by our home in HDFS, else by the gateway's own setting."""
    if condition in _NOBODY:
        return Row(part=Part.WHO, found=Found.FAILS, code="fails", condition=condition, words=livy.words)
    if home and home.text:
        user = {"user": home.text.rsplit("/", 1)[-1]}
        return Row(part=Part.WHO, found=Found.WORKS, code="who", params=user)
    if condition not in _LET_IN:
        return _not_asked(Part.WHO, condition, "", "who_unknown")
    if gateway.auth_kind == AuthKind.NONE:
        return Row(part=Part.WHO, found=Found.WARNS, code="who_nobody")
    if not gateway.user:
        return Row(part=Part.WHO, found=Found.WORKS, code="who_token")
    return Row(part=Part.WHO, found=Found.WORKS, code="who_configured", params={"user": gateway.user})


def _webhdfs(home: Look) -> Row:
    """Spark's `.sparkStaging` goes into the home: without it the batch is dead within seconds."""
    if home.state == probing.OK:
        return Row(part=Part.WEBHDFS, found=Found.WORKS, code="webhdfs_ok", params={"home": home.text})
    if home.text and home.state in (probing.MISSING, probing.DENIED):
        code = f"webhdfs_{home.state}"
        return Row(part=Part.WEBHDFS, found=Found.FAILS, code=code, params={"home": home.text}, words=home.words)
    known = {probing.MISSING: Condition.NO_ROUTE, probing.DENIED: Condition.FORBIDDEN, probing.SLOW: Condition.TIMEOUT}
    why = known.get(home.state) or Condition(home.condition)
    return Row(part=Part.WEBHDFS, found=Found.FAILS, code="fails", condition=why, words=home.words)


def _yarn(gateway: Gateway, client_for: ClientFactory) -> Row:
    pacing = replace(settings.RECOVERY_PACING, get_deadline=settings.RECOVERY_PACING.preflight_limit)
    try:
        with client_for(gateway) as client, YarnClient(client.endpoint, gateway.yarn_path, pacing=pacing) as yarn:
            started = yarn.info().started
    except GatewayError as error:
        condition = error.condition if isinstance(error, NotSent) else Condition.FORBIDDEN
        return Row(part=Part.YARN, found=Found.FAILS, code="fails", condition=condition, words=error.words)
    return Row(part=Part.YARN, found=Found.WORKS, code="yarn_ok", params={"since": started})


def _not_asked(part: Part, condition: Condition | None, path: str, none: str) -> Row:
    """Why: an earlier one failed, or there is nothing to ask."""
    code = SHUT.get(condition, none) if condition and (path or part is Part.WHO) else none
    return Row(part=part, found=Found.NOT_ASKED, code=code)


def _paused(gateway: Gateway) -> Iterator[Row]:
    if gateway.paused:
        reason = {"reason": gateway.paused_reason}
        yield Row(part=Part.SUBMISSIONS, found=Found.WARNS, code="paused", params=reason)
