"""Filing a recovery: a committed row is the promise that it will reach an honest end (invariant 2)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from recovery.domain.arguments import ArgsMode, text_problems
from recovery.domain.errors import InvalidInput, Problem
from recovery.domain.gateways import Channel
from recovery.domain.naming import TOKEN_HEX, batch_name
from recovery.domain.payload import Payload, canonical, sha256
from recovery.domain.preflight import Check, Light, Preflight
from recovery.domain.states import State
from recovery.models import ApiToken, LivyProfile, Recovery
from recovery.services import events
from recovery.services.clock import seconds
from recovery.services.gateways import ClientFactory, open_client
from recovery.services.preflight import preflight
from recovery.services.preview import NAME_TO_BE, frozen
from recovery.services.profiles import payload_of
from recovery.services.wake import SUBMIT, wake

MAX_REASON = 500


class FilingKeyReused(Exception):
    """The same key with another content (H3): the API answers 422."""

    def __init__(self, recovery: Recovery) -> None:
        super().__init__(f"the key belongs to recovery {recovery.pk}")
        self.recovery = recovery


@dataclass(frozen=True, kw_only=True, slots=True)
class Filed:
    """The recovery, and whether it was there already (the same key and content)."""

    recovery: Recovery
    again: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Who files, through which door; `remedy`: the short name of the signature whose remedy is applied."""

    by: User
    channel: Channel
    token: ApiToken | None = None
    filing_key: str = ""
    remedy: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """What a door does with the preflight, which is kept with the recovery in any case.

    `confirmed`: keys of the amber checks that a person has confirmed; None: nobody is asked, amber is noted.
    """

    blocks: bool = True
    confirmed: frozenset[str] | None = None
    client_for: ClientFactory = open_client

    def stopped_by(self, seen: Preflight) -> tuple[Check, ...]:
        """The checks for which nothing may be filed: the red ones, else the amber ones that nobody has confirmed."""
        if not self.blocks:
            return ()
        return seen.of(Light.RED) or (() if self.confirmed is None else seen.unconfirmed(self.confirmed))


class PreflightStops(Exception):
    """Nothing was filed: something is red, or amber and not confirmed."""

    def __init__(self, seen: Preflight, checks: tuple[Check, ...]) -> None:
        super().__init__(", ".join(check.key for check in checks))
        self.preflight = seen
        self.checks = checks


def usable_profile(*, name: str, by: User, token: ApiToken | None = None) -> LivyProfile:
    """The profile of that name that the user may use; InvalidInput says which of the two is not so."""
    profile = LivyProfile.objects.select_related("gateway").filter(name=name, enabled=True).first()
    if profile is None:
        raise InvalidInput([Problem(field="profile", code="unknown_profile", params={"value": name})])
    allowed = LivyProfile.objects.open_to(by).filter(pk=profile.pk).exists()
    if not allowed or (token is not None and not token_covers(token, profile)):
        raise InvalidInput([Problem(field="profile", code="profile_forbidden", params={"value": name})])
    return profile


def token_covers(token: ApiToken, profile: LivyProfile) -> bool:
    """A token without profiles of its own covers every profile of its user."""
    return not token.profiles.exists() or token.profiles.filter(pk=profile.pk).exists()


def file_recovery(
    *,
    profile: LivyProfile,
    jar_path: str,
    jar_args: str | Sequence[str],
    origin: Origin,
    reason: str = "",
    overrides: Mapping[str, Any] | None = None,
    gate: Gate | None = None,
    now: datetime,
) -> Filed:
    """Store one recovery and wake a worker. The same filing key and content give the same recovery (H3).

    With a gate, the gateway is looked at first, outside of any transaction. Raises InvalidInput, PreflightStops
    (nothing stored) and FilingKeyReused.
    """
    content = fingerprint(profile.pk, jar_path, jar_args, overrides, reason)
    if known := replayed(origin, content):
        return known
    problems = reason_problems(reason)
    if profile.gateway.follow_only:
        problems.append(Problem(field="profile", code="gateway_follow_only"))
    try:
        payload, mode = payload_of(profile, jar_path=jar_path, jar_args=jar_args, overrides=overrides)
    except InvalidInput as error:
        raise InvalidInput([*error.problems, *problems]) from error
    if problems:
        raise InvalidInput(problems)
    return store(
        profile=profile,
        payload=payload,
        mode=mode,
        raw_jar_args=jar_args if isinstance(jar_args, str) else canonical(list(jar_args)),
        origin=origin,
        reason=reason,
        content=content,
        now=now,
        seen=None if gate is None else passed(gate, profile=profile, payload=payload, mode=mode, now=now),
    )


