"""Forms of rows that several people edit: what somebody else has saved meanwhile is not undone."""

from __future__ import annotations

from typing import Any

from django import forms

from recovery import wording
from recovery.domain.errors import Problem
from recovery.services.editing import is_as_seen, mark_of


class SeenForm(forms.ModelForm):  # type: ignore[type-arg]
    """Remembers which state of the row it shows. Django's admin validates and saves in one transaction, so the row
    stays locked in between."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.fields["seen"].initial = mark_of(self.instance)

    def clean(self) -> dict[str, Any]:
        """Nothing is saved over what was not seen."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance.pk is not None and not is_as_seen(self.instance, data.get("seen", "")):
            self.add_error(None, wording.sentence(Problem(field="", code="changed_meanwhile")))
        return data
