"""People signed in at the admin, in a language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.factories import make_user

Door = Callable[..., Client]


@pytest.fixture
def door(db: None) -> Door:
    """`door("Stewards")`: a client signed in as a new member of the groups; `client.person` is the user."""

    def sign_in(*groups: str, language: str = "en", **fields: Any) -> Client:
        client = Client(headers={"accept-language": language})
        client.person = make_user(groups=groups, is_staff=True, **fields)  # type: ignore[attr-defined]
        client.force_login(client.person)  # type: ignore[attr-defined]
        return client

    return sign_in


@pytest.fixture
def steward(door: Door) -> Client:
    """In English."""
    return door("Stewards")


@pytest.fixture
def operator(door: Door) -> Client:
    """In English."""
    return door("Operators")


@pytest.fixture
def auditor(door: Door) -> Client:
    """In English."""
    return door("Auditors")
