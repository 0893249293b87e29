"""A list of millions: what a page costs does not grow with them where that can be helped.

Django's own list counts everything, reads the page with all its joins through the rows before it, and goes through the
whole table for the years of its date hierarchy. Here a page is found by its numbers alone, a search looks once, what
never goes away is counted once, and the calendar is a calendar.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, TypeVar

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.cache import cache
from django.core.paginator import InvalidPage, Page, Paginator
from django.db.models import Count, Max, Min, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.views import ChangeList

from recovery.admin.base import PortalChangeList
from recovery.admin.list_rows import rows_of

T = TypeVar("T")
LONG: Final = 100_000
"""From this number on, the rows of a table are not counted each time."""
FEW: Final = 2_000
"""What a filter or a search leaves is kept by its numbers, up to so many."""
COUNTED_FOR: Final = 600
"""Seconds."""
NEWEST_FIRST: Final = (("-id",), ("-pk",))


class LongPaginator(Paginator):  # type: ignore[type-arg]  # not subscriptable when it runs
    """Finds the numbers of a page's rows first, and reads only these rows. For tables whose rows are never deleted."""

    @cached_property
    def count(self) -> int:
        """Of a search that finds few: by the one look that finds them."""
        if not self._rows.query.has_filters():
            return self._whole.count
        return len(self._first) if len(self._first) <= FEW else self._rows.count()

    def page(self, number: int | str) -> Page[Any]:
        """The page. Raises InvalidPage."""
        number = self.validate_number(number)
        top = min(number * self.per_page, self.count)
        return Page(self._between((number - 1) * self.per_page, top), number, self)

    def everything(self, limit: int) -> QuerySet[Any]:
        """All rows, where there are few of them."""
        return self._between(0, limit)

    def _between(self, bottom: int, top: int) -> QuerySet[Any]:
        return self._rows.filter(pk__in=self._found(bottom, top))

    def _found(self, bottom: int, top: int) -> list[int]:
        """Of the rows in these places."""
        if self._rows.query.has_filters():
            if top <= len(self._first):
                return list(self._first[bottom:top])
        elif self._whole.gapless and self._rows.query.order_by[:1] in NEWEST_FIRST:
            return self._whole.newest(bottom, top)
        return list(self._numbers[bottom:top])

    @cached_property
    def _whole(self) -> Whole:
        return whole(self._rows)

    @property
    def _rows(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]  # a list's is always one
        return rows

    @property
    def _numbers(self) -> QuerySet[Any, Any]:
        return self._rows.select_related(None).values_list("pk", flat=True)

    @cached_property
    def _first(self) -> Sequence[int]:
        """The numbers of the first rows, one more than a few."""
        return list(self._numbers[: FEW + 1])


@dataclass(frozen=True, kw_only=True, slots=True)
class Whole:
    """The numbers of an unfiltered table: `known` of them from `first` to `until`, and the newer ones, last first."""

    first: int
    until: int
    known: int
    newer: Sequence[int] = ()

    @property
    def count(self) -> int:
        """Of all rows."""
        return self.known + len(self.newer)

    @property
    def gapless(self) -> bool:
        """Nothing is missing between the first and the last known number: a page is found without a walk."""
        return self.known == self.until - self.first + 1

    def newest(self, bottom: int, top: int) -> list[int]:
        """The numbers in these places from the top of a gapless table."""
        old = range(self.until, self.first - 1, -1)
        below = len(self.newer)
        return [*self.newer[bottom:top], *old[max(0, bottom - below) : max(0, top - below)]]


def whole(rows: QuerySet[Any]) -> Whole:
    """Of the table of `rows`. What is up to some number stays for ever and is counted every few minutes, what came
    since is looked for each time: a row that was stored late is missing until then."""
    base = rows.order_by().select_related(None)
    name = _counted(rows.model)
    known: Whole | None = cache.get(name)
    if known is not None:
        newer = list(base.filter(pk__gt=known.until).order_by("-pk").values_list("pk", flat=True)[: FEW + 1])
        if len(newer) <= FEW:
            return replace(known, newer=newer)
    found = base.aggregate(first=Min("pk"), last=Max("pk"), total=Count("pk"))
    total: int = found["total"]
    fresh = Whole(first=found["first"] or 1, until=found["last"] or 0, known=total)
    if total >= LONG:
        cache.set(name, fresh, COUNTED_FOR)
    return fresh


