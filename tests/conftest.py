"""What every test shares: no broker but one in memory, and a cheap hash for passwords."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import override_settings

from recovery_portal.celery import app


@pytest.fixture(scope="session", autouse=True)
def _broker_in_memory() -> Iterator[None]:
    """Messages go nowhere; a test that needs a broker sets its own."""
    before = app.conf.broker_url, app.conf.broker_transport_options
    app.conf.broker_url, app.conf.broker_transport_options = "memory://", {}
    yield
    app.conf.broker_url, app.conf.broker_transport_options = before


@pytest.fixture(scope="session", autouse=True)
def _static_folder() -> None:
    """whitenoise warns about one that is not there, and warnings are errors."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """The real hash costs a third of a second for each user."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """What one test looked up is no answer to another."""
    cache.clear()
