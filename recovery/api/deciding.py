"""What a person decides: settle, link to a batch (looked at first), acknowledge an alarm. And what is counted."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from recovery.api.base import View, recovery_or_404
from recovery.api.errors import Conflict
from recovery.api.permissions import check_covered, person
from recovery.api.representations import LinkShown, RecoveryShown, StatisticsShown
from recovery.api.schema import JSON, problems
from recovery.api.serializers import AcknowledgeBody, LinkBody, SettleBody
from recovery.domain.errors import InvalidInput, Problem
from recovery.models import Gateway
from recovery.services import duplicates, linking
from recovery.services.clock import database_now
from recovery.services.linking import Shown
from recovery.services.settling import settle


class SettleView(View):
    """A person decides what could not be known."""

    serializer_class = SettleBody
    permissions = {"POST": ["view_recovery", "settle_recovery"]}

    @extend_schema(
        operation_id="settle_recovery",
        summary="Settle what cannot be known",
        responses={(200, JSON): RecoveryShown, **problems(400, 404, 409, 413, 415)},
    )
    def post(self, request: Request, recovery_id: int) -> Response:
        """The state stays what was known; the decision stands beside it."""
        recovery = recovery_or_404(recovery_id)
        check_covered(request, recovery)
        body = SettleBody.read(request)
        if not settle(
            recovery=recovery,
            settled_as=body["settledAs"],
            reason=body["reason"],
            by=person(request),
            now=database_now(),
        ):
            raise Conflict("not_settleable")
        return Response(RecoveryShown(recovery_or_404(recovery_id)).data)


class LinkView(View):
    """Settling by a link, in two steps: look, then confirm what was shown."""

    serializer_class = LinkBody
    permissions = {
        "GET": ["view_recovery", "settle_recovery"],
        "POST": ["view_recovery", "settle_recovery"],
    }

    @extend_schema(
        operation_id="look_at_link",
        summary="Look at a batch before linking to it",
        parameters=[
            OpenApiParameter(
                "batch",
                OpenApiTypes.STR,
                required=True,
                description="The id or the name of a batch of its gateway, or the id of a YARN application.",
            )
        ],
        responses={(200, JSON): LinkShown, **problems(400, 404, 409, 502)},
    )
    def get(self, request: Request, recovery_id: int) -> Response:
        """Asked of the recovery's own gateway; nothing is stored."""
        recovery = recovery_or_404(recovery_id)
        check_covered(request, recovery)
        if unknown := [name for name in request.query_params if name not in ("batch", "format")]:
            raise InvalidInput(Problem(field=name, code="unknown_field") for name in unknown)
        if not (wanted := request.query_params.get("batch", "")).strip():
            raise InvalidInput([Problem(field="batch", code="required")])
        return Response(LinkShown(linking.find(recovery=recovery, wanted=wanted)).data)

    @extend_schema(
        operation_id="link_recovery",
        summary="Settle as linked to a batch",
        responses={(200, JSON): RecoveryShown, **problems(400, 404, 409, 413, 415, 502)},
    )
    def post(self, request: Request, recovery_id: int) -> Response:
        """`name`, `batchId` and `appId` as they were shown: it is looked at once more, and has to be the same."""
        recovery = recovery_or_404(recovery_id)
        check_covered(request, recovery)
        body = LinkBody.read(request)
        shown = Shown(name=body["name"] or "", batch_id=body["batchId"], app_id=body.get("appId") or "")
        if not linking.link(
            recovery=recovery,
            wanted=body["batch"],
            shown=shown,
            reason=body["reason"],
            by=person(request),
            now=database_now(),
        ):
            raise Conflict("not_settleable")
        return Response(RecoveryShown(recovery_or_404(recovery_id)).data)


class AcknowledgeView(View):
    """A person answers an alarm."""

    serializer_class = AcknowledgeBody
    permissions = {"POST": ["view_recovery", "settle_recovery"]}

    @extend_schema(
        operation_id="acknowledge_alarm",
        summary="Acknowledge the alarm of a second batch",
        responses={(200, JSON): RecoveryShown, **problems(400, 404, 409, 413, 415)},
    )
    def post(self, request: Request, recovery_id: int) -> Response:
        """The alarm ends, the reason stays in the history. Settling ends it too."""
        recovery = recovery_or_404(recovery_id)
        check_covered(request, recovery)
        body = AcknowledgeBody.read(request)
        if not duplicates.acknowledge(recovery=recovery, by=person(request), reason=body["reason"]):
            raise Conflict("no_alarm")
        return Response(RecoveryShown(recovery_or_404(recovery_id)).data)


class StatisticsView(View):
    """What is counted."""

    serializer_class = StatisticsShown
    permissions = {"GET": ["view_recovery", "view_recoveryevent", "view_gateway"]}

    @extend_schema(
        operation_id="get_statistics",
        summary="Second launches avoided, and open alarms",
        responses={(200, JSON): StatisticsShown, **problems()},
    )
    def get(self, request: Request) -> Response:
        """Counted from the events, now."""
        names = dict(Gateway.objects.values_list("pk", "name"))
        avoided = duplicates.avoided(now=database_now())
        counted: dict[str, Any] = {
            "avoided": avoided,
            "by_gateway": {name: avoided.by_gateway.get(pk, 0) for pk, name in sorted(names.items())},
            "alarms": list(duplicates.alarmed().values_list("pk", flat=True)),
        }
        return Response(StatisticsShown(counted).data)
