"""What the OpenAPI description says of every operation: the problems it may answer, and its headers."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from recovery.api.errors import KEY_HEADER
from recovery.api.problems import MEDIA_TYPE

JSON: Final = "application/json"
REPLAY_HEADER: Final = "Idempotent-Replay"

_TOLD: Final = {
    400: "The input is not right; `errors` says why, field by field.",
    401: "No session and no valid token.",
    403: "Not permitted.",
    404: "There is no such thing.",
    406: "Only application/json can be answered.",
    409: "It does not fit the state of the recovery.",
    413: "The body has more than 1 MiB.",
    415: "The body is not application/json.",
    422: "The Idempotency-Key was used for another content; or the preflight found what stops it (`preflight_red`, "
    "`preflight_amber`).",
    502: "The recovery's gateway gives no answer.",
    503: "The database cannot be reached; nothing was stored. See Retry-After.",
}


class ProblemDetails(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField(help_text="HTTP's own phrase.")
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="In the language of the request.")
    code = serializers.CharField(required=False, help_text="A stable word for the first thing that is wrong.")
    errors = serializers.DictField(  # type: ignore[assignment]  # the name in the answer; this class only describes
        child=serializers.ListField(child=serializers.CharField()), required=False
    )


def problems(*statuses: int) -> dict[Any, Any]:
    """Responses for `statuses`, and for what every operation may answer."""
    wanted = sorted({*statuses, 401, 403, 406, 503})
    return {(status, MEDIA_TYPE): OpenApiResponse(ProblemDetails, description=_TOLD[status]) for status in wanted}


IDEMPOTENCY_KEY: Final = OpenApiParameter(
    KEY_HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="1 to 200 visible ASCII characters, unique per user: the same key and content give the same recovery.",
    pattern=r"^[\x21-\x7e]{1,200}$",
)
LOCATION: Final = OpenApiParameter(
    "Location", OpenApiTypes.STR, OpenApiParameter.HEADER, description="The recovery's address.", response=[202]
)
REPLAYED: Final = OpenApiParameter(
    REPLAY_HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="`true`: this key and content were sent before; this is the recovery of then.",
    response=[202],
)
FILING_HEADERS: Final = [IDEMPOTENCY_KEY, LOCATION, REPLAYED]
