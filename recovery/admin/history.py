"""The history of profiles and gateways: read, never reverted (a change goes through a service)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from recovery.admin import show
from recovery.models import LivyProfile


class SeenHistory:
    """Put before SimpleHistoryAdmin."""

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        """Always: no button."""
        return True

    def history_form_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """An old version is looked at; posting it back is refused."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        return super().history_form_view(request, *args, **kwargs)  # type: ignore[misc, no-any-return]


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """One column of a profile: then and today."""

    name: str
    then: str
    today: str

    @property
    def changed(self) -> bool:
        """It is another one today."""
        return self.then != self.today


def version_of(profile: LivyProfile, number: int) -> Any:
    """The profile as it was in that version, with who made it and when; None when that is not kept."""
    versions = LivyProfile.history.select_related("history_user")
    return versions.filter(id=profile.pk, version=number).order_by("-history_date", "-history_id").first()


def values_of(then: Any, today: LivyProfile) -> list[Value]:
    """Every value that decides what is launched, and where."""
    names = ("description", "gateway", *LivyProfile.LAUNCH_FIELDS)
    return [
        Value(
            name=show.column_name(LivyProfile, name),
            then=show.column(then, name),
            today=show.column(today, name),
        )
        for name in names
    ]
