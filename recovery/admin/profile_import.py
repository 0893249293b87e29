"""A profile out of a `.env`: paste or upload, see what it would be, store it disabled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from recovery import wording
from recovery.admin import versions
from recovery.admin.base import person
from recovery.admin.conf_remarks import sentences_of
from recovery.admin.forms import ProblemForm, free_profile_name
from recovery.domain.errors import InvalidInput
from recovery.domain.payload import WIRE_NAMES
from recovery.models import Gateway, LivyProfile
from recovery.services.env_import import EnvImport, import_profile, profile_from, read_text, without_secrets
from recovery.services.profiles import ENV_COLUMNS

MAX_TEXT = 64 * 1024


class ImportForm(ProblemForm):
    """The text, a name, and the gateway that it is for."""

    name = forms.CharField(label=gettext_lazy("Name of the profile"), max_length=60, widget=UnfoldAdminTextInputWidget)
    gateway = forms.ModelChoiceField(
        label=capfirst(gettext_lazy("gateway")), queryset=Gateway.objects.filter(follow_only=False).order_by("name"),
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    file = forms.FileField(
        label=gettext_lazy("File"), required=False, widget=UnfoldAdminFileFieldWidget,
        help_text=gettext_lazy("A .env file. It is read and not kept."),
    )  # fmt: skip
    text = forms.CharField(
        label=gettext_lazy("Or its text"), required=False, max_length=MAX_TEXT, strip=False,
        widget=UnfoldAdminExpandableTextareaWidget(attrs={
            "rows": 12, "spellcheck": "false",
            "placeholder": "LIVY_JARS=hdfs:///libs/a.jar,hdfs:///libs/b.jar\nLIVY_CONF={\"spark.executor.memory\":\"4g\"}",
        }),
        help_text=gettext_lazy("Lines with a password, a secret or a token are passed over and not shown again."),
    )  # fmt: skip

    def clean_name(self) -> str:
        """Not taken."""
        return free_profile_name(str(self.cleaned_data["name"]))

    def clean_file(self) -> str:
        """Its text."""
        given = self.cleaned_data["file"]
        if given is None:
            return ""
        if given.size > MAX_TEXT:
            raise forms.ValidationError(_("The file is larger than 64 KiB."))
        try:
            return str(given.read().decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise forms.ValidationError(_("The file is no text in UTF-8.")) from error

    def clean(self) -> dict[str, Any]:
        """The file's text, or the one that was pasted; without what is secret."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        text = without_secrets(data.get("file") or data.get("text") or "")
        if not text.strip() and not self.errors:
            self.add_error("text", _("Choose a file, or paste its text."))
        data["text"] = text.replace("\r\n", "\n")
        return data

    def again(self) -> ImportForm:
        """The same form to be sent once more: with the file's text in the place of the file."""
        given = {"name": self.data.get("name", ""), "gateway": self.data.get("gateway", "")}
        return ImportForm(given | {"text": self.cleaned_data["text"]})


def import_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """Form, preview, and the stored profile."""
    if request.method != "POST":
        only = Gateway.objects.filter(follow_only=False)[:2]
        return _page(admin, request, ImportForm(initial={"gateway": only[0] if len(only) == 1 else None}))
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        if "text" in form.cleaned_data:  # nothing secret comes back
            form.data = {**request.POST.dict(), "text": form.cleaned_data["text"]}
        return _page(admin, request, form)
    name, gateway, found = form.cleaned_data["name"], form.cleaned_data["gateway"], read_text(form.cleaned_data["text"])
    try:
        profile = profile_from(found, name=name, gateway=gateway)
        if "_save" in request.POST and not found.problems:
            stored = import_profile(found, name=name, gateway=gateway, by=person(request))
            messages.success(request, _("Imported. The profile is disabled: look at it, then enable it."))
            return redirect("admin:recovery_livyprofile_change", stored.pk)
    except InvalidInput as error:
        shown = form.again()
        shown.is_valid()
        shown.add_problems(error.problems)
        return _page(admin, request, shown)
    return _page(admin, request, form.again(), found=found, profile=profile)


def _page(
    admin: Any, request: HttpRequest, form: ImportForm, *, found: EnvImport | None = None,
    profile: LivyProfile | None = None,
) -> HttpResponse:  # fmt: skip
    context: dict[str, Any] = {"form": form, "found": found}
    if found is not None and profile is not None:
        elsewhere = found.base_url and found.base_url != profile.gateway.base_url
        context |= {
            "values": _values(profile, found),
            "problems": [(one, wording.expected(one.code, one.params, one.broke)) for one in found.problems],
            "elsewhere": found.base_url if elsewhere else "",
            "gateway": profile.gateway,
            "remarks": sentences_of(profile.conf),
        }
    page: HttpResponse = admin.page(request, "profile_import.html", title=_("Import from .env"), **context)
    return page


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """A column of the profile that it would be. `wire`: its name is Livy's, to be spelt as it is."""

    name: str
    text: str
    wire: bool
    readable: bool


def _values(profile: LivyProfile, found: EnvImport) -> list[Value]:
    names = tuple(ENV_COLUMNS.values())
    return [
        Value(
            name=shown,
            text=_("unreadable") if name in found.unreadable else text,
            wire=name in WIRE_NAMES,
            readable=name not in found.unreadable,
        )
        for name, (shown, text) in zip(names, versions.columns(profile, names), strict=True)
    ]
