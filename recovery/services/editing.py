"""Edited rows that keep a history: what differs, and whether somebody else was there meanwhile."""

from __future__ import annotations

from collections.abc import Iterable

from recovery.models import FailureSignature, Gateway, LivyProfile

Row = FailureSignature | Gateway | LivyProfile


def changed_columns(stored: Row, row: Row, names: Iterable[str]) -> list[str]:
    """Those of the columns that differ."""
    columns = {name: row._meta.get_field(name).attname for name in names}  # type: ignore[union-attr]  # columns all
    return [name for name, column in columns.items() if getattr(stored, column) != getattr(row, column)]


def mark_of(row: Row) -> str:
    """What a form remembers of the row that it shows: the newest line of its history."""
    newest = type(row).history.filter(id=row.pk).order_by("-history_id").values_list("history_id", flat=True).first()
    return str(newest or "")


def is_as_seen(row: Row, mark: str) -> bool:
    """Nobody has changed it since it had this mark. Its row is locked, until the caller's transaction is over."""
    type(row)._default_manager.select_for_update().filter(pk=row.pk).values_list("pk").first()
    return mark_of(row) == mark
