"""All history in one list, for auditors."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from recovery import wording
from recovery.admin import show, story
from recovery.admin.base import ReadOnlyAdmin
from recovery.admin.filters import DayRangeFilter
from recovery.admin.long_list import LongList
from recovery.models import RecoveryEvent, SubjectType

SUBJECTS = {
    SubjectType.RECOVERY: (_("recovery"), "recovery"),
    SubjectType.GATEWAY: (_("gateway"), "gateway"),
    SubjectType.PROFILE: (_("Livy profile"), "livyprofile"),
    SubjectType.TOKEN: (_("API token"), "apitoken"),
    SubjectType.INSTANCE: (_("portal"), ""),
}


class SubjectFilter(DropdownFilter):
    """What the event is about."""

    title = _("subject")
    parameter_name = "subject"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The kinds of subject."""
        return [(kind.value, text) for kind, (text, _model) in SUBJECTS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RecoveryEvent]) -> QuerySet[RecoveryEvent]:
        """Filtered."""
        return queryset.filter(subject_type=self.value()) if self.value() else queryset


class KindFilter(DropdownFilter):
    """What happened."""

    title = _("event")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Every kind that has words, by its words."""
        return sorted(wording.EVENTS.items(), key=lambda item: str(item[1]))

    def queryset(self, request: HttpRequest, queryset: QuerySet[RecoveryEvent]) -> QuerySet[RecoveryEvent]:
        """Filtered."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(RecoveryEvent)
class RecoveryEventAdmin(LongList, ReadOnlyAdmin):
    """Append-only: looked at here."""

    list_display = ("at_shown", "subject", "text", "cause_shown", "actor_shown", "facts_shown")
    list_display_links = None
    when_empty = _("What people and the portal do is kept here, from the first time on.")
    list_filter = (SubjectFilter, KindFilter, ("at", DayRangeFilter))
    search_fields = ("actor_label", "cause", "data")
    search_help_text = _("Who, cause, or a word of the facts; a number finds the events of that recovery")
    date_hierarchy = "at"
    ordering = ("-id",)
    fields = ("at_exact", "subject", "seq", "text", "cause_shown", "actor_label", "data")
    readonly_fields = ("at_exact", "subject", "text", "cause_shown")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[RecoveryEvent], search_term: str
    ) -> tuple[QuerySet[RecoveryEvent], bool]:
        """A number is a recovery's."""
        number = search_term.strip().removeprefix("#")
        if number.isdecimal() and len(number) < 19:
            return queryset.filter(subject_type=SubjectType.RECOVERY, subject_id=int(number)), False
        return super().get_search_results(request, queryset, search_term)  # type: ignore[no-any-return]

    @display(description=_("at"), ordering="id")
    def at_shown(self, obj: RecoveryEvent) -> str:
        """How long ago, for the list."""
        return show.ago(obj.at)

    @display(description=_("at"))
    def at_exact(self, obj: RecoveryEvent) -> str:
        """When, to the second."""
        return show.moment(obj.at)

    @display(description=_("subject"))
    def subject(self, obj: RecoveryEvent) -> SafeString | str:
        """With a link to its page."""
        text, model = SUBJECTS[SubjectType(obj.subject_type)]
        if not model:
            return str(text)
        url = reverse(f"admin:recovery_{model}_change", args=[obj.subject_id])
        return format_html('<a class="rp-link" href="{}">{} {}</a>', url, text, obj.subject_id)

    @display(description=_("event"))
    def text(self, obj: RecoveryEvent) -> str:
        """In words."""
        return story.line(obj).text

    @display(description=_("cause"))
    def cause_shown(self, obj: RecoveryEvent) -> str:
        """In words."""
        return story.line(obj).cause or show.NOTHING

    @display(description=_("by"), ordering="actor_label")
    def actor_shown(self, obj: RecoveryEvent) -> str:
        """The name at that time."""
        return obj.actor_label or show.NOTHING

    @display(description=_("facts"))
    def facts_shown(self, obj: RecoveryEvent) -> str:
        """Short."""
        return show.shortened(" · ".join(story.line(obj).facts), 120) or show.NOTHING
