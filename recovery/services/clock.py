"""Time as the database tells it: one clock for all hosts (H6). Services take it as a parameter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from django.db import connection
from django.utils import timezone

Clock = Callable[[], datetime]


def database_now() -> datetime:
    """The database server's clock; on SQLite that is this host's."""
    if connection.vendor == "sqlite":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cast(datetime, cursor.fetchone()[0])


def seconds(value: float) -> timedelta:
    """A pacing value as a timedelta."""
    return timedelta(seconds=value)
