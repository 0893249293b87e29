"""The history of profiles, gateways and signatures: read, never reverted (a change goes through a service)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from recovery import wording
from recovery.admin import show, story, versions
from recovery.models import Gateway, RecoveryEvent, SubjectType
from recovery.services.editing import Row

PER_PAGE = 50
PAUSES = ("paused", "resumed")
TOLD_AS = {"+": "created", "~": "changed"}
"""simple-history's letter → the event of the same meaning."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry of a history. `facts` of an event, `changes` of an edit; `url` of the page with all values then."""

    at: datetime
    what: str
    by: SafeString | str
    changes: list[versions.Change]
    facts: list[str]
    url: str = ""
    version: int | None = None

    @property
    def when(self) -> SafeString | str:
        """To the second: it is looked at by those who check."""
        return show.moment(self.at)


class SeenHistory:
    """A PortalAdmin's pages of the past. Put before it."""

    def get_urls(self) -> list[URLPattern]:
        """A line's page before Django's own."""
        view = self.admin_site.admin_view(self.then_view)  # type: ignore[attr-defined]  # of ModelAdmin
        name = f"recovery_{self.opts.model_name}_then"  # type: ignore[attr-defined]  # the same
        pages = [path("<int:pk>/history/<int:number>/", view, name=name)]
        return [*pages, *super().get_urls()]  # type: ignore[misc]  # the same

    def _looked_at(self, request: HttpRequest, pk: object) -> Row:
        """The row; 403 for those who may not see it, and for anything but looking."""
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        if not str(pk).isdecimal():
            raise Http404
        row: Row = get_object_or_404(self.get_queryset(request), pk=pk)  # type: ignore[attr-defined]
        return row

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Who changed what, newest first."""
        row = self._looked_at(request, object_id)
        shown = Paginator(moments(row), PER_PAGE).get_page(request.GET.get("p"))
        page: HttpResponse = self.page(  # type: ignore[attr-defined]  # of PortalAdmin
            request, "history.html", title=_("History of “%(name)s”") % {"name": row}, original=row, shown=shown,
            entries=entries(request, row, [(kind, pk) for _at, kind, pk in shown]),
        )  # fmt: skip
        return page

    def then_view(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """The row as it was after one change, beside what it is today."""
        row = self._looked_at(request, pk)
        line = versions.lines_of(row).filter(pk=number).first()
        if line is None:
            raise Http404
        (then,) = versions.with_groups([line])
        values = versions.values(then, row, type(row).EDITED_FIELDS)
        page: HttpResponse = self.page(  # type: ignore[attr-defined]  # of PortalAdmin
            request, "then.html", title=_("“%(name)s” as it was then") % {"name": named(then)}, original=row,
            values=values, differs=any(value.changed for value in values), since=show.moment(then.history_date),
            by=by_whom(request, then), then_words=_("then"), today_words=_("today"),
        )  # fmt: skip
        return page


def named(line: Any) -> str:
    """Its name at that time."""
    return str(line.instance)


def moments(row: Row) -> list[tuple[datetime, str, int]]:
    """Every change of a row, and every pause of a gateway, newest first: (when, what it is, its key)."""
    found = [(at, "line", pk) for at, pk in versions.lines_of(row).values_list("history_date", "history_id")]
    if isinstance(row, Gateway):
        pauses = RecoveryEvent.objects.of(SubjectType.GATEWAY, row.pk).filter(kind__in=PAUSES)
        found += [(at, "event", pk) for at, pk in pauses.values_list("at", "pk")]
    return sorted(found, reverse=True)


def entries(request: HttpRequest, row: Row, wanted: list[tuple[str, int]]) -> list[Entry]:
    """Those of one page."""
    keys = list(versions.lines_of(row).values_list("history_id", flat=True))
    before = dict(pairwise(keys))
    asked = {pk for kind, pk in wanted if kind == "line"}
    asked |= {before[pk] for pk in asked if pk in before}
    lines = {line.pk: line for line in versions.with_groups(versions.lines_of(row).filter(pk__in=asked))}
    events = RecoveryEvent.objects.in_bulk([pk for kind, pk in wanted if kind == "event"])
    return [
        _pause(request, events[pk]) if kind == "event" else _edit(request, lines[pk], lines.get(before.get(pk, -1)))
        for kind, pk in wanted
    ]


def _edit(request: HttpRequest, line: Any, before: Any) -> Entry:
    version = getattr(line, "version", None)
    return Entry(
        at=line.history_date,
        what=str(wording.event_text(TOLD_AS.get(line.history_type, line.history_type))),
        by=by_whom(request, line),
        changes=versions.changes(before, line) if before is not None else [],
        facts=[_("What it was before was not kept.")] if before is None and line.history_type != "+" else [],
        url=reverse(f"admin:recovery_{line.instance_type._meta.model_name}_then", args=[line.id, line.pk]),
        version=version if version != getattr(before, "version", None) else None,
    )


def _pause(request: HttpRequest, event: RecoveryEvent) -> Entry:
    told = story.line(event)
    by = _person(request, event.actor_id, event.actor_label)
    return Entry(at=event.at, what=told.text, by=by, changes=[], facts=told.facts)


def by_whom(request: HttpRequest, line: Any) -> SafeString | str:
    """The person; or else what keeps the row: `.env`, or the portal itself."""
    user: User | None = line.history_user
    if user is not None:
        return _person(request, user.pk, user.get_username())
    return ".env" if getattr(line, "managed_by_env", False) else _("the portal")


def _person(request: HttpRequest, pk: int | None, name: str) -> SafeString | str:
    """Linked for those who may see users."""
    if pk is None or not request.user.has_perm("auth.view_user"):
        return name
    return format_html('<a class="rp-link" href="{}">{}</a>', reverse("admin:auth_user_change", args=[pk]), name)
