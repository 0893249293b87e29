"""Pages by key: the cursor says after which row to go on, so rows that come in meanwhile shift nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import F, Model, Q, QuerySet, Subquery
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recovery.domain.errors import InvalidInput, Problem

PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 200
PARAMETERS: Final = frozenset({"cursor", "ordering", "pageSize"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """A name of `ordering`: its column, to which the id is added as the tie-breaker."""

    column: str
    nullable: bool = False
    """A time that is empty for some rows; these come last, in either direction."""
    fixed: bool = False
    """Never changes, so it is compared with the row's own stored value. (A time written by SQLite's own clock has
    three decimals where a parameter has six, and SQLite compares texts.)"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """A place in a list: just after, or just before, the row `pk` with `value`."""

    ordering: str
    forward: bool
    pk: int
    value: str | None = None

    def text(self) -> str:
        """For the address."""
        raw = json.dumps([self.ordering, self.forward, self.pk, self.value], separators=(",", ":"))
        return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Raises ValueError for anything that `text()` did not make."""
        try:
            ordering, forward, pk, value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (TypeError, RecursionError) as error:
            raise ValueError("no cursor") from error
        shapes = isinstance(ordering, str) and isinstance(forward, bool) and isinstance(value, (str, type(None)))
        if not shapes or type(pk) is not int or not 0 <= pk < 2**63:
            raise ValueError("no cursor")
        return cls(ordering=ordering, forward=forward, pk=pk, value=value)


class KeysetPagination(BasePagination):
    """A view names its `orders` and its `default_ordering`."""

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """The page's rows."""
        orders: Mapping[str, Order] = view.orders  # type: ignore[union-attr]  # set by every list of this API
        self.request = request
        self.size = _page_size(request)
        self.ordering = _ordering(request, orders, view.default_ordering)  # type: ignore[union-attr]  # the same
        self.order, self.descending = orders[self.ordering.lstrip("-")], self.ordering.startswith("-")
        cursor = self._cursor()
        forward = cursor is None or cursor.forward
        if cursor is not None:
            queryset = queryset.filter(self._beyond(cursor, queryset))
        found = list(queryset.order_by(*self._order_by(forward))[: self.size + 1])
        more, rows = len(found) > self.size, found[: self.size]
        if not forward:
            rows.reverse()
        self.next = self._link(rows, forward=True) if (more if forward else cursor is not None) else None
        self.previous = self._link(rows, forward=False) if (cursor is not None if forward else more) else None
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        """{next, previous, results}."""
        return Response({"next": self.next, "previous": self.previous, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """For OpenAPI."""
        link = {"type": "string", "nullable": True, "format": "uri-reference"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """For OpenAPI."""
        names = [sign + name for name in view.orders for sign in ("", "-")]
        found: list[dict[str, Any]] = [
            {"name": "cursor", "description": "From `next` or `previous`.", "schema": {"type": "string"}},
            {
                "name": "pageSize",
                "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE},
            },
        ]
        if len(view.orders) > 1:
            schema = {"type": "string", "enum": names, "default": view.default_ordering}
            found.append({"name": "ordering", "description": "`-`: descending.", "schema": schema})
        return [{"in": "query", "required": False, **parameter} for parameter in found]

    def _cursor(self) -> Cursor | None:
        text = self.request.query_params.get("cursor")
        if text is None:
            return None
        try:
            cursor = Cursor.parse(text)
            if cursor.ordering != self.ordering:
                raise ValueError("another ordering")
            self._value(cursor)
        except ValueError as error:
            raise InvalidInput([Problem(field="cursor", code="cursor")]) from error
        return cursor

    def _value(self, cursor: Cursor) -> str | datetime | None:
        if self.order.fixed or self.order.column == "id":
            return None
        if not self.order.nullable:
            if cursor.value is None or "\0" in cursor.value:
                raise ValueError("no text")
            return cursor.value
        if cursor.value is None:
            return None
        moment = parse_datetime(cursor.value)
        if moment is None or moment.tzinfo is None:
            raise ValueError("no time")
        return moment

    def _beyond(self, cursor: Cursor, queryset: QuerySet[Any]) -> Q:
        """The rows after the cursor, in the direction it goes."""
        smaller = self.descending == cursor.forward
        comparison = "lt" if smaller else "gt"
        tie = Q(**{f"pk__{comparison}": cursor.pk})
        column = self.order.column
        if column == "id":
            return tie
        value: Any = self._value(cursor)
        if self.order.fixed:
            value = Subquery(queryset.model._default_manager.filter(pk=cursor.pk).values(column)[:1])
        elif value is None:
            empty = Q(**{f"{column}__isnull": True})
            return empty & tie if cursor.forward else (empty & tie) | ~empty
        found = Q(**{f"{column}__{comparison}": value}) | (Q(**{column: value}) & tie)
        if self.order.nullable and cursor.forward:
            found |= Q(**{f"{column}__isnull": True})
        return found

    def _order_by(self, forward: bool) -> list[Any]:
        descending = self.descending == forward
        tie = "-pk" if descending else "pk"
        if self.order.column == "id":
            return [tie]
        column = F(self.order.column)
        nulls: dict[str, Any] = {"nulls_last" if forward else "nulls_first": True} if self.order.nullable else {}
        return [column.desc(**nulls) if descending else column.asc(**nulls), tie]

    def _link(self, rows: Sequence[Model], *, forward: bool) -> str | None:
        if not rows:
            return None
        row = rows[-1] if forward else rows[0]
        value = None if self.order.fixed or self.order.column == "id" else getattr(row, self.order.column)
        text = value.isoformat() if isinstance(value, datetime) else value
        cursor = Cursor(ordering=self.ordering, forward=forward, pk=row.pk, value=text)
        pairs = [(k, v) for k, values in self.request.query_params.lists() if k != "cursor" for v in values]
        return f"{self.request.path}?{urlencode([*pairs, ('cursor', cursor.text())])}"


def _page_size(request: Request) -> int:
    text = request.query_params.get("pageSize")
    if text is None:
        return PAGE_SIZE
    if text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MAX_PAGE_SIZE:
        return int(text)
    expected = _("a whole number from 1 to %(most)s") % {"most": MAX_PAGE_SIZE}
    raise InvalidInput([Problem(field="pageSize", code="wrong_type", params={"expected": expected})])


def _ordering(request: Request, orders: Mapping[str, Order], default: str) -> str:
    text = request.query_params.get("ordering")
    if text is None:
        return default
    if text.removeprefix("-") in orders:
        return text
    expected = ", ".join([*orders, *(f"-{name}" for name in orders)])
    raise InvalidInput([Problem(field="ordering", code="wrong_type", params={"expected": expected})])
