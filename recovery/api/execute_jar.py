"""The guide's door: `{jarPath, jarArgs}`, and a batch is on its way."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from recovery.api.base import View, accepted, origin_of, profile_of
from recovery.api.representations import RecoveryShown
from recovery.api.schema import FILING_HEADERS, JSON, problems
from recovery.api.serializers import ExecuteJarBody
from recovery.services.clock import database_now
from recovery.services.filing import Gate, file_recovery


class ExecuteJarView(View):
    """Stored when it answers; submitted by a worker."""

    serializer_class = ExecuteJarBody
    permissions = {"POST": ["file_recovery"]}

    @extend_schema(
        operation_id="execute_jar",
        summary="Run a jar once",
        parameters=FILING_HEADERS,
        responses={(202, JSON): RecoveryShown, **problems(400, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """File a recovery of `jarPath` with `jarArgs`. It is stored when this answers; a worker submits it.

        What the preflight finds is kept with it and blocks nothing here.
        """
        body = ExecuteJarBody.read(request)
        origin = origin_of(request)
        return accepted(
            file_recovery(
                profile=profile_of(origin, body.get("profile")),
                jar_path=body["jarPath"],
                jar_args=body.get("jarArgs", ""),
                origin=origin,
                reason=body.get("reason", ""),
                gate=Gate(blocks=False),
                now=database_now(),
            )
        )
