"""Profiles: the payload that one makes, and the profile `env` that comes from `.env` (H4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction

from recovery.conf import Reading, gateway_url
from recovery.domain.arguments import ArgsMode, parse_arguments
from recovery.domain.errors import InvalidInput, Problem
from recovery.domain.gateways import AuthKind
from recovery.domain.payload import MAX_APP_ATTEMPTS_KEY, Payload
from recovery.domain.payload_rules import check_payload
from recovery.models import Gateway, LivyProfile, SubjectType
from recovery.models.profile import RECORDS
from recovery.services import events
from recovery.services.editing import changed_columns

ENV_GATEWAY = "env"
GROUPS = "allowed_groups"

OVERRIDES = (
    "class_name", "queue", "proxy_user", "driver_memory", "driver_cores", "executor_memory", "executor_cores",
    "num_executors", "jars", "files", "py_files", "archives", "conf",
)  # fmt: skip
"""Attributes of the payload that a request may set over the profile's."""


def payload_of(
    profile: LivyProfile,
    *,
    jar_path: str,
    jar_args: str | Sequence[str],
    overrides: Mapping[str, Any] | None = None,
) -> tuple[Payload, ArgsMode]:
    """The checked payload of a request on a profile, and how its arguments were read.

    Raises InvalidInput with every problem of arguments and fields together.
    """
    mode = ArgsMode(profile.args_mode) if isinstance(jar_args, str) else ArgsMode.LIST
    problems: list[Problem] = []
    args: tuple[str, ...] = ()
    try:
        args = parse_arguments(jar_args, mode)
    except InvalidInput as error:
        problems += error.problems
    payload = launch_of(profile, jar_path=jar_path.strip(), args=args)
    payload = overridden(profile, payload, overrides)
    try:
        check_payload(payload, schemes=profile.gateway.allowed_schemes)
    except InvalidInput as error:
        problems += error.problems
    if problems:
        raise InvalidInput(problems)
    return payload, mode


def overridden(profile: LivyProfile, payload: Payload, overrides: Mapping[str, Any] | None) -> Payload:
    """The payload with a request's own values. A profile's "never restart inside YARN" outlives another `conf`."""
    given = overrides or {}
    changes: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items() if k in OVERRIDES}
    if profile.never_restart_in_yarn and "conf" in changes:
        changes["conf"] = {**changes["conf"], MAX_APP_ATTEMPTS_KEY: "1"}
    return payload.with_changes(**changes)


def launch_of(profile: LivyProfile, *, jar_path: str, args: tuple[str, ...]) -> Payload:
    """The profile's values around one jar, unchecked."""
    conf = dict(profile.conf)
    if profile.never_restart_in_yarn:
        conf[MAX_APP_ATTEMPTS_KEY] = "1"
    return Payload(
        file=jar_path,
        args=args,
        class_name=profile.class_name or None,
        queue=profile.queue or None,
        proxy_user=profile.proxy_user or None,
        driver_memory=profile.driver_memory or None,
        driver_cores=profile.driver_cores,
        executor_memory=profile.executor_memory or None,
        executor_cores=profile.executor_cores,
        num_executors=profile.num_executors,
        jars=tuple(profile.jars),
        files=tuple(profile.files),
        py_files=tuple(profile.py_files),
        archives=tuple(profile.archives),
        conf=conf,
    )


def check_profile(profile: LivyProfile) -> None:
    """Raises InvalidInput when no payload of this profile could ever be filed."""
    check_payload(
        launch_of(profile, jar_path="hdfs:///x.jar", args=()),
        schemes={*profile.gateway.allowed_schemes, "hdfs"},
    )


