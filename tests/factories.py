"""Rows for tests, made through the services where one exists. Every argument has a default."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

from django.contrib.auth.models import Group, User
from django.utils import timezone

from recovery.domain.gateways import Channel
from recovery.domain.states import TERMINAL, State
from recovery.models import Gateway, LivyProfile, Recovery
from recovery.services.filing import Origin, file_recovery

JAR = "hdfs:///user/sddesigner/recovery.jar"
ARGS = "--date 20240101 --table splio.active"

_numbers = count(1)


def make_user(username: str = "", *, groups: Iterable[str] = (), **fields: Any) -> User:
    """A user with a password `secret-<name>`, in groups made by the migrations ("Stewards", …) or made here."""
    name = username or f"user{next(_numbers)}"
    user = User.objects.create_user(name, password=f"secret-{name}", **fields)
    user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
    return user


def make_gateway(**fields: Any) -> Gateway:
    """A gateway that nothing listens on."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "name": f"gateway{number}",
        "base_url": f"https://knox{number}.example.org:8443/gateway/default",
        "user": "svc",
        "secret_ref": "env:AD_PASSWORD",
    }
    return Gateway.objects.create(**values | fields)


def make_profile(*, groups: Iterable[str] = (), **fields: Any) -> LivyProfile:
    """A profile with the guide's sizes; `groups` are those that may use it (none: everybody)."""
    values: dict[str, Any] = {
        "name": f"profile{next(_numbers)}",
        "queue": "root.datalake",
        "proxy_user": "sddesigner",
        "driver_memory": "4g",
        "driver_cores": 2,
        "executor_memory": "4g",
        "executor_cores": 2,
        "num_executors": 4,
    }
    values |= fields
    if "gateway" not in values:
        values["gateway"] = make_gateway()
    profile = LivyProfile.objects.create(**values)
    profile.allowed_groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
    return profile


def make_recovery(
    *,
    profile: LivyProfile | None = None,
    by: User | None = None,
    jar_path: str = JAR,
    jar_args: str | Sequence[str] = ARGS,
    reason: str = "",
    overrides: dict[str, Any] | None = None,
    channel: Channel = Channel.ADMIN,
    **columns: Any,
) -> Recovery:
    """A recovery, filed as any other; `columns` (such as `state=State.FAILED`) are then written over the row."""
    recovery = file_recovery(
        profile=profile or make_profile(),
        jar_path=jar_path,
        jar_args=jar_args,
        origin=Origin(by=by or make_user(), channel=channel),
        reason=reason,
        overrides=overrides,
        now=timezone.now(),
    ).recovery
    if columns:
        if "state" in columns:
            columns["state"] = State(columns["state"]).value
            if columns["state"] in TERMINAL:
                columns = {"finished_at": timezone.now(), "next_action_at": None} | columns
        Recovery.objects.filter(pk=recovery.pk).update(**columns)
    return Recovery.objects.for_list().get(pk=recovery.pk)
