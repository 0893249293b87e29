"""The history of profiles and gateways: read, never reverted (a change goes through a service)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse


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
