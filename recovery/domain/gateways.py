"""The words about gateways that every layer shares."""

from __future__ import annotations

from enum import StrEnum


class AuthKind(StrEnum):
    """How Knox lets us in (livy-knox-contract.md §10)."""

    BASIC = "basic"
    BEARER = "bearer"
    NONE = "none"


class Condition(StrEnum):
    """Why a gateway cannot be used just now (protocol A2)."""

    UNREACHABLE = "unreachable"
    DNS = "dns"
    TLS = "tls"
    TIMEOUT = "timeout"
    CREDENTIALS = "credentials"
    FORBIDDEN = "forbidden"
    NO_ROUTE = "no_route"
    REDIRECT = "redirect"
    LOGIN_PAGE = "login_page"
    THROTTLED = "throttled"
    INACTIVE = "inactive"
    SERVER_ERROR = "server_error"
    GARBLED = "garbled"
    TOO_MANY_SESSIONS = "too_many_sessions"
    CSRF = "csrf"
    SECRET = "secret"  # noqa: S105  # a condition's name
    OLD_LIVY = "old_livy"


class Part(StrEnum):
    """What a test of a connection looks at, in this order."""

    LIVY = "livy"
    WHO = "who"
    WEBHDFS = "webhdfs"
    YARN = "yarn"
    SUBMISSIONS = "submissions"


class Found(StrEnum):
    """What a test says of one part."""

    WORKS = "works"
    WARNS = "warns"
    FAILS = "fails"
    NOT_ASKED = "not_asked"


class Channel(StrEnum):
    """The door through which a recovery was filed."""

    ADMIN = "admin"
    API = "api"
    COMMAND = "command"
