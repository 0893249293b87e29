"""Form fields for lists and mappings: one item a line."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminExpandableTextareaWidget


class LinesField(forms.CharField):
    """A list of texts, one a line; blank lines are left out."""

    widget = UnfoldAdminExpandableTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        """The list as lines."""
        return "\n".join(str(item) for item in value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> Any:
        """The lines as a list."""
        return [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """By the list, not by its spelling."""
        lines = [line.strip() for line in str(data or "").splitlines() if line.strip()]
        return list(initial or []) != lines


class PairsField(forms.CharField):
    """A mapping of texts: `key=value` a line, or one JSON object."""

    widget = UnfoldAdminExpandableTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        """The mapping as lines."""
        return "\n".join(f"{key}={item}" for key, item in value.items()) if isinstance(value, dict) else value

    def clean(self, value: Any) -> Any:
        """The mapping."""
        text = str(super().clean(value)).strip()
        return _from_json(text) if text.startswith("{") else _from_lines(text)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """By the mapping, not by its spelling."""
        try:
            return bool(self.clean(data) != (initial or {}))
        except forms.ValidationError:
            return True


def _from_json(text: str) -> dict[str, str]:
    try:
        given = json.loads(text)
    except ValueError as error:
        raise forms.ValidationError(_("This is no JSON: %(error)s") % {"error": error}) from error
    pairs = {}
    for key, item in given.items():
        if isinstance(item, dict | list) or item is None:
            raise forms.ValidationError(_("The value of “%(key)s” is not a scalar.") % {"key": key})
        # Spark reads texts; JSON's true is Spark's "true"
        pairs[key] = item if isinstance(item, str) else json.dumps(item)
    return pairs


def _from_lines(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        key, equals, item = line.partition("=")
        key = key.strip()
        if not equals or not key:
            raise forms.ValidationError(_("Line %(number)s is not key=value.") % {"number": number})
        if key in pairs:
            raise forms.ValidationError(_("“%(key)s” is given twice.") % {"key": key})
        pairs[key] = item.strip()
    return pairs
