"""« Faire un rattrapage »: one page with the form and, beside it, what would be sent and what speaks against it.

The panel is the same whether it comes with the page (the button "Check") or by itself while somebody types
(static/recovery/filing.js asks `file/preview/`). What is filed is what the panel showed: it carries a token of it, and
the keys of what was confirmed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from recovery.admin import lights, sheet
from recovery.admin.base import require
from recovery.admin.conf_remarks import sentences_of
from recovery.admin.filing_form import OVERRIDES, FilingPageForm
from recovery.admin.forms import new_key
from recovery.domain.arguments import ArgsMode, parse_arguments
from recovery.domain.errors import InvalidInput, Problem
from recovery.domain.gateways import Channel
from recovery.domain.naming import TOKEN_HEX, batch_name
from recovery.domain.preflight import Preflight
from recovery.models import LivyProfile
from recovery.services.clock import database_now
from recovery.services.filing import Filed, FilingKeyReused, Gate, Origin, PreflightStops, file_recovery
from recovery.services.preflight import preflight
from recovery.services.preview import NAME_TO_BE, preview
from recovery.services.profiles import launch_of
from recovery.services.resubmission import differences

PERMISSION = "recovery.file_recovery"
PREFILLED = ("profile", "jarPath", "jarArgs", "reason", *OVERRIDES)


class _Frame(Protocol):
    def page(self, request: HttpRequest, template: str, *, title: Any, **context: Any) -> TemplateResponse: ...


@dataclass(kw_only=True, slots=True)
class Panel:
    """What stands beside the form. Without a sheet nothing can be sent yet; `problems` say why. `remarks`: of what
    was typed as configuration, slips perhaps."""

    sheet: sheet.Sheet | None = None
    preflight: Preflight | None = None
    lights: lights.Lights | None = None
    rows: list[tuple[str, str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    args: tuple[str, ...] | None = None
    profile: LivyProfile | None = None
    name: str = ""
    tick: bool = False

    @property
    def how_many(self) -> str:
        """ "1 argument"."""
        return sheet.how_many(self.args or ())

    @property
    def summary(self) -> str:
        """For a screen reader, each time the panel changes."""
        if self.lights is None:
            return "; ".join(self.problems) or _("Not complete yet.")
        return " ".join([f"{self.lights.summary}. {self.how_many}.", *self.remarks])


def filing_page(admin: _Frame, request: HttpRequest) -> HttpResponse:
    """The form; on POST the panel too, and the filing when the panel had shown it."""
    by = require(request, PERMISSION)
    if request.method != "POST":
        given = {name: request.GET[name] for name in PREFILLED if name in request.GET}
        return _page(admin, request, FilingPageForm(by=by, initial=given | {"filingKey": new_key()}), None)
    form = FilingPageForm(request.POST, by=by)
    valid = form.is_valid()
    panel = look(form, ticked=lights.ticked(request), fresh="_preview" in request.POST)
    if not valid or form.errors or "_file" not in request.POST or panel.sheet is None:
        return _page(admin, request, form, panel)
    if request.POST.get("previewed") != panel.sheet.token:
        messages.warning(request, _("What would be sent has changed since you looked: please check it once more."))
        return _page(admin, request, form, panel)
    data, now = form.cleaned_data, database_now()
    try:
        filed = file_recovery(
            profile=data["profile"],
            jar_path=data["jarPath"],
            jar_args=data["jarArgs"],
            overrides=form.overrides(),
            origin=Origin(by=by, channel=Channel.ADMIN, filing_key=data["filingKey"].hex),
            reason=data["reason"],
            gate=Gate(confirmed=lights.ticked(request)),
            now=now,
        )
    except InvalidInput as error:
        form.add_problems(error.problems)
    except PreflightStops as stop:
        panel.preflight = stop.preflight
        panel.lights = lights.lights_of(stop.preflight, ask=True, ticked=lights.ticked(request), now=now)
        panel.tick = lights.to_be_ticked(stop)
    except FilingKeyReused as error:
        return told_used(request, error)
    else:
        return told_filed(request, filed)
    return _page(admin, request, form, panel)


def filing_preview(request: HttpRequest) -> HttpResponse:
    """The panel alone, for what is typed so far."""
    by = require(request, PERMISSION)
    form = FilingPageForm(request.POST, by=by)
    form.is_valid()
    panel = look(form, ticked=lights.ticked(request))
    # the reason changes nothing of what is sent: the form says what it lacks once it is sent
    shown = [name for name in form.fields if name not in ("filingKey", "reason")]
    typed = [name for name in shown if request.POST.get(name, "").strip()]
    told = [f"{form[name].label}: {error}" for name in typed for error in form.errors.get(name, [])]
    panel.problems = [*told, *(str(error) for error in form.non_field_errors())]
    return render(request, "recovery/admin/_filing_panel.html", {"panel": panel, "sheet": panel.sheet})


def look(form: FilingPageForm, *, ticked: frozenset[str], fresh: bool = False) -> Panel:
    """What would be sent and what speaks against it; problems go to the form's fields."""
    data = form.cleaned_data
    panel = Panel(profile=data.get("profile"))
    if panel.profile is None:
        return panel
    panel.args, problems = _arguments(panel.profile, data.get("jarArgs", ""))
    panel.remarks = sentences_of(data.get("conf") or {})
    if not {"jarPath", "jarArgs", *form.fields.keys() & OVERRIDES.keys()} <= data.keys():
        form.add_problems(problems)
        return panel
    path, profile = data["jarPath"], panel.profile
    try:
        shown = preview(profile=profile, jar_path=path, jar_args=data["jarArgs"], overrides=form.overrides())
    except InvalidInput as error:
        form.add_problems(error.problems)
        return panel
    panel.sheet = sheet.of_preview(profile, shown)
    panel.args = shown.payload.args
    plain = launch_of(profile, jar_path=shown.payload.file, args=shown.payload.args)
    panel.rows = [sheet.shown(difference) for difference in differences(plain, shown.payload)]
    sample = batch_name(portal_id=settings.PORTAL_ID, jar_path=shown.payload.file, token="0" * TOKEN_HEX)
    panel.name = sample.removesuffix("0" * TOKEN_HEX) + NAME_TO_BE
    now = database_now()
    panel.preflight = preflight(profile=profile, payload=shown.payload, sent_text=shown.sent_text, now=now, fresh=fresh)
    panel.lights = lights.lights_of(panel.preflight, ask=True, ticked=ticked, now=now)
    return panel


