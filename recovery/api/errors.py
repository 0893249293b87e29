"""What goes wrong behind the API, as problems: which status, which words, which fields."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions

from recovery import wording
from recovery.api.problems import problem, unavailable
from recovery.domain.errors import InvalidInput, Problem
from recovery.services.filing import FilingKeyReused, PreflightStops

CONFLICT_CODES: Final = frozenset(
    {
        "not_ended", "live_child", "unsettled", "not_cancellable", "not_settleable", "link_changed", "link_of_other",
        "no_alarm",
    }
)  # fmt: skip
"""Problems about where the recovery stands, not about what was sent: 409."""
FORBIDDEN_CODES: Final = frozenset({"profile_forbidden", "override_forbidden"})
GATEWAY_CODES: Final = frozenset({"gateway_unusable"})
"""Somebody behind the portal gives no answer: 502."""
KEY_HEADER: Final = "Idempotency-Key"


class TooLarge(exceptions.APIException):
    """The body has more bytes than are read."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "body_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(_("The body may have %(limit)s bytes.") % {"limit": limit})


class Conflict(Exception):
    """What was asked for does not fit the state of the recovery."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.problem = Problem(field="state", code=code)


def problem_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """The REST framework's exception handler; None lets a mistake of ours be a 500, logged as such."""
    if isinstance(exc, InvalidInput):
        return _invalid(exc.problems)
    if isinstance(exc, Conflict):
        return _invalid([exc.problem])
    if isinstance(exc, FilingKeyReused):
        return _invalid([Problem(field=KEY_HEADER, code="filing_key_reused")], HTTPStatus.UNPROCESSABLE_ENTITY)
    if isinstance(exc, PreflightStops):
        return _stopped(exc)
    if isinstance(exc, (OperationalError, InterfaceError)):
        return unavailable()
    return _of_framework(_known(exc))


def _known(exc: Exception) -> Exception:
    """Django's own exceptions as the framework's."""
    if isinstance(exc, Http404):
        return exceptions.NotFound()
    if isinstance(exc, DjangoPermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(exc, RequestDataTooBig):
        return TooLarge(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    return exc


def _invalid(problems: Iterable[Problem], status: HTTPStatus | None = None) -> HttpResponse:
    found = list(problems)
    errors = wording.sentences(found)
    if status is None:
        status = _status(found)
    if status is HTTPStatus.BAD_REQUEST:
        detail = _("This request cannot be taken as it is: %(fields)s.") % {"fields": ", ".join(errors)}
    else:
        detail = " ".join(sentence for sentences in errors.values() for sentence in sentences)
    return problem(status, detail, code=found[0].code if found else "", errors=errors)


def _stopped(exc: PreflightStops) -> HttpResponse:
    return _invalid(wording.stopping(exc.checks, exc.preflight), HTTPStatus.UNPROCESSABLE_ENTITY)


def _status(problems: list[Problem]) -> HTTPStatus:
    if problems and all(p.code in FORBIDDEN_CODES for p in problems):
        return HTTPStatus.FORBIDDEN
    if problems and all(p.code in CONFLICT_CODES for p in problems):
        return HTTPStatus.CONFLICT
    if problems and all(p.code in GATEWAY_CODES for p in problems):
        return HTTPStatus.BAD_GATEWAY
    return HTTPStatus.BAD_REQUEST


def _of_framework(exc: Exception) -> HttpResponse | None:
    if not isinstance(exc, exceptions.APIException):
        return None
    headers: dict[str, str] = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if isinstance(exc, exceptions.ValidationError):
        errors = _field_errors(exc.detail)
        detail = _("This request cannot be taken as it is: %(fields)s.") % {"fields": ", ".join(errors)}
        return problem(exc.status_code, detail, code="invalid", errors=errors, headers=headers)
    codes = exc.get_codes()
    return problem(exc.status_code, str(exc.detail), code=codes if isinstance(codes, str) else "", headers=headers)


def _field_errors(detail: Any) -> dict[str, list[str]]:
    if not isinstance(detail, dict):
        return {"body": [str(sentence) for sentence in detail]}
    return {str(field): [str(s) for s in sentences] for field, sentences in detail.items()}