def save_profile(*, profile: LivyProfile, by: User | None, groups: Iterable[Group] | None = None) -> LivyProfile:
    """Store a new or edited profile, and who may use it (None: as before): checked, an event and one line of history.

    The version rises when something else is launched, or elsewhere. Nothing is written when nothing differs.
    """
    check_profile(profile)
    chosen = None if groups is None else list(groups)
    with transaction.atomic():
        if profile._state.adding:
            _store(profile, by=by, groups=chosen)
            events.append(SubjectType.PROFILE, profile.pk, "created", actor=by, version=profile.version)
            return profile
        stored = LivyProfile.objects.select_for_update().get(pk=profile.pk)
        changed = changed_columns(stored, profile, [name for name in LivyProfile.EDITED_FIELDS if name != GROUPS])
        facts: dict[str, Any] = {}
        if chosen is not None:
            before, now = _names(stored.allowed_groups.all()), _names(chosen)
            if before != now:
                changed.append(GROUPS)
                facts = {"groups_before": before, "groups_now": now}
        profile.version = stored.version + bool(set(changed) & set(LivyProfile.VERSION_FIELDS))
        if changed:
            _store(profile, by=by, groups=chosen)
            events.append(
                SubjectType.PROFILE, profile.pk, "changed", actor=by, changed=sorted(changed),
                version=profile.version, **facts,
            )  # fmt: skip
    return profile


def _names(groups: Iterable[Group]) -> list[str]:
    return sorted(group.name for group in groups)


def _store(profile: LivyProfile, *, by: User | None, groups: Iterable[Group] | None) -> None:
    """The row and its groups, with one line of history for both."""
    told_as = "+" if profile._state.adding else "~"
    profile._history_user = by  # type: ignore[attr-defined]  # simple-history's way to say who
    profile.skip_history_when_saving = True  # type: ignore[attr-defined]  # simple-history's own name
    profile.save()
    if groups is not None:
        profile.allowed_groups.set(groups)
    del profile.skip_history_when_saving  # type: ignore[attr-defined]  # the same
    RECORDS.create_historical_record(profile, told_as)


def duplicate_profile(*, profile: LivyProfile, name: str, by: User) -> LivyProfile:
    """A copy to edit, under another name, never kept by `.env`."""
    values = {field: getattr(profile, field) for field in LivyProfile.LAUNCH_FIELDS}
    copy = LivyProfile(name=name, description=profile.description, gateway=profile.gateway, enabled=False, **values)
    with transaction.atomic():
        _store(copy, by=by, groups=profile.allowed_groups.all())
        events.append(SubjectType.PROFILE, copy.pk, "created", cause="duplicate", actor=by, of=profile.name)
    return copy


def env_gateway_values(reading: Reading) -> dict[str, Any]:
    """The columns of the gateway that `.env` decides."""
    return {
        "base_url": gateway_url(reading["KNOX_HOST"], reading["KNOX_TOPOLOGY"]),
        "yarn_path": reading["KNOX_YARN_PATH"],
        "webhdfs_path": reading["KNOX_WEBHDFS_PATH"],
        "user": reading["AD_USER"],
        "auth_kind": AuthKind.BASIC.value if reading["AD_USER"] else AuthKind.NONE.value,
        "secret_ref": _secret_reference(reading),
        "verify_tls": reading["KNOX_VERIFY_TLS"],
        "ca_bundle": reading["KNOX_CA_BUNDLE"],
        "allowed_schemes": list(reading["LIVY_URI_SCHEMES"]),
        "single_livy": reading["LIVY_SINGLE"],
        "livy_recovery": reading["LIVY_RECOVERY"],
        "retention_seconds": reading["LIVY_RETENTION"],
        "max_running": reading["LIVY_MAX_RUNNING"] or None,
    }


ENV_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "LIVY_DESCRIPTION": "description",
        "LIVY_ARGS_MODE": "args_mode",
        "LIVY_CLASS_NAME": "class_name",
        "LIVY_QUEUE": "queue",
        "PROXY_USER": "proxy_user",
        "LIVY_DRIVER_MEMORY": "driver_memory",
        "LIVY_DRIVER_CORES": "driver_cores",
        "LIVY_EXECUTOR_MEMORY": "executor_memory",
        "LIVY_EXECUTOR_CORES": "executor_cores",
        "LIVY_NUM_EXECUTORS": "num_executors",
        "LIVY_JARS": "jars",
        "LIVY_FILES": "files",
        "LIVY_PY_FILES": "py_files",
        "LIVY_ARCHIVES": "archives",
        "LIVY_CONF": "conf",
    }
)
"""Variable of `.env` → the profile's column that it decides."""


