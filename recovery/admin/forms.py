"""Forms of the filing pages. Fields have the names of the API (`jarPath`), so that a problem finds its field."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from recovery import wording
from recovery.domain.arguments import ArgsMode
from recovery.domain.errors import Problem
from recovery.domain.states import Settlement
from recovery.models import LivyProfile, Recovery
from recovery.services.filing import MAX_REASON
from recovery.services.linking import MAX_WANTED, Link, Shown


def new_key() -> str:
    """A form's token: what makes sending it twice file once (H3)."""
    return uuid.uuid4().hex


def reason_help() -> str:
    """What the portal tells people about the reason, in their language where it has it there."""
    french = (get_language() or "").startswith("fr")
    return (settings.REASON_HELP_FR if french else "") or settings.REASON_HELP


def checked_reason(reason: str) -> str:
    """The reason, which names a ticket where the portal wants one (REASON_PATTERN). Raises ValidationError."""
    if settings.REASON_PATTERN and not re.search(settings.REASON_PATTERN, reason):
        expected = reason_help() or settings.REASON_PATTERN
        problem = Problem(field="reason", code="reason_pattern", params={"expected": expected.rstrip(". ")})
        raise forms.ValidationError(wording.sentence(problem))
    return reason


def free_profile_name(name: str) -> str:
    """The name, which no profile has. Raises ValidationError."""
    if LivyProfile.objects.filter(name__iexact=name).exists():
        raise forms.ValidationError(_("There is a profile of this name already."))
    return name


class ProblemForm(forms.Form):
    """A form that shows the domain's problems on its fields."""

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Each on its field; on the form, with its name, when the form does not have that field."""
        for problem in problems:
            text = wording.sentence(problem)
            if problem.field in self.fields:
                self.add_error(problem.field, text)
            elif problem.field == "state":
                self.add_error(None, text)
            else:
                self.add_error(None, f"{problem.field}: {text}")


class ProfileChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # not subscriptable when it runs
    """Says what a profile is for, and through which gateway."""

    def label_from_instance(self, obj: Any) -> str:
        """Name, purpose, gateway."""
        purpose = obj.description or _("no purpose given")
        return f"{obj.name} – {purpose} ({obj.gateway.name})"


class FilingForm(ProblemForm):
    """« Faire un rattrapage »."""

    profile = ProfileChoice(
        label=capfirst(_("Livy profile")),
        queryset=LivyProfile.objects.none(),
        to_field_name="name",
        empty_label=_("Choose a profile"),
        widget=UnfoldAdminSelectWidget,
        help_text=_("How it is launched: sizes, queue, files and Spark configuration."),
    )
    jarPath = forms.CharField(
        label=_("Path of the jar (jarPath)"),
        max_length=1000,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "hdfs:///user/sddesigner/recovery.jar"}),
        help_text=_("The whole path in the cluster."),
    )
    jarArgs = forms.CharField(
        label=_("Arguments (jarArgs)"),
        required=False,
        strip=False,
        widget=UnfoldAdminExpandableTextareaWidget(
            attrs={"rows": 2, "placeholder": "--date 20240101 --table splio.active", "spellcheck": "false"}
        ),
        help_text=_("As the jar expects them. The next page shows how they will arrive there."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON,
        widget=UnfoldAdminExpandableTextareaWidget(attrs={"rows": 2}),
        help_text=_("Why this recovery is needed: what is missing, since when, the ticket. It stays in the history."),
    )
    filingKey = forms.UUIDField(widget=forms.HiddenInput)
    previewed = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        open_to_them = LivyProfile.objects.usable_by(by).order_by("name")
        self.fields["profile"].queryset = open_to_them  # type: ignore[attr-defined]  # a model's choice
        if told := reason_help():
            self.fields["reason"].help_text = told

    def clean_reason(self) -> str:
        """With its ticket."""
        return checked_reason(str(self.cleaned_data["reason"]))

    def clean_jarArgs(self) -> str | list[str]:
        """As typed; browsers send line ends as CRLF, whatever was typed."""
        return str(self.cleaned_data["jarArgs"]).replace("\r\n", "\n")


class EditForm(FilingForm):
    """An old request to be corrected. What is left as it is stays frozen as it was then."""

    todaysValues = forms.BooleanField(
        label=_("Take the profile's values of today"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_("Off: sizes, files and configuration stay as they were then."),
    )
    field_order = ("profile", "todaysValues")

    def __init__(self, *args: Any, recovery: Recovery, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.recovery = recovery
        if recovery.profile_version == recovery.profile.version:
            del self.fields["todaysValues"]
        if recovery.args_mode == ArgsMode.LIST:
            self.fields["jarArgs"].help_text = _("A JSON list of texts, one for each argument.")

    def clean_jarArgs(self) -> str | list[str]:
        """A list stays a list."""
        typed = str(super().clean_jarArgs())
        if self.recovery.args_mode != ArgsMode.LIST:
            return typed
        try:
            given = json.loads(typed or "[]")
        except ValueError:
            given = None
        if isinstance(given, list) and all(isinstance(item, str) for item in given):
            return given
        raise forms.ValidationError(
            wording.sentence(Problem(field="jarArgs", code="wrong_type", params={"expected": '["…", "…"]'}))
        )

    def changes(self) -> dict[str, Any]:
        """The keyword arguments of a resubmission: only what differs from then."""
        data, then = self.cleaned_data, self.recovery
        args: Any = data["jarArgs"]
        same_args = args == (then.args if isinstance(args, list) else then.raw_jar_args.replace("\r\n", "\n"))
        keep_profile = data["profile"].pk == then.profile_id and not data.get("todaysValues")
        return {
            "jar_path": None if data["jarPath"] == then.jar_path else data["jarPath"],
            "jar_args": None if same_args else args,
            "profile": None if keep_profile else data["profile"],
        }


class ReasonForm(ProblemForm):
    """Confirms with a reason."""

    reason = forms.CharField(
        label=_("Reason"), max_length=MAX_REASON, widget=UnfoldAdminExpandableTextareaWidget(attrs={"rows": 2})
    )


class AgainForm(ReasonForm):
    """Resubmits as it was; `previewed` is what was shown."""

    filingKey = forms.UUIDField(widget=forms.HiddenInput)
    previewed = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_reason(self) -> str:
        """With its ticket."""
        return checked_reason(str(self.cleaned_data["reason"]))


class CancelForm(ReasonForm):
    """Cancels; a reason is welcome."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False


