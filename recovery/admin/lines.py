"""Form fields for lists and mappings: one item a line."""

from __future__ import annotations

import json
import re
from typing import Any

from django import forms
from django.forms.widgets import Media, Script
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminExpandableTextareaWidget

from recovery import wording
from recovery.domain.spark_conf import KNOWN


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


class PairsWidget(UnfoldAdminExpandableTextareaWidget):
    """Rows of keys and values where scripts run (`pairs.js`), with Spark's keys suggested; a text field else."""

    @property
    def media(self) -> Media:
        """Its script."""
        media: Media = super().media
        return media + Media(js=[Script("recovery/pairs.js", type="module")])  # type: ignore[list-item]  # new in 5.2

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """The text field, its words for the script, and the known keys."""
        known = f"{name}-known"
        words = {
            "data-pairs": known, "data-add": _("Add a row"), "data-as-text": _("Edit as text"),
            "data-as-json": _("Edit as JSON"), "data-as-rows": _("Edit as rows"),
            "data-remove": _("Remove this row"), "data-key": _("Key"), "data-value": _("Value"),
            "data-unfit": _("This cannot be shown so: correct it here first, or leave it as it is."),
        }  # fmt: skip
        return format_html(
            '{}<datalist id="{}">{}</datalist><details class="rp-known"><summary>{}</summary><dl>{}</dl></details>',
            super().render(name, value, {**(attrs or {}), **words}, renderer),
            known,
            format_html_join(
                "",
                '<option value="{}" data-hint="{}"></option>',
                ((key, wording.hint(key)) for key in sorted(KNOWN)),
            ),
            _("Known settings, and what for"),
            format_html_join(
                "",
                "<div><dt><code>{}={}</code></dt><dd>{}</dd></div>",
                ((one.key, one.example, one.use) for one in wording.SETTINGS),
            ),
        )


class PairsField(forms.CharField):
    """A mapping of texts: `key=value` a line, or one JSON object."""

    widget = PairsWidget

    def prepare_value(self, value: Any) -> Any:
        """The mapping as lines; as JSON when lines cannot hold it (a line break in a value, blanks around one)."""
        if not isinstance(value, dict):
            return value
        lines = "\n".join(f"{key}={item}" for key, item in value.items())
        try:
            whole = self.clean(lines) == value
        except forms.ValidationError:
            whole = not value
        return lines if whole else json.dumps(value, ensure_ascii=False, indent=2)

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
    except json.JSONDecodeError as error:
        told = _("This is no JSON: look at line %(line)s, column %(column)s (%(error)s).")
        where = {"line": error.lineno, "column": error.colno, "error": error.msg}
        raise forms.ValidationError(told % where) from error
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 5,000 opening brackets
        raise forms.ValidationError(_("This JSON cannot be read.")) from error
    pairs = {}
    for key, item in given.items():
        if isinstance(item, dict | list) or item is None:
            raise forms.ValidationError(_("The value of “%(key)s” is not a scalar.") % {"key": key})
        # Spark reads texts; JSON's true is Spark's "true"
        pairs[key] = item if isinstance(item, str) else json.dumps(item)
    return pairs


def _from_lines(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
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
