"""Filters of the lists."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import get_format
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, MultipleChoicesDropdownFilter, RangeDateFilter

from recovery.admin.long_list import remembered
from recovery.domain.states import LIVE
from recovery.models import Recovery
from recovery.services import attention, duplicates

ME = "me"
SHOWN_REQUESTERS = 200


class StateFilter(MultipleChoicesDropdownFilter):
    """Several states at once."""


class PhaseFilter(DropdownFilter):
    """Going on, ended, or waiting for a person."""

    title = _("phase")
    parameter_name = "phase"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        return [("live", _("going on")), ("ended", _("ended")), ("attention", _("needs someone")),
                ("duplicate", _("second batch found"))]  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Recovery]) -> QuerySet[Recovery]:
        """Filtered."""
        match self.value():
            case "live":
                return queryset.filter(state__in=LIVE)
            case "ended":
                return queryset.exclude(state__in=LIVE)
            case "attention":
                return queryset.filter(pk__in=attention.needs_someone())
            case "duplicate":
                return queryset.filter(pk__in=duplicates.alarmed())
        return queryset


class RequesterFilter(DropdownFilter):
    """Mine, or those of one person who has filed any."""

    title = _("requester")
    parameter_name = "requester"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """ "Me" first."""
        people = remembered("requesters", Recovery, _requesters)
        return [(ME, _("me")), *people]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Recovery]) -> QuerySet[Recovery]:
        """Filtered; a value that is no number finds nobody."""
        wanted = self.value()
        if not wanted:
            return queryset
        if wanted == ME:
            return queryset.filter(requester=request.user.pk)
        return queryset.filter(requester=int(wanted)) if wanted.isdecimal() else queryset.none()


def _requesters() -> list[tuple[str, str]]:
    """Whoever has filed any."""
    filed = Exists(Recovery.objects.filter(requester=OuterRef("pk")))
    people = User.objects.filter(filed).order_by("username").values_list("pk", "username")
    return [(str(pk), name) for pk, name in people[:SHOWN_REQUESTERS]]


class DayRangeFilter(RangeDateFilter):
    """From one day to another, both of them whole, in the portal's time zone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("date")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Filtered; what is no date is not looked at."""
        first = _day(self.used_parameters.get(f"{self.parameter_name}_from"))
        last = _day(self.used_parameters.get(f"{self.parameter_name}_to"))
        if first is not None:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": first})
        if last is not None:
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": last + timedelta(days=1)})
        return queryset


def _day(text: object) -> datetime | None:
    """Midnight of a day typed in the language's format or as YYYY-MM-DD."""
    if not isinstance(text, str) or not text.strip():
        return None
    for form in ("%Y-%m-%d", *get_format("DATE_INPUT_FORMATS")):
        try:
            day = datetime.strptime(text.strip(), form).date()  # noqa: DTZ007  # made aware below
        except ValueError:
            continue
        return timezone.make_aware(datetime.combine(day, time.min))
    return None