class SettleForm(ReasonForm):
    """An operator's decision (H1)."""

    settledAs = forms.ChoiceField(
        label=_("What happened"),
        choices=lambda: [
            ("", _("Choose")),
            *(
                (kind.value, wording.label(kind))
                for kind in (Settlement.SUCCEEDED, Settlement.FAILED, Settlement.NEVER_RAN, Settlement.LINKED)
            ),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    reason = forms.CharField(
        label=_("How you know"),
        max_length=MAX_REASON,
        widget=UnfoldAdminExpandableTextareaWidget(attrs={"rows": 3}),
        help_text=_("What was looked at: the target table, the application in YARN, its log."),
    )
    batch = forms.CharField(
        label=_("Batch to link to"),
        required=False,
        max_length=MAX_WANTED,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_(
            "Only for a link: the id or the name of a batch of this gateway, or the id of its YARN application. "
            "The next page shows what it is."
        ),
    )
    field_order = ("settledAs", "batch", "reason")

    def clean(self) -> dict[str, Any]:
        """A link needs a batch."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("settledAs") == Settlement.LINKED and not data.get("batch") and "batch" not in self.errors:
            self.add_error("batch", wording.sentence(Problem(field="batch", code="required")))
        return data


class ShownForm(forms.Form):
    """What the page of a link has shown, sent back by its button."""

    shownName = forms.CharField(required=False, strip=False)
    shownId = forms.IntegerField(required=False)
    shownApp = forms.CharField(required=False)

    @staticmethod
    def of(link: Link) -> list[tuple[str, Any]]:
        """The hidden fields."""
        number = "" if link.batch_id is None else link.batch_id
        return [("shownName", link.name), ("shownId", number), ("shownApp", link.app_id)]

    def value(self) -> Shown:
        """As the service takes it."""
        data = self.cleaned_data
        return Shown(name=data["shownName"], batch_id=data["shownId"], app_id=data["shownApp"])


class AcknowledgeForm(ReasonForm):
    """Ends an alarm."""

    reason = forms.CharField(
        label=_("What was done"),
        max_length=MAX_REASON,
        widget=UnfoldAdminExpandableTextareaWidget(attrs={"rows": 3}),
        help_text=_("Which batch was stopped, and what the check of the data said."),
    )


class PauseForm(ReasonForm):
    """Stops submissions to a gateway."""

    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=UnfoldAdminExpandableTextareaWidget(attrs={"rows": 2})
    )


class DuplicateForm(ProblemForm):
    """The new profile's name."""

    name = forms.CharField(label=_("Name of the copy"), max_length=60, widget=UnfoldAdminTextInputWidget)

    def clean_name(self) -> str:
        """Not taken."""
        return free_profile_name(str(self.cleaned_data["name"]))
