"""People, a profile, and clients that speak HTTP with JSON."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import translation
from rest_framework.test import APIClient

from recovery import wording
from recovery.domain.errors import Problem
from recovery.models import LivyProfile
from recovery.services.tokens import create_token
from tests.factories import ARGS, JAR, make_profile, make_user

BODY: dict[str, Any] = {"jarPath": JAR, "jarArgs": ARGS, "reason": "2024-01-01 is missing"}
CREATE = "/api/v1/recoveries/"
EXECUTE = "/api/v1/recovery/execute-jar"
PREVIEW = "/api/v1/recoveries/preview/"


def client_of(user: User | None = None, *, language: str = "en", **headers: str) -> APIClient:
    """A client that is logged in as `user` and speaks JSON."""
    client = APIClient(headers={"Accept-Language": language, **headers})
    if user is not None:
        client.force_login(user)
    return client


def token_header(user: User, **restrictions: Any) -> str:
    """`Authorization` with a new token of `user`."""
    _row, raw = create_token(user=user, name="test", by=None, **restrictions)
    return f"Token {raw}"


def token_client(user: User, **restrictions: Any) -> APIClient:
    """A client with a new token of `user`."""
    return client_of(authorization=token_header(user, **restrictions))


def post(client: APIClient, url: str, body: Any = None, **headers: str) -> Any:
    """POST of JSON; `headers` by their own names, with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(url, body, format="json", headers=named)


def sentence(language: str, code: str, field: str = "f", **params: object) -> str:
    """The sentence of a problem in a language."""
    with translation.override(language):
        return wording.sentence(Problem(field=field, code=code, params=params))


def assert_problem(response: Any, status: int, *, code: str | None = None, field: str | None = None) -> dict[str, Any]:
    """It is a problem+json of this status; its body."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["type"] == "about:blank"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    if code is not None:
        assert body["code"] == code
    if field is not None:
        assert field in body["errors"], body
    return body


@pytest.fixture
def profile(db: None) -> LivyProfile:
    """The one profile there is, so that requests need not name it."""
    return make_profile(name="small")


@pytest.fixture
def steward(db: None) -> User:
    """Files, resubmits, cancels her own."""
    return make_user("sabine", groups=["Stewards"])


@pytest.fixture
def operator(db: None) -> User:
    """Cancels any, settles."""
    return make_user("omar", groups=["Operators"])


@pytest.fixture
def auditor(db: None) -> User:
    """Sees, changes nothing."""
    return make_user("anne", groups=["Auditors"])


@pytest.fixture
def api(steward: User) -> APIClient:
    """The steward's client."""
    return client_of(steward)