def _arguments(profile: LivyProfile, typed: str) -> tuple[tuple[str, ...] | None, Iterable[Problem]]:
    """As far as they can be read, before the rest of the form is right; and why they cannot."""
    try:
        return parse_arguments(typed, ArgsMode(profile.args_mode)), ()
    except InvalidInput as error:
        return None, error.problems


def _page(admin: _Frame, request: HttpRequest, form: FilingPageForm, panel: Panel | None) -> HttpResponse:
    no_profile = not form.fields["profile"].queryset.exists()  # type: ignore[attr-defined]  # a model's choice
    return admin.page(
        request, "filing.html", title=_("Run a recovery"), form=form, panel=panel, no_profile=no_profile,
        sheet=panel.sheet if panel else None, preflight=panel.preflight if panel else None,
    )  # fmt: skip


def told_filed(request: HttpRequest, filed: Filed) -> HttpResponseRedirect:
    """To its page, which says so."""
    number = filed.recovery.pk
    if filed.again:
        messages.info(request, _("This form was sent before: here is its recovery, no. %(id)s.") % {"id": number})
    else:
        messages.success(
            request, _("Recovery no. %(id)s is filed. It is sent by itself and followed here.") % {"id": number}
        )
    return redirect("admin:recovery_recovery_change", number)


def told_used(request: HttpRequest, error: FilingKeyReused) -> HttpResponseRedirect:
    """To the page of what this form filed before (H3)."""
    text = _("This form was used for this recovery already. Nothing was filed; start a new form for another one.")
    messages.warning(request, text)
    return redirect("admin:recovery_recovery_change", error.recovery.pk)
