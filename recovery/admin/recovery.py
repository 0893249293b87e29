"""The list of recoveries and the way to each one's page. Nothing here is edited or deleted."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display

from recovery.admin import show
from recovery.admin.base import ReadOnlyAdmin
from recovery.admin.deciding import DecidingViews
from recovery.admin.empty import Nothing, no_recovery
from recovery.admin.export import FORMATS, export
from recovery.admin.filters import DayRangeFilter, PhaseFilter, RequesterFilter, StateFilter
from recovery.admin.guide import guide_page
from recovery.admin.home import live_part as live_home
from recovery.admin.long_list import LongList
from recovery.admin.notices import notices_page
from recovery.admin.recovery_bulk import cancel_many, resubmit_many
from recovery.admin.recovery_live import live_part
from recovery.admin.recovery_log import log_download, log_page
from recovery.admin.recovery_page import outcome_part, recovery_page
from recovery.admin.recovery_views import RecoveryViews
from recovery.models import Recovery

SHOWN_IN_LIST = (
    "id", "batch_name", "state", "jar_path", "raw_jar_args", "profile_name", "gateway__name", "requester_label",
    "reason", "created_at", "submitted_at", "started_at", "finished_at", "livy_id", "app_id", "cancel_requested_at",
    "settled_as",
)  # fmt: skip


@admin.register(Recovery)
class RecoveryAdmin(LongList, RecoveryViews, DecidingViews, ReadOnlyAdmin):
    """History: looked at here, never changed. What moves a recovery is a service behind a button."""

    list_display = ("number", "state_shown", "what", "profile_shown", "requested_by", "filed", "ended",
                    "duration_shown", "batch")  # fmt: skip
    list_display_links = ("number",)
    list_filter = (
        ("state", StateFilter),
        PhaseFilter,
        ("profile", RelatedDropdownFilter),
        ("gateway", RelatedDropdownFilter),
        RequesterFilter,
        ("outcome", ChoicesDropdownFilter),
        ("created_at", DayRangeFilter),
    )
    search_fields = ("batch_name", "jar_path", "raw_jar_args", "app_id", "reason", "requester_label", "profile_name",
                     "gateway__name")  # fmt: skip
    search_help_text = _("Number, jar, arguments, reason, requester, profile, gateway, batch or application")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    list_fullwidth = True
    list_before_template = "recovery/admin/_list_tools.html"
    actions = ("resubmit_selected", "cancel_selected")

    def get_urls(self) -> list[URLPattern]:
        """The pages of recovery_views.py and deciding.py before Django's own."""
        view = self.admin_site.admin_view
        pages = [
            path("file/", view(self.file_view), name="recovery_recovery_file"),
            path("file/preview/", view(self.file_preview_view), name="recovery_recovery_file_preview"),
            path("export/<str:form>/", view(self.export_view), name="recovery_recovery_export"),
            path("help/", view(self.help_view), name="recovery_recovery_help"),
            path("notices/", view(self.notices_view), name="recovery_recovery_notices"),
            path("home/live/", view(live_home), name="recovery_recovery_home"),
        ]
        pages += [
            path(f"<int:pk>/{name}/", view(getattr(self, f"{name}_view")), name=f"recovery_recovery_{name}")
            for name in ("resubmit", "edit", "cancel", "settle", "acknowledge", "live", "outcome", "log")
        ]
        pages.append(path("<int:pk>/log.txt", view(self.log_txt_view), name="recovery_recovery_log_txt"))
        return [*pages, *super().get_urls()]

    # ── permissions ─────────────────────────────────────────────────────────────────────────────────────────────

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The add button leads to the filing form."""
        return request.user.has_perm("recovery.file_recovery")

    def has_resubmit_permission(self, request: HttpRequest) -> bool:
        """For the bulk action."""
        return request.user.has_perm("recovery.resubmit_recovery")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """For the bulk action; which ones is decided one by one."""
        return any(request.user.has_perm(f"recovery.cancel_{whose}_recovery") for whose in ("own", "any"))

    # ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Filing has its own form."""
        return self.to_filing(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The recovery's page."""
        return recovery_page(self, request, object_id)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Its events, on its page."""
        self._look(request)
        return redirect(f"{reverse('admin:recovery_recovery_change', args=[object_id])}#rp-events")

    def live_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What moves on it; checks the permission with its own query."""
        return live_part(self, request, pk)

    def outcome_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Why it ended so, and the buttons."""
        self._look(request)
        return outcome_part(self, request, pk)

    def log_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Its log, searched."""
        self._look(request)
        return log_page(self, request, pk)

    def log_txt_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Its log, whole."""
        self._look(request)
        return log_download(request, pk)

    def _look(self, request: HttpRequest) -> None:
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied

    def nothing(self, request: HttpRequest, *, filtered: bool) -> Nothing:
        """What an empty list says."""
        return no_recovery(request)

    # ── list ────────────────────────────────────────────────────────────────────────────────────────────────────

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recovery]:
        """Newest first, with what the list shows: no payload."""
        return Recovery.objects.order_by("-id").select_related("gateway").only(*SHOWN_IN_LIST)

    def help_view(self, request: HttpRequest) -> HttpResponse:
        """The steward's guide."""
        return guide_page(self, request)

    def notices_view(self, request: HttpRequest) -> HttpResponse:
        """What to be told of by e-mail."""
        return notices_page(self, request)

    def export_view(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """All that the list with this query string shows, as a file."""
        self._look(request)
        if form not in FORMATS:
            raise Http404
        try:
            shown = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return redirect("admin:recovery_recovery_changelist")
        return export(request, shown.queryset, form)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Recovery], search_term: str
    ) -> tuple[QuerySet[Recovery], bool]:
        """A number that is a recovery's or a batch's finds these; everything else is looked for in the texts."""
        number = search_term.strip().removeprefix("#")
        if number.isdecimal() and len(number) < 19:
            exact = queryset.filter(Q(pk=int(number)) | Q(livy_id=int(number)))
            if exact.exists():
                return exact, False
        return super().get_search_results(request, queryset, search_term)  # type: ignore[no-any-return]

    @display(description=_("No."), ordering="id")
    def number(self, obj: Recovery) -> str:
        """The link to the page."""
        return f"{obj.pk}"

    @display(description=_("state"), ordering="state")
    def state_shown(self, obj: Recovery) -> str:
        """Colour, icon and text."""
        return show.state_badge(obj)

    @display(description=_("jar and arguments"), ordering="jar_path")
    def what(self, obj: Recovery) -> str:
        """Short; whole in the tool tip."""
        return show.command(obj.jar_path, obj.raw_jar_args)

    @display(description=_("profile and gateway"), ordering="profile_name")
    def profile_shown(self, obj: Recovery) -> str:
        """The profile's name at that time."""
        return show.two_lines(obj.profile_name, obj.gateway.name)

    @display(description=_("requested by, reason"), ordering="requester_label")
    def requested_by(self, obj: Recovery) -> str:
        """The name at that time, and why."""
        return show.two_lines(obj.requester_label, obj.reason)

    @display(description=_("filed"), ordering="created_at")
    def filed(self, obj: Recovery) -> str:
        """When."""
        return show.ago(obj.created_at)

    @display(description=_("ended"), ordering="finished_at")
    def ended(self, obj: Recovery) -> str:
        """When."""
        return show.ago(obj.finished_at)

    @display(description=_("duration"))
    def duration_shown(self, obj: Recovery) -> str:
        """Of the run."""
        return format_html('<span class="rp-minute">{}</span>', show.duration(obj, timezone.now()))

    @display(description=_("batch and application"))
    def batch(self, obj: Recovery) -> str:
        """Livy's number and YARN's."""
        number = show.NOTHING if obj.livy_id is None else obj.livy_id
        return format_html('<span class="rp-command">{} <code>{}</code></span>', number, obj.app_id)

    # ── many at once ────────────────────────────────────────────────────────────────────────────────────────────

    @action(description=_("Resubmit as they were"), permissions=["resubmit"])
    def resubmit_selected(self, request: HttpRequest, queryset: QuerySet[Recovery]) -> HttpResponse | None:
        """First what will happen, then how many."""
        return resubmit_many(self, request, queryset)

    @action(description=_("Cancel"), permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Recovery]) -> HttpResponse | None:
        """First what will happen, then how many."""
        return cancel_many(self, request, queryset)