def passed(gate: Gate, *, profile: LivyProfile, payload: Payload, mode: ArgsMode, now: datetime) -> Preflight:
    """The preflight, with what was confirmed. Raises PreflightStops."""
    sent = frozen(payload, mode, name=NAME_TO_BE).sent_text
    seen = preflight(profile=profile, payload=payload, sent_text=sent, now=now, client_for=gate.client_for)
    if checks := gate.stopped_by(seen):
        raise PreflightStops(seen, checks)
    confirmed = gate.confirmed or frozenset()
    return replace(seen, confirmed=tuple(check.key for check in seen.of(Light.AMBER) if check.key in confirmed))


def reason_problems(reason: str) -> list[Problem]:
    """Why a reason cannot be stored."""
    problems = [p for p in text_problems(reason, field="reason") if p.code in {"nul", "not_unicode"}]
    if len(reason) > MAX_REASON:
        problems.append(Problem(field="reason", code="reason_too_long", params={"limit": MAX_REASON}))
    return problems


def fingerprint(*asked: Any) -> str:
    """SHA-256 of what was asked for, as it was asked: a profile edited since then changes nothing of it (H3)."""
    return sha256(json.dumps(asked, sort_keys=True, default=list))


def replayed(origin: Origin, content: str) -> Filed | None:
    """The recovery that this key has filed before; FilingKeyReused when it was for another content (H3)."""
    if not origin.filing_key:
        return None
    recovery = Recovery.objects.for_list().filter(requester=origin.by, filing_key=origin.filing_key).first()
    if recovery is None:
        return None
    if recovery.filing_sha256 != content:
        raise FilingKeyReused(recovery)
    return Filed(recovery=recovery, again=True)


def store(
    *,
    profile: LivyProfile,
    payload: Payload,
    mode: ArgsMode,
    raw_jar_args: str,
    origin: Origin,
    reason: str,
    content: str,
    now: datetime,
    parent: Recovery | None = None,
    seen: Preflight | None = None,
    version: int | None = None,
) -> Filed:
    """The row, its name, its frozen payloads and its first event in one transaction; then wake a worker.

    `version`: of the profile's, the one whose values are in the payload; today's without.
    """
    version = profile.version if version is None else version
    name = batch_name(portal_id=settings.PORTAL_ID, jar_path=payload.file, token=secrets.token_hex(TOKEN_HEX // 2))
    texts = frozen(payload, mode, name=name)
    try:
        with transaction.atomic():
            recovery = Recovery.objects.create(
                gateway=profile.gateway,
                profile=profile,
                profile_name=profile.name,
                profile_version=version,
                jar_path=payload.file,
                raw_jar_args=raw_jar_args,
                args=list(payload.args),
                args_mode=mode.value,
                payload=texts.text,
                payload_sha256=texts.sha256,
                sent_payload=texts.sent_text,
                preflight=seen.text() if seen else "",
                batch_name=name,
                asked_proxy_user=payload.proxy_user or "",
                state=State.QUEUED.value,
                next_action_at=now,
                submit_by=now + seconds(settings.RECOVERY_PACING.submit_within),
                requester=origin.by,
                requester_label=origin.by.get_username(),
                channel=origin.channel.value,
                token=origin.token,
                reason=reason,
                filing_key=origin.filing_key,
                filing_sha256=content if origin.filing_key else "",
                resubmission_of=parent,
                attempt=parent.attempt + 1 if parent else 1,
            )
            events.of_new_recovery(
                recovery.pk,
                "filed",
                cause=origin.channel.value,
                actor=origin.by,
                sha256=texts.sha256,
                preflight=seen.light.value if seen else None,
                profile=profile.name,
                version=version,
                reason=reason or None,
                resubmission_of=parent.pk if parent else None,
                remedy=origin.remedy or None,
            )
            if parent is not None:
                events.of_recovery(parent.pk, "resubmitted", actor=origin.by, child=recovery.pk)
            wake(SUBMIT, profile.gateway_id)
    except IntegrityError:
        # the same form sent twice at once: the other request was first
        if known := replayed(origin, content):
            return known
        raise
    return Filed(recovery=recovery)
