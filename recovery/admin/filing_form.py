"""The form of « Faire un rattrapage »: what everybody fills in, and what only some may set over the profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.forms import BoundField
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
)

from recovery import wording
from recovery.admin.forms import FilingForm
from recovery.admin.lines import PairsField, PairsWidget
from recovery.domain.errors import Problem
from recovery.services.suggestions import jar_paths

MAIN = ("profile", "jarPath", "jarArgs", "reason")
OVERRIDES: Mapping[str, str] = {
    "className": "class_name",
    "driverMemory": "driver_memory",
    "driverCores": "driver_cores",
    "executorMemory": "executor_memory",
    "executorCores": "executor_cores",
    "numExecutors": "num_executors",
    "conf": "conf",
}
"""Field → attribute of the payload."""


def _size(name: str) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget(attrs={"placeholder": "4g", "size": 8})
    return forms.CharField(label=name, required=False, max_length=20, widget=widget)


def _count(name: str) -> forms.IntegerField:
    return forms.IntegerField(label=name, required=False, min_value=1, widget=UnfoldAdminIntegerFieldWidget)


class FilingPageForm(FilingForm):
    """With the values of the profile that may be replaced, for those permitted; left empty, the profile's count."""

    className = forms.CharField(
        label=_("Main class (className)"),
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "com.example.Main", "spellcheck": "false"}),
        help_text=_("Only where the jar's manifest names none, or for another one."),
    )
    driverMemory = _size("driverMemory")
    driverCores = _count("driverCores")
    executorMemory = _size("executorMemory")
    executorCores = _count("executorCores")
    numExecutors = _count("numExecutors")
    conf = PairsField(
        label=_("More Spark configuration (conf)"),
        required=False,
        widget=PairsWidget(attrs={"rows": 2, "placeholder": "spark.sql.shuffle.partitions=400", "spellcheck": "false"}),
        help_text=_("key=value, one a line. Added to the profile's; a key of the profile is replaced."),
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, by=by, **kwargs)
        self.permitted = by.has_perm("recovery.override_profile")
        if not self.permitted:
            for name in OVERRIDES:
                del self.fields[name]
        self.fields["jarPath"].widget.attrs |= {"list": "jar-paths", "autocomplete": "off", "spellcheck": "false"}
        self.fields["jarArgs"].help_text = _("As the jar expects them. How they will arrive there is shown beside.")
        self.may_see = by.has_perm("recovery.view_recovery")

    @cached_property
    def suggested(self) -> list[str]:
        """Jars to choose from; asked for by the page alone, not while somebody types."""
        return jar_paths() if self.may_see else []

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Of a value that is the profile's: on the form, since its field here is empty."""
        for problem in problems:
            if problem.field in OVERRIDES and not self.cleaned_data.get(problem.field):
                self.add_error(None, f"{problem.field}: {wording.sentence(problem)}")
            else:
                super().add_problems([problem])

    def main(self) -> list[BoundField]:
        """Seen at once."""
        return [self[name] for name in MAIN]

    def more(self) -> list[BoundField]:
        """Folded away."""
        return [self[name] for name in OVERRIDES if name in self.fields]

    def more_is_used(self) -> bool:
        """Something is typed there, or wrong there: then it is not folded."""
        return any(field.value() or field.errors for field in self.more())

    def overrides(self) -> dict[str, Any]:
        """The payload's attributes that were typed over the profile's."""
        data = self.cleaned_data
        given = {attribute: data[name] for name, attribute in OVERRIDES.items() if data.get(name)}
        if "conf" in given:
            given["conf"] = {**data["profile"].conf, **given["conf"]}
        return given
