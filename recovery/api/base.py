"""What the views share: strictness, permissions, how a filing is asked for and answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django.http import Http404
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from recovery.api.errors import KEY_HEADER
from recovery.api.pagination import PARAMETERS, KeysetPagination, Order
from recovery.api.parsers import StrictJSONParser
from recovery.api.permissions import HasPermissions, TokenMayWrite, person, token_of
from recovery.api.representations import RecoveryShown, recovery_url
from recovery.api.schema import REPLAY_HEADER
from recovery.domain.errors import InvalidInput, Problem
from recovery.domain.gateways import Channel
from recovery.models import LivyProfile, Recovery
from recovery.models.profile import LivyProfileQuerySet
from recovery.services.filing import Filed, Origin, usable_profile

_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")


class View(GenericAPIView[Any]):
    """`permissions`: verb → codenames."""

    permissions: ClassVar[Mapping[str, Sequence[str]]] = {}
    permission_classes = [IsAuthenticated, TokenMayWrite, HasPermissions]
    parser_classes = [StrictJSONParser]
    http_method_names = ["get", "head", "post"]
    filter_backends: Sequence[Any] = []
    pagination_class: type[KeysetPagination] | None = None


class ListView(View):
    """Pages of `get_queryset()`; an unknown parameter is told, not passed over."""

    orders: ClassVar[Mapping[str, Order]] = {"id": Order(column="id")}
    default_ordering: ClassVar[str] = "id"
    pagination_class: type[KeysetPagination] | None = KeysetPagination

    def page(self, request: Request) -> Response:
        """The page asked for."""
        filters = getattr(getattr(self, "filterset_class", None), "base_filters", {})
        known = {*PARAMETERS, *filters, "format"}
        if unknown := [name for name in request.query_params if name not in known]:
            raise InvalidInput(Problem(field=name, code="unknown_field") for name in unknown)
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)


def recovery_or_404(recovery_id: int) -> Recovery:
    """With what a representation needs."""
    recovery = Recovery.objects.for_list().filter(pk=recovery_id).first()
    if recovery is None:
        raise Http404
    return recovery


def origin_of(request: Request) -> Origin:
    """Who files, and with which key (H3). Raises InvalidInput."""
    key = request.headers.get(KEY_HEADER)
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidInput([Problem(field=KEY_HEADER, code="filing_key_form")])
    return Origin(by=person(request), channel=Channel.API, token=token_of(request), filing_key=key or "")


def profile_of(origin: Origin, name: str | None) -> LivyProfile:
    """The named profile; unnamed, the one kept by `.env`, else the only one. Raises InvalidInput."""
    if name is not None:
        return usable_profile(name=name, by=origin.by, token=origin.token)
    usable = list(profiles_of(origin))
    chosen = [profile for profile in usable if profile.managed_by_env] or usable
    if len(chosen) != 1:
        raise InvalidInput([Problem(field="profile", code="required")])
    return chosen[0]


def profiles_of(origin: Origin) -> LivyProfileQuerySet:
    """The profiles that this user may use with this token."""
    profiles = LivyProfile.objects.usable_by(origin.by)
    if origin.token is not None and origin.token.profiles.exists():
        profiles = profiles.filter(pk__in=origin.token.profiles.values("pk"))
    return profiles


def accepted(filed: Filed) -> Response:
    """202 with the recovery; a replay says so."""
    headers = {"Location": recovery_url(filed.recovery.pk)}
    if filed.again:
        headers[REPLAY_HEADER] = "true"
    return Response(RecoveryShown(recovery_or_404(filed.recovery.pk)).data, status=202, headers=headers)
