"""Who may do what: Django's permissions by verb, and what a token is narrowed to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from recovery.api.serializers import OVERRIDE_NAMES
from recovery.domain.errors import InvalidInput, Problem
from recovery.models import ApiToken, Recovery
from recovery.services.filing import token_covers
from recovery.services.tokens import read_only


class HasPermissions(BasePermission):
    """The view's `permissions` say which are needed for a verb; a verb that it does not name is a 405 later on."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """All of them."""
        needed: Mapping[str, Sequence[str]] = view.permissions
        verb = "GET" if request.method in SAFE_METHODS else str(request.method)
        return person(request).has_perms([f"recovery.{codename}" for codename in needed.get(verb, ())])


class TokenMayWrite(BasePermission):
    """A read-only token changes nothing, whatever its user may do."""

    message = _("This token may only read.")

    def has_permission(self, request: Request, view: Any) -> bool:
        """Safe methods always."""
        token = token_of(request)
        return request.method in SAFE_METHODS or token is None or not read_only(token)


def person(request: Request) -> User:
    """Who asks; only behind IsAuthenticated."""
    return cast(User, request.user)


def token_of(request: Request) -> ApiToken | None:
    """The token that was used; None for a session."""
    return request.auth if isinstance(request.auth, ApiToken) else None


def check_covered(request: Request, recovery: Recovery) -> None:
    """A token for some profiles changes no recovery of another. Raises InvalidInput (403)."""
    token = token_of(request)
    if token is not None and not token_covers(token, recovery.profile):
        params = {"value": recovery.profile_name}
        raise InvalidInput([Problem(field="profile", code="profile_forbidden", params=params)])


def overrides_of(request: Request, body: Mapping[str, Any]) -> dict[str, Any]:
    """The payload's attributes that the request sets over its profile, for who may do so. Raises InvalidInput (403)."""
    given = [name for name in OVERRIDE_NAMES if name in body]
    if given and not person(request).has_perm("recovery.override_profile"):
        raise InvalidInput(Problem(field=name, code="override_forbidden") for name in given)
    return {OVERRIDE_NAMES[name]: body[name] for name in given}
