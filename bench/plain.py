"""The list of recoveries as Django's admin makes it by itself, in the same theme: columns, filters, search, calendar.

A ROOT_URLCONF for `bench/inside_pages.py` alone: the portal's addresses and, below /plain/, this one beside it.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import path
from unfold.admin import ModelAdmin
from unfold.sites import UnfoldAdminSite

from recovery.admin.recovery import RecoveryAdmin
from recovery.models import Recovery
from recovery_portal.urls import urlpatterns as portal

site = UnfoldAdminSite(name="plain")


class PlainAdmin(ModelAdmin):  # type: ignore[misc]  # the theme has no types
    """The same columns and the same rights, and nothing done for millions of rows."""

    list_display = ("id", "state", "jar_path", "raw_jar_args", "profile", "requester", "created_at", "started_at",
                    "finished_at", "livy_id", "app_id")  # fmt: skip
    list_filter = ("state", "profile", "gateway", "requester", "outcome", "created_at")
    search_fields = RecoveryAdmin.search_fields
    date_hierarchy = RecoveryAdmin.date_hierarchy
    list_per_page = RecoveryAdmin.list_per_page

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Looked at only, as ours."""
        return False


site.register(Recovery, PlainAdmin)
urlpatterns = [path("plain/", site.urls), *portal]
