"""System checks that name the variable, what was read, and the cure (`recovery.E001` …)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from recovery import conf
from recovery.services.profiles import env_differences

log = structlog.get_logger(__name__)


@register(Tags.compatibility)
def environment(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """E001: a variable of `.env` or the environment that cannot be used."""
    return [
        Error(
            f"{problem.variable} cannot be used: read {problem.read}.",
            hint=f"Expected: {problem.expected}. Correct it in .env or in the environment.",
            id="recovery.E001",
        )
        for problem in conf.reading().problems
    ]


@register(Tags.security, deploy=True)
def production_pacing(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """E002: waiting times too short to be safe (a test's pacing in production)."""
    if not (short := settings.RECOVERY_PACING.below_floor()):
        return []
    names = ", ".join(f"{name} (at least {floor:g} s)" for name, floor in short.items())
    return [
        Error(
            f"PORTAL_PACING_SCALE makes these times too short for a real gateway: {names}.",
            hint="Leave PORTAL_PACING_SCALE unset, or set it to 1.",
            id="recovery.E002",
        )
    ]


@register(Tags.security, deploy=True)
def production_stores(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """W001: the embedded database and broker serve one machine."""
    found: list[CheckMessage] = []
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3") and not settings.DEBUG:
        found.append(
            Warning(
                "DATABASE_URL names SQLite, which serves one machine only.",
                hint="For more than one machine: DATABASE_URL=postgres://user:password@host:5432/name.",
                id="recovery.W001",
            )
        )
    return found


def refuse_bad_configuration() -> None:
    """For processes that run no system checks by themselves (gunicorn): stop at the start, in the checks' words."""
    errors = [message for message in run_checks() if message.is_serious()]
    if errors:
        raise ImproperlyConfigured("\n".join(str(message) for message in errors))


def warn_of_differences() -> None:
    """H4: a start with an `.env` that differs from the stored profile `env` says so; nothing is taken over by it."""
    try:
        differing = env_differences(conf.reading())
    except DatabaseError as error:
        log.warning("env_not_compared", error=type(error).__name__)
        return
    if differing:
        log.warning("env_differs", columns=differing, cure="python manage.py sync_env")
