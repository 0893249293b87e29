"""What every test shares: no broker but one in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from recovery_portal.celery import app


@pytest.fixture(scope="session", autouse=True)
def _broker_in_memory() -> Iterator[None]:
    """Messages go nowhere; a test that needs a broker sets its own."""
    before = app.conf.broker_url, app.conf.broker_transport_options
    app.conf.broker_url, app.conf.broker_transport_options = "memory://", {}
    yield
    app.conf.broker_url, app.conf.broker_transport_options = before
