"""What the tables share."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from django.db import models

M = TypeVar("M", bound=models.Model)


class HistoryIsAppendOnly(TypeError):
    """Somebody tried to change or delete history (invariant 5)."""


def one_of(field: str, kind: type[StrEnum], *, name: str, blank: bool = False) -> models.CheckConstraint:
    """A constraint in the database that a column holds a word of `kind` (or nothing, where `blank`)."""
    values = sorted({member.value for member in kind if member.value} | ({""} if blank else set()))
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": values}), name=name)


class AppendOnlyQuerySet(models.QuerySet[M]):
    """Refuses to change or delete rows."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Never."""
        raise HistoryIsAppendOnly("history is not updated")

    def delete(self) -> NoReturn:
        """Never."""
        raise HistoryIsAppendOnly("history is not deleted")


class NeverDeletedQuerySet(models.QuerySet[M]):
    """Refuses to delete rows."""

    def delete(self) -> NoReturn:
        """Never."""
        raise HistoryIsAppendOnly("history is not deleted")
