"""The rows of a list that is only looked at, as the theme's template takes them.

The theme makes all headers, and a form's widget among them, once more for each row: a third of the time of a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.db.models import Model
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from unfold.templatetags.unfold_list import (
    CHECKBOX_CLASSES,
    LINK_CLASSES,
    ROW_CLASSES,
    UnfoldResultList,
    result_headers,
)
from unfold.utils import display_for_value
from unfold.views import ChangeList

BOX: Final = "action_checkbox"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """What is the same in each row."""

    value: Callable[[Any], Any]
    linked: bool
    opening: SafeString
    closing: SafeString


def rows_of(shown: ChangeList) -> Mapping[str, Any]:
    """What the theme's `change_list_results.html` shows. Every column is a method of the admin; the first linked one is
    the row's head."""
    headers = list(result_headers(shown))
    columns = [_column(shown, *each) for each in zip(shown.list_display, headers, strict=True)]
    empty = shown.model_admin.get_empty_value_display()
    return {
        "result_headers": headers,
        "num_sorted_fields": sum(header["sortable"] and header["sorted"] for header in headers),
        "results": [UnfoldResultList(row, None, _cells(shown, columns, row, empty)) for row in shown.result_list],
    }


def _column(shown: ChangeList, name: str, header: Mapping[str, Any]) -> Column:
    links = tuple(shown.list_display_links or ())
    tag = "th" if name in links[:1] else "td"
    classes = CHECKBOX_CLASSES if name == BOX else [f"field-{name}", *ROW_CLASSES]
    label = gettext("Select record") if name == BOX else header["text"]
    return Column(
        value=getattr(shown.model_admin, name),
        linked=name in links,
        opening=format_html('<{} class="{}" data-label="{}">', tag, " ".join(classes), label),
        closing=format_html("</{}>", tag),
    )


def _cells(shown: ChangeList, columns: list[Column], row: Model, empty: str) -> Iterator[SafeString]:
    for column in columns:
        value = conditional_escape(display_for_value(column.value(row), empty, False))
        if column.linked:
            kept = {"preserved_filters": shown.preserved_filters, "opts": shown.opts}
            url = add_preserved_filters(kept, shown.url_for_result(row))
            value = format_html('<a href="{}" class="{}" >{}</a>', url, " ".join(LINK_CLASSES), value)
        yield mark_safe(f"{column.opening}{value}{column.closing}")  # noqa: S308  # of escaped parts
