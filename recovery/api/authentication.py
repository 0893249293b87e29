"""`Authorization: Token rp_…` (session cookies are the framework's own, with CSRF)."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from recovery.models import ApiToken
from recovery.services.clock import database_now
from recovery.services.tokens import find_token

KEYWORD = "Token"


class ApiTokenAuthentication(BaseAuthentication):
    """A token of the table; `request.auth` is its row."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """None without such a header; AuthenticationFailed for a token that is not, or no longer, good."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != KEYWORD.lower().encode():
            return None
        if len(words) != 2:
            raise AuthenticationFailed(_("Expected: Authorization: Token <the token>."))
        token = find_token(words[1].decode("latin-1"), now=database_now())
        if token is None:
            # which of unknown, revoked, expired or inactive user it is, is not told
            raise AuthenticationFailed(_("This token is not valid."))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """For 401."""
        return KEYWORD


class ApiTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the library registers sub-classes untyped
    """The token in the OpenAPI description."""

    target_class = ApiTokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """`manage.py create_api_token` makes one."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token rp_…`, made by `manage.py create_api_token USER`.",
        }
