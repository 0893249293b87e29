"""`application/problem+json` (RFC 9457), built in one place; free of the REST framework, for middleware too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from django.http import JsonResponse
from django.utils.translation import gettext as _

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER: Final = "10"
_TITLES: Final = {413: "Content Too Large", 422: "Unprocessable Content"}
"""RFC 9110's phrases where Python's differ between its versions."""


def problem(
    status: int,
    detail: str,
    *,
    code: str = "",
    errors: Mapping[str, Sequence[str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JsonResponse:
    """One problem: `title` is HTTP's own phrase, `detail` and `errors` are in the language of the request."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": _TITLES.get(status) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if code:
        body["code"] = code
    if errors:
        body["errors"] = {field: list(sentences) for field, sentences in errors.items()}
    return JsonResponse(
        body, status=status, content_type=MEDIA_TYPE, headers=headers, json_dumps_params={"ensure_ascii": False}
    )


def unavailable() -> JsonResponse:
    """503 with Retry-After: the database cannot be reached."""
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("The database cannot be reached. Nothing was stored; please try again in a moment."),
        code="database_unavailable",
        headers={"Retry-After": RETRY_AFTER},
    )
