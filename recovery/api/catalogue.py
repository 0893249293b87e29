"""Profiles and gateways, to be read."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from recovery.api.base import ListView, View, origin_of, profiles_of
from recovery.api.pagination import Order
from recovery.api.representations import GatewayShown, ProfileShown
from recovery.api.schema import JSON, problems
from recovery.models import Gateway, LivyProfile


class ProfilesView(ListView):
    """The profiles that the user may use."""

    serializer_class = ProfileShown
    permissions = {"GET": ["view_livyprofile"]}
    orders = {"name": Order(column="name")}
    default_ordering = "name"

    def get_queryset(self) -> QuerySet[LivyProfile]:
        """With this token."""
        return profiles_of(origin_of(self.request))

    @extend_schema(
        operation_id="list_profiles",
        summary="Usable profiles",
        responses={(200, JSON): ProfileShown(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """By name."""
        return self.page(request)


class ProfileView(View):
    """One of them."""

    serializer_class = ProfileShown
    permissions = {"GET": ["view_livyprofile"]}

    @extend_schema(
        operation_id="get_profile",
        summary="One profile",
        responses={(200, JSON): ProfileShown, **problems(404)},
    )
    def get(self, request: Request, name: str) -> Response:
        """404 too for one that the user may not use."""
        profile = profiles_of(origin_of(request)).filter(name=name).first()
        if profile is None:
            raise Http404
        return Response(ProfileShown(profile).data)


class GatewaysView(ListView):
    """The gateways and how they are."""

    serializer_class = GatewayShown
    permissions = {"GET": ["view_gateway"]}
    orders = {"name": Order(column="name")}
    default_ordering = "name"

    def get_queryset(self) -> QuerySet[Gateway]:
        """All."""
        return Gateway.objects.for_list()

    @extend_schema(
        operation_id="list_gateways",
        summary="Gateways",
        responses={(200, JSON): GatewayShown(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """By name, with the condition that keeps one from being used."""
        return self.page(request)


class NothingHereView(View):
    """An address that the API does not have: a problem like any other, and no redirect that would lose a body."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    @extend_schema(exclude=True)
    def get(self, request: Request, rest: str) -> Response:
        """404."""
        raise NotFound

    post = put = patch = delete = get
