"""Recoveries: list, create, look at, resubmit, cancel."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from recovery.api.base import ListView, View, accepted, origin_of, profile_of, recovery_or_404
from recovery.api.errors import Conflict
from recovery.api.filters import RecoveryFilter
from recovery.api.pagination import Order
from recovery.api.permissions import check_covered, overrides_of, person
from recovery.api.representations import EventShown, LogShown, PreviewShown, RecoveryShown
from recovery.api.schema import FILING_HEADERS, JSON, problems
from recovery.api.serializers import CancelBody, CreateBody, ResubmitBody
from recovery.models import Recovery, RecoveryEvent, RecoveryLog, SubjectType
from recovery.services.cancelling import may_cancel, request_cancel
from recovery.services.clock import database_now
from recovery.services.filing import Gate, file_recovery
from recovery.services.preflight import preflight
from recovery.services.preview import preview
from recovery.services.resubmission import resubmit


class RecoveriesView(ListView):
    """The list, and filing with Livy's fields."""

    serializer_class = RecoveryShown
    permissions = {"GET": ["view_recovery"], "POST": ["file_recovery"]}
    filter_backends = [DjangoFilterBackend]
    filterset_class = RecoveryFilter
    orders = {
        "id": Order(column="id"),
        "createdAt": Order(column="created_at", fixed=True),
        "finishedAt": Order(column="finished_at", nullable=True),
        "state": Order(column="state"),
    }
    default_ordering = "-id"

    def get_queryset(self) -> QuerySet[Recovery]:
        """In one query, whatever the number of rows."""
        return Recovery.objects.for_list().defer("preflight")

    @extend_schema(
        operation_id="list_recoveries",
        summary="List",
        responses={(200, JSON): RecoveryShown(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """Newest first, unless `ordering` says otherwise."""
        return self.page(request)

    @extend_schema(
        operation_id="create_recovery",
        summary="File, with Livy's fields over the profile's",
        parameters=FILING_HEADERS,
        request=CreateBody,
        responses={(202, JSON): RecoveryShown, **problems(400, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """As execute-jar; what is given of Livy's fields replaces the profile's value.

        The gateway and the files are looked at first: a red finding stops the filing (422, `preflight_red`).
        """
        body = CreateBody.read(request)
        origin = origin_of(request)
        return accepted(
            file_recovery(
                profile=profile_of(origin, body.get("profile")),
                jar_path=body["jarPath"],
                jar_args=body.get("jarArgs", ""),
                overrides=overrides_of(request, body),
                origin=origin,
                reason=body.get("reason", ""),
                gate=Gate(confirmed=None if body.get("confirm", True) else frozenset()),
                now=database_now(),
            )
        )


class PreviewView(View):
    """What would be filed."""

    serializer_class = CreateBody
    permissions = {"POST": ["file_recovery"]}

    @extend_schema(
        operation_id="preview_recovery",
        summary="Show the exact payload and look at what it needs, store nothing",
        responses={(200, JSON): PreviewShown, **problems(400, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """Made by the builder that filing uses too."""
        body = CreateBody.read(request)
        profile = profile_of(origin_of(request), body.get("profile"))
        shown = preview(
            profile=profile,
            jar_path=body["jarPath"],
            jar_args=body.get("jarArgs", ""),
            overrides=overrides_of(request, body),
        )
        seen = preflight(profile=profile, payload=shown.payload, sent_text=shown.sent_text, now=database_now())
        return Response(PreviewShown(shown, context={"preflight": seen}).data)


class RecoveryView(View):
    """One recovery."""

    serializer_class = RecoveryShown
    permissions = {"GET": ["view_recovery"]}

    @extend_schema(
        operation_id="get_recovery",
        summary="One recovery",
        responses={(200, JSON): RecoveryShown, **problems(404)},
    )
    def get(self, request: Request, recovery_id: int) -> Response:
        """As it stands."""
        return Response(RecoveryShown(recovery_or_404(recovery_id)).data)


class ResubmitView(View):
    """A new recovery that points to this one."""

    serializer_class = ResubmitBody
    permissions = {"POST": ["view_recovery", "resubmit_recovery"]}

    @extend_schema(
        operation_id="resubmit_recovery",
        summary="Resubmit, as it was or edited",
        parameters=FILING_HEADERS,
        responses={(202, JSON): RecoveryShown, **problems(400, 404, 409, 413, 415, 422)},
    )
    def post(self, request: Request, recovery_id: int) -> Response:
        """Without a body: the frozen payload under a new name. What is given replaces what was."""
        recovery = recovery_or_404(recovery_id)
        body = ResubmitBody.read(request)
        origin = origin_of(request)
        return accepted(
            resubmit(
                recovery=recovery,
                origin=origin,
                reason=body.get("reason", ""),
                jar_path=body.get("jarPath"),
                jar_args=body.get("jarArgs"),
                profile=profile_of(origin, body["profile"]) if "profile" in body else None,
                overrides=overrides_of(request, body),
                now=database_now(),
            )
        )


class CancelView(View):
    """Ask for a cancel."""

    serializer_class = CancelBody
    permissions = {"POST": ["view_recovery"]}

    @extend_schema(
        operation_id="cancel_recovery",
        summary="Ask for a cancel",
        responses={(202, JSON): RecoveryShown, **problems(400, 404, 409, 413, 415)},
    )
    def post(self, request: Request, recovery_id: int) -> Response:
        """What was never sent is `cancelled` at once; the rest keeps its state until Livy confirms."""
        recovery, by = recovery_or_404(recovery_id), person(request)
        if not may_cancel(by, recovery):
            raise PermissionDenied
        check_covered(request, recovery)
        reason = CancelBody.read(request).get("reason", "")
        if not request_cancel(recovery=recovery, by=by, reason=reason, now=database_now()):
            raise Conflict("not_cancellable")
        return Response(RecoveryShown(recovery_or_404(recovery_id)).data, status=202)


class EventsView(ListView):
    """A recovery's history."""

    serializer_class = EventShown
    permissions = {"GET": ["view_recovery", "view_recoveryevent"]}
    orders = {"seq": Order(column="seq", fixed=True)}
    default_ordering = "seq"

    def get_queryset(self) -> QuerySet[RecoveryEvent]:
        """Oldest first."""
        return RecoveryEvent.objects.of(SubjectType.RECOVERY, self.kwargs.get("recovery_id", 0))

    @extend_schema(
        operation_id="list_events",
        summary="Its history",
        responses={(200, JSON): EventShown(many=True), **problems(400, 404)},
    )
    def get(self, request: Request, recovery_id: int) -> Response:
        """Oldest first."""
        recovery_or_404(recovery_id)
        return self.page(request)


class PlainTextLog(BaseRenderer):
    """The output, then YARN's diagnostics."""

    media_type = "text/plain"
    format = "text"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> str:
        """Text as it was kept."""
        parts = [data["output"], data["diagnostics"]]
        return "\n\n".join(part for part in parts if part)


class LogView(View):
    """The kept log."""

    serializer_class = LogShown
    permissions = {"GET": ["view_recovery", "view_recoverylog"]}
    renderer_classes = [JSONRenderer, PlainTextLog]

    @extend_schema(
        operation_id="get_log",
        summary="Its log",
        responses={(200, JSON): LogShown, (200, "text/plain"): str, **problems(404)},
    )
    def get(self, request: Request, recovery_id: int) -> Response:
        """As it was kept; `Accept: text/plain` gives the text alone. Empty until something was read."""
        recovery = recovery_or_404(recovery_id)
        log = RecoveryLog.objects.filter(pk=recovery.pk).first() or RecoveryLog(recovery=recovery)
        return Response(LogShown(log).data)
