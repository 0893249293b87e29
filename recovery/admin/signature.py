"""Failure signatures: what operators know about failures. A pattern that could hang a page is not taken."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminExpandableTextareaWidget

from recovery import wording
from recovery.admin import show
from recovery.admin.base import PortalAdmin, person
from recovery.admin.editing import SeenForm
from recovery.admin.forms import ProblemForm
from recovery.admin.history import SeenHistory
from recovery.domain.errors import Problem
from recovery.domain.patterns import is_sound
from recovery.domain.signatures import Certainty, Place
from recovery.models import FailureSignature
from recovery.services.explaining import Explanation, explain_pasted, save_signature, signature_problems

MAX_TRIED = 500_000


class SignatureForm(SeenForm):
    """Checked as the service checks it, each problem on its field."""

    class Meta:
        model = FailureSignature
        fields = "__all__"  # the admin's fieldsets name them
        widgets = {
            name: UnfoldAdminExpandableTextareaWidget(attrs={"rows": 2, "spellcheck": spelled})
            for name, spelled in (
                ("pattern", "false"), ("change", "false"), ("remedy_fr", "true"), ("remedy_en", "true"),
            )
        }  # fmt: skip
        help_texts = {
            "certainty": gettext_lazy(
                "“The server says” counts in the server's own answer only; in a log it is shown as “probably”."
            ),
            "change": gettext_lazy(
                "Filled in when somebody resubmits with this remedy, one change a line. executorMemory x2 · "
                "queue = root.other · className ? (asked for) · conf spark.executor.memoryOverhead = 1g · "
                "conf - spark.some.key · args split. Empty: the remedy is words only."
            ),
        }

    def clean_pattern(self) -> str:
        """It may be typed on several lines, to be read; it is one."""
        return "".join(str(self.cleaned_data["pattern"]).splitlines())

    def clean(self) -> dict[str, Any]:
        """Said on a field, before the table's own constraint says it in fewer words."""
        data = super().clean()
        if not any(data.get(f"in_{place.value}") for place in Place):
            self.add_error("in_log", wording.sentence(Problem(field="in_log", code="looks_nowhere")))
        return data

    def _post_clean(self) -> None:
        """After the model's own checks."""
        super()._post_clean()  # type: ignore[misc]  # Django's hook is not in the stubs
        for problem in [] if self.errors else signature_problems(self.instance):
            self.add_error(problem.field, wording.sentence(problem))


class TryForm(ProblemForm):
    """A log to try on."""

    text = forms.CharField(
        label=gettext_lazy("Log or diagnostics"),
        max_length=MAX_TRIED,
        strip=False,
        widget=UnfoldAdminExpandableTextareaWidget(attrs={"rows": 12, "spellcheck": "false"}),
        help_text=gettext_lazy("Paste what a job has written. Nothing of it is kept."),
    )


@admin.register(FailureSignature)
class FailureSignatureAdmin(SeenHistory, PortalAdmin):
    """Switched off rather than deleted."""

    form = SignatureForm
    change_form_before_template = "recovery/admin/_seen.html"
    when_empty = gettext_lazy("Each one says by which words a failure is known, why it happens and what helps.")
    list_display = ("code", "order", "standing", "certainty_shown", "cause_shown", "remedy_shown", "change_shown")
    list_filter = ("enabled", "certainty")
    search_fields = ("code", "pattern", "cause_fr", "cause_en", "remedy_fr", "remedy_en", "change")
    actions_detail = ("try_one",)
    actions_list = ("try_all",)
    fieldsets = (
        (None, {"fields": (("code", "order"), "enabled")}),
        (gettext_lazy("What is looked for"), {
            "fields": ("pattern", ("in_words", "in_diagnostics", "in_log"), "certainty"),
        }),
        (gettext_lazy("In French"), {"fields": ("cause_fr", "remedy_fr")}),
        (gettext_lazy("In English"), {"fields": ("cause_en", "remedy_en")}),
        (gettext_lazy("Remedy, filled in"), {"fields": ("change",)}),
    )  # fmt: skip

    def save_model(self, request: HttpRequest, obj: FailureSignature, form: Any, change: bool) -> None:
        """Through the service."""
        save_signature(signature=obj, by=person(request))

    @action(description=gettext_lazy("Try on a log"), url_path="try", icon="science")
    def try_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """This one, as it is stored."""
        return self._tried(request, get_object_or_404(FailureSignature, pk=object_id))

    @action(description=gettext_lazy("Try on a log"), url_path="try", icon="science")
    def try_all(self, request: HttpRequest) -> HttpResponse:
        """All that are in use, as a recovery's page would."""
        return self._tried(request, None)

    def _tried(self, request: HttpRequest, signature: FailureSignature | None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = TryForm(request.POST if request.method == "POST" else None)
        found: list[dict[str, Any]] | None = None
        if request.method == "POST" and form.is_valid():
            text = form.cleaned_data["text"].replace("\r\n", "\n")
            found = [pasted(one) for one in explain_pasted(text, only=signature)]
        return self.page(
            request, "signature_try.html", title=_("Try on a log"), original=signature, signature=signature, form=form,
            found=found,
        )  # fmt: skip

    # ── columns ─────────────────────────────────────────────────────────────────────────────────────────────────

    @display(description=gettext_lazy("state"), ordering="enabled")
    def standing(self, obj: FailureSignature) -> SafeString:
        """Enabled or not."""
        if obj.enabled and not is_sound(obj.pattern):
            return show.badge("warn", "warning", _("not used: its pattern is no longer accepted"))
        if obj.enabled:
            return show.badge("good", "check_circle", _("enabled"))
        return show.badge("calm", "toggle_off", _("disabled"))

    @display(description=gettext_lazy("how sure"), ordering="certainty")
    def certainty_shown(self, obj: FailureSignature) -> str:
        """In words."""
        return obj.get_certainty_display()

    @display(description=gettext_lazy("cause"))
    def cause_shown(self, obj: FailureSignature) -> str:
        """In this language."""
        return obj.cause

    @display(description=gettext_lazy("remedy"))
    def remedy_shown(self, obj: FailureSignature) -> str:
        """In this language."""
        return show.shortened(obj.remedy, 120)

    @display(description=gettext_lazy("change of the payload"))
    def change_shown(self, obj: FailureSignature) -> SafeString | str:
        """As it is written."""
        return format_html("<code>{}</code>", obj.change) if obj.change else show.NOTHING


def shown(explanation: Explanation) -> dict[str, Any]:
    """An explanation for a page: never surer than it is."""
    found = explanation.found
    return {
        "id": explanation.signature.pk,
        "code": explanation.signature.code,
        "sure": wording.label(found.certainty),
        "guess": found.certainty is not Certainty.SAID,
        "cause": explanation.signature.cause,
        "remedy": explanation.signature.remedy,
        "line": found.line,
        "place": wording.label(found.place),
        "change": explanation.signature.change,
    }


def pasted(explanation: Explanation) -> dict[str, Any]:
    """For a text that was pasted: nobody knows where it stood, so it is said where it would have to."""
    places = ", ".join(str(wording.label(place)) for place in explanation.signature.places)
    return shown(explanation) | {"place": _("line (looked for in: %(places)s)") % {"places": places}}