def env_profile_values(reading: Reading) -> dict[str, Any]:
    """The columns of the profile that `.env` decides."""
    return {column: _plain(reading[variable]) for variable, column in ENV_COLUMNS.items()}


def _plain(value: Any) -> Any:
    """As a column holds it: what was read is frozen."""
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def _secret_reference(reading: Reading) -> str:
    if path := reading["AD_PASSWORD_FILE"]:
        return f"file:{path}"
    return "env:AD_PASSWORD" if reading["AD_USER"] else ""


def env_differences(reading: Reading) -> list[str]:
    """What differs between `.env` and the profile `env` in the database, as `column`; empty when in step."""
    profile = LivyProfile.objects.filter(managed_by_env=True).select_related("gateway").first()
    if not reading["KNOX_HOST"]:
        return []
    if profile is None:
        return ["env"]
    gateway_values, profile_values = env_gateway_values(reading), env_profile_values(reading)
    differing = [name for name, value in gateway_values.items() if getattr(profile.gateway, name) != value]
    return differing + [name for name, value in profile_values.items() if getattr(profile, name) != value]


def sync_env(*, reading: Reading | None = None) -> LivyProfile | None:
    """Bring the profile `env` and its gateway in step with `.env`; None without KNOX_HOST.

    A changed address, path or user makes a new gateway row, and the old one only follows (H4).
    """
    reading = settings.ENV if reading is None else reading
    if not reading["KNOX_HOST"]:
        return None
    gateway_values, profile_values = env_gateway_values(reading), env_profile_values(reading)
    with transaction.atomic():
        profile = LivyProfile.objects.select_for_update().filter(managed_by_env=True).first()
        gateway = _env_gateway(profile.gateway if profile else None, gateway_values)
        if profile is None:
            profile = LivyProfile(name=_free_name(LivyProfile.ENV_NAME), managed_by_env=True)
        changed = {n for n, v in profile_values.items() if getattr(profile, n) != v}
        if profile._state.adding or changed or profile.gateway_id != gateway.pk:
            for name, value in profile_values.items():
                setattr(profile, name, value)
            profile.gateway = gateway
            if profile.pk is not None:
                profile.version += 1
            profile.save()
            events.append(SubjectType.PROFILE, profile.pk, "synced", changed=sorted(changed), version=profile.version)
    return profile


def _env_gateway(known: Gateway | None, values: dict[str, Any]) -> Gateway:
    if known is not None:
        endpoint = ("base_url", "yarn_path", "webhdfs_path", "user", "auth_kind")
        moved = any(getattr(known, name) != values[name] for name in endpoint)
        if not moved or not known.used:
            changed = sorted(name for name, value in values.items() if getattr(known, name) != value)
            if changed:
                for name in changed:
                    setattr(known, name, values[name])
                known.save(update_fields=changed)
                events.append(SubjectType.GATEWAY, known.pk, "synced", changed=changed)
            return known
        known.follow_only = True
        known.managed_by_env = False
        known.save(update_fields=["follow_only", "managed_by_env"])
        events.append(SubjectType.GATEWAY, known.pk, "synced", cause="follow_only")
    name, number = ENV_GATEWAY, 1
    while Gateway.objects.filter(name=name).exists():
        number += 1
        name = f"{ENV_GATEWAY}-{number}"
    gateway = Gateway.objects.create(name=name, managed_by_env=True, **values)
    events.append(SubjectType.GATEWAY, gateway.pk, "created", cause="env")
    return gateway


def _free_name(wanted: str) -> str:
    name, number = wanted, 1
    while LivyProfile.objects.filter(name=name).exists():
        number += 1
        name = f"{wanted}-{number}"
    return name