def _counted(model: type[Model]) -> str:
    return f"counted:{model._meta.label_lower}"


def remembered(name: str, model: type[Model], find: Callable[[], T]) -> T:
    """What is dear to find in a long table, found every few minutes; in a short one each time."""
    key = f"remembered:{model._meta.label_lower}:{name}"
    known: T | None = cache.get(key)
    if known is not None:
        return known
    found = find()
    if cache.get(_counted(model)) is not None:
        cache.set(key, found, COUNTED_FOR)
    return found


class LongChangeList(PortalChangeList):
    """Its pages come from the LongPaginator, those of a short list too."""

    def get_results(self, request: HttpRequest) -> None:
        """As Django's; the rows of a list of one page are not looked for a second time."""
        super().get_results(request)
        if self.show_all or not self.multi_page:
            try:
                self.result_list = self.paginator.everything(self.result_count)
            except InvalidPage as error:
                raise IncorrectLookupParameters from error


def calendar_of(shown: ChangeList) -> Mapping[str, Any] | None:
    """Years, months or days to choose from, between the first row and today, for Django's template of a date hierarchy.

    Days on which nothing was filed are among them; None when there is no row.
    """
    name = shown.date_hierarchy
    first = shown.model._default_manager.order_by(name).values_list(name, flat=True).first()
    if first is None:
        return None
    begin, end = timezone.localdate(first), timezone.localdate()
    year, month, day = (_number(shown.params.get(f"{name}__{part}")) for part in ("year", "month", "day"))

    def link(**chosen: int) -> str:
        filters = {f"{name}__{part}": value for part, value in chosen.items()}
        return str(shown.get_query_string(filters, [f"{name}__"]))

    if not year:
        month = day = 0  # Django takes them for filters of their own
        year = begin.year if begin.year == end.year else 0
    if year and month and day:
        back = {"link": link(year=year, month=month), "title": _month(year, month)}
        return {"show": True, "back": back, "choices": [{"title": _day(date(year, month, day))}]}
    if year and month:
        days = [date(year, month, n) for n in range(1, calendar.monthrange(year, month)[1] + 1)]
        choices = [
            {"link": link(year=year, month=month, day=one.day), "title": _day(one)}
            for one in days if begin <= one <= end
        ]  # fmt: skip
        return {"show": True, "back": {"link": link(year=year), "title": str(year)}, "choices": choices}
    if year:
        months = [n for n in range(1, 13) if (begin.year, begin.month) <= (year, n) <= (end.year, end.month)]
        choices = [{"link": link(year=year, month=n), "title": _month(year, n)} for n in months]
        return {"show": True, "back": {"link": link(), "title": _("All dates")}, "choices": choices}
    years = [{"link": link(year=n), "title": str(n)} for n in range(begin.year, end.year + 1)]
    return {"show": True, "back": None, "choices": years}


def _number(given: object) -> int:
    return int(str(given)) if str(given or "").isdecimal() else 0


def _month(year: int, month: int) -> str:
    return str(capfirst(date_format(date(year, month, 1), "YEAR_MONTH_FORMAT")))


def _day(day: date) -> str:
    return str(capfirst(date_format(day, "MONTH_DAY_FORMAT")))


class LongList:
    """Put before an admin whose table may be long, has a date hierarchy, and loses no row."""

    paginator = LongPaginator
    change_list_template = "recovery/admin/long_list.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LongChangeList]:
        """One for millions of rows."""
        return LongChangeList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """With a calendar, and rows that are made once."""
        response: HttpResponse = super().changelist_view(request, extra_context)  # type: ignore[misc]  # the admin's
        context = getattr(response, "context_data", None)
        if context and "cl" in context:  # else a redirect, or the page of an action
            context["calendar"] = calendar_of(context["cl"])
            context["listed"] = rows_of(context["cl"])
        return response
