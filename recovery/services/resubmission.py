"""A new recovery that points to the old one (invariant 1): as it was, or edited (H2)."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from recovery.domain.arguments import ArgsMode
from recovery.domain.errors import InvalidInput, Problem
from recovery.domain.payload import Payload, canonical
from recovery.domain.payload_rules import check_payload
from recovery.domain.states import LIVE, State
from recovery.models import LivyProfile, Recovery
from recovery.services.filing import (
    Filed,
    Gate,
    Origin,
    fingerprint,
    passed,
    reason_problems,
    replayed,
    store,
    usable_profile,
)
from recovery.services.profiles import overridden, payload_of

SETTLE_PERMISSION = "recovery.settle_recovery"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A field whose value differs between then and now."""

    field: str
    then: Any
    now: Any


def refusal(*, recovery: Recovery, origin: Origin, reason: str) -> Problem | None:
    """Why this recovery cannot be resubmitted now, by this user, with this reason (H2); None when it can."""
    if not recovery.is_terminal:
        return Problem(field="state", code="not_ended", params={"value": recovery.state})
    if child := recovery.resubmissions.filter(state__in=LIVE).first():
        return Problem(field="state", code="live_child", params={"child": child.pk})
    unsettled = recovery.state == State.LOST and not recovery.settled_as
    if unsettled and not (origin.by.has_perm(SETTLE_PERMISSION) and reason.strip()):
        return Problem(field="state", code="unsettled")
    return None


def obstacle(
    *, recovery: Recovery, origin: Origin, reason: str, usable: Container[int] | None = None
) -> Problem | None:
    """The refusal, or that its profile cannot be used any more: for a page that says so before anybody tries.

    `usable`: the numbers of the user's profiles, where they are known.
    """
    if problem := refusal(recovery=recovery, origin=origin, reason=reason):
        return problem
    if usable is None:
        usable = LivyProfile.objects.usable_by(origin.by).values_list("pk", flat=True)
    if recovery.profile_id in usable:
        return None
    return Problem(field="profile", code="profile_closed", params={"value": recovery.profile.name})


def resubmit(
    *,
    recovery: Recovery,
    origin: Origin,
    reason: str,
    now: datetime,
    jar_path: str | None = None,
    jar_args: str | Sequence[str] | None = None,
    profile: LivyProfile | None = None,
    overrides: Mapping[str, Any] | None = None,
    gate: Gate | None = None,
) -> Filed:
    """Without changes: the frozen payload under a new name, through the gateway that its profile has today.

    With `jar_path`, `jar_args`, `profile` or `overrides`: an edited request; what is not given stays as it was, and a
    given profile brings its values of today. What stays is kept under the profile's version of then.
    With a gate, the gateway is looked at first, outside of any transaction.
    Raises InvalidInput, PreflightStops (nothing stored), FilingKeyReused.
    """
    content = fingerprint("resubmit", recovery.pk, jar_path, jar_args, profile and profile.pk, overrides, reason)
    if known := replayed(origin, content):
        return known
    if problems := reason_problems(reason):
        raise InvalidInput(problems)
    if problem := refusal(recovery=recovery, origin=origin, reason=reason):
        raise InvalidInput([problem])
    target = profile or recovery.profile
    usable_profile(name=target.name, by=origin.by, token=origin.token)
    if target.gateway.follow_only:
        raise InvalidInput([Problem(field="profile", code="gateway_follow_only")])
    payload, mode, raw = resubmission_payload(
        recovery=recovery, jar_path=jar_path, jar_args=jar_args, profile=profile, overrides=overrides
    )
    seen = None if gate is None else passed(gate, profile=target, payload=payload, mode=mode, now=now)
    try:
        with transaction.atomic():
            return store(
                profile=target,
                payload=payload,
                mode=mode,
                raw_jar_args=raw,
                origin=origin,
                reason=reason,
                content=content,
                now=now,
                parent=recovery,
                seen=seen,
                version=None if profile else recovery.profile_version,
            )
    except IntegrityError as error:
        # two people resubmitted it at once; the database allows one live child
        child = recovery.resubmissions.filter(state__in=LIVE).first()
        problem = Problem(field="state", code="live_child", params={"child": child.pk if child else "?"})
        raise InvalidInput([problem]) from error


def resubmission_payload(
    *,
    recovery: Recovery,
    jar_path: str | None = None,
    jar_args: str | Sequence[str] | None = None,
    profile: LivyProfile | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> tuple[Payload, ArgsMode, str]:
    """(payload, mode, jarArgs as typed) of a resubmission; raises InvalidInput."""
    mode = ArgsMode(recovery.args_mode)
    frozen_payload = Payload.from_json(recovery.payload_json)
    if jar_path is None and jar_args is None and profile is None and not overrides:
        return frozen_payload, mode, recovery.raw_jar_args
    then: str | list[str] = list(recovery.args) if mode is ArgsMode.LIST else recovery.raw_jar_args
    args = then if jar_args is None else jar_args
    path = recovery.jar_path if jar_path is None else jar_path
    raw = args if isinstance(args, str) else canonical(list(args))
    base = profile or recovery.profile
    as_it_was = profile is None and jar_args is None  # the profile may read arguments in another way by now
    parse = list(recovery.args) if as_it_was else args
    parsed, parsed_mode = payload_of(base, jar_path=path, jar_args=parse, overrides=overrides)
    if as_it_was:
        parsed_mode = mode
    if profile is None:
        kept = frozen_payload.with_changes(file=parsed.file, args=parsed.args)
        parsed = overridden(base, kept, overrides)
        check_payload(parsed, schemes=base.gateway.allowed_schemes)
    return parsed, parsed_mode, raw


def differences(then: Payload, now: Payload) -> list[Difference]:
    """Each field that differs, by Livy's names."""
    before, after = then.to_json(), now.to_json()
    names = [*before, *(name for name in after if name not in before)]
    return [
        Difference(field=name, then=before.get(name), now=after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]
