"""Rows as they were: what simple-history keeps of profiles, gateways and signatures, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.utils.translation import gettext as _

from recovery import wording
from recovery.admin import show
from recovery.models import LivyProfile
from recovery.services.editing import Row
from recovery.services.profiles import GROUPS

GROUPS_NOT_KEPT = "groups not kept"
"""Migration 0009's mark on the lines that are older than the history of groups."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """One column of a row: then and today."""

    name: str
    then: str
    today: str

    @property
    def changed(self) -> bool:
        """It is another one today."""
        return self.then != self.today


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What one person made of one value: of a list the items, of a configuration the key."""

    name: str
    before: str
    after: str


def lines_of(row: Row) -> Any:
    """The history of a row, newest first."""
    history = type(row).history.filter(id=row.pk).select_related("history_user")
    return history.select_related("gateway") if isinstance(row, LivyProfile) else history


def with_groups(lines: Iterable[Any]) -> list[Any]:
    """The lines; those of a profile know the names of the groups that might use it, None where that was not kept."""
    found = list(lines)
    kept = apps.get_model("recovery", "HistoricalLivyProfile_allowed_groups")
    mine = [line.pk for line in found if line.instance_type is LivyProfile]
    pairs = list(kept._default_manager.filter(history_id__in=mine).values_list("history_id", "group_id"))
    names = {pk: group.name for pk, group in Group.objects.in_bulk({group for _line, group in pairs}).items()}
    for line in found:
        groups = [names.get(group, _("no. %(id)s") % {"id": group}) for of, group in pairs if of == line.pk]
        line.groups = None if line.history_change_reason == GROUPS_NOT_KEPT else sorted(groups)
    return found


def _raw(row: Any, name: str) -> Any:
    if name == GROUPS:
        return sorted(group.name for group in row.allowed_groups.all()) if isinstance(row, LivyProfile) else row.groups
    choice = getattr(row, f"get_{name}_display", None)
    return choice() if choice else getattr(row, name)


def _text(name: str, raw: Any) -> str:
    if name == GROUPS:
        return _("not kept then") if raw is None else ", ".join(map(wording.group_name, raw)) or _("everybody")
    return show.value(raw)


def columns(row: Any, names: Iterable[str]) -> list[tuple[str, str]]:
    """The names and the values of some columns of a row, as texts."""
    model = getattr(row, "instance_type", type(row))
    return [(show.column_name(model, name), _text(name, _raw(row, name))) for name in names]


def values(then: Any, today: Row, names: Iterable[str]) -> list[Value]:
    """The columns of a row then, beside what they are today."""
    asked = list(names)
    both = zip(columns(then, asked), columns(today, asked), strict=True)
    return [Value(name=name, then=old, today=new) for (name, old), (_same, new) in both]


def changes(before: Any, after: Any) -> list[Change]:
    """What differs between two lines of one history."""
    found: list[Change] = []
    for name in after.instance_type.EDITED_FIELDS:
        old, new = _raw(before, name), _raw(after, name)
        unknown = name == GROUPS and None in (old, new)
        if old != new and not unknown:
            found += _change(name, show.column_name(after.instance_type, name), old, new)
    return found


def _change(name: str, label: str, old: Any, new: Any) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) != new.get(key):
                yield Change(name=f"{label} · {key}", before=_item(old, key), after=_item(new, key))
        return
    if name != GROUPS and isinstance(old, list) and isinstance(new, list):
        gone, added = [item for item in old if item not in new], [item for item in new if item not in old]
        if gone or added:
            yield Change(name=label, before=_signed("−", gone), after=_signed("+", added))
            return
    yield Change(name=label, before=_text(name, old), after=_text(name, new))


def _item(pairs: dict[str, Any], key: str) -> str:
    """A key's value; an empty one is none the less one."""
    return _("empty") if pairs.get(key) == "" else show.value(pairs.get(key))


def _signed(sign: str, items: list[Any]) -> str:
    return "\n".join(f"{sign} {item}" for item in items) or show.NOTHING
