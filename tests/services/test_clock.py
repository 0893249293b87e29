"""One clock for all hosts: the database's."""

from __future__ import annotations

from datetime import timedelta
from time import sleep

import pytest
from django.db import transaction
from django.utils import timezone

from recovery.services.clock import database_now

pytestmark = pytest.mark.django_db


def test_the_clock_has_a_zone_and_agrees_with_this_host() -> None:
    """The database of the tests stands on the same machine."""
    assert abs(database_now() - timezone.now()) < timedelta(seconds=30)


@pytest.mark.postgres
def test_the_clock_goes_on_within_a_transaction() -> None:
    """PostgreSQL's now() stands still from BEGIN on: a lease taken late in a transaction would be too short."""
    with transaction.atomic():
        before = database_now()
        sleep(0.01)
        assert before < database_now()
