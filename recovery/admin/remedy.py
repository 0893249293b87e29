"""“Edit and resubmit” with a remedy filled in: the same form, and what the remedy changes beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from recovery.admin import show
from recovery.admin.forms import EditForm
from recovery.domain import remedies
from recovery.models import Recovery, RecoveryLog
from recovery.services.explaining import Explanation, Remedy, remedied, remedy_for, would_change

GIVEN = "give_"


class RemedyForm(EditForm):
    """What the remedy sets was decided by operators: it is applied or not, and only what it asks for is typed."""

    remedy = forms.IntegerField(widget=forms.HiddenInput)
    applyRemedy = forms.BooleanField(
        label=gettext_lazy("Apply the remedy"), required=False, initial=True, widget=UnfoldBooleanSwitchWidget
    )

    def __init__(self, *args: Any, remedy: Remedy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = remedy
        self.fields["applyRemedy"].help_text = help_text(self.recovery, remedy.explanation)
        then = self.recovery.payload_json
        for name in remedy.asked:
            self.fields[GIVEN + name] = forms.CharField(
                label=name, required=False, max_length=300, initial=then.get(name, ""),
                widget=UnfoldAdminTextInputWidget, help_text=_("Empty: as it was then."),
            )  # fmt: skip
        self.order_fields(["profile", "todaysValues", "applyRemedy", *(GIVEN + name for name in remedy.asked)])

    def changes(self) -> dict[str, Any]:
        """With the remedy laid over them. Raises InvalidInput."""
        changes = super().changes()
        if not self.cleaned_data.get("applyRemedy"):
            return changes
        given = {name: self.cleaned_data.get(GIVEN + name, "") for name in self.known.asked}
        return remedied(self.recovery, changes, self.known, given=given)


def at_once(form: EditForm, *, by: User) -> RemedyForm | None:
    """The form as if it had been sent as it is filled in: with a remedy that asks for nothing, and a reason at hand,
    there is nothing to type. None where there is."""
    if not isinstance(form, RemedyForm) or form.known.asked:
        return None
    data = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    sent = RemedyForm(data, by=by, recovery=form.recovery, remedy=form.known)
    return sent if sent.is_valid() else None


def applied(form: forms.Form) -> Explanation | None:
    """The explanation whose remedy is in the form's changes."""
    wanted = isinstance(form, RemedyForm) and form.cleaned_data.get("applyRemedy")
    return form.known.explanation if wanted and isinstance(form, RemedyForm) else None


def edit_form(request: HttpRequest, recovery: Recovery, *, by: User, initial: Mapping[str, Any]) -> EditForm:
    """The form of the edit page: with the remedy that the address or the form names, as long as it fits."""
    data = request.POST if request.method == "POST" else None
    wanted = (request.POST if data is not None else request.GET).get("remedy", "")
    if wanted.isdecimal() and len(wanted) < 19:
        remedy = remedy_for(recovery, RecoveryLog.objects.filter(pk=recovery.pk).first(), int(wanted))
        if remedy is not None:
            return RemedyForm(data, by=by, recovery=recovery, remedy=remedy, initial={**initial, "remedy": wanted})
        messages.warning(request, _("This remedy does not fit any more: it was changed, or is switched off."))
    return EditForm(data, by=by, recovery=recovery, initial=dict(initial))


def help_text(recovery: Recovery, explanation: Explanation) -> str:
    """The remedy and what it changes, as one text."""
    lines = change_lines(recovery, explanation)
    return explanation.signature.remedy + (" " + " · ".join(lines) if lines else "")


def change_lines(recovery: Recovery, explanation: Explanation) -> list[str]:
    """ "executorMemory: 4g → 8g", before anything is edited; empty when it has nothing to change here."""
    lines = []
    for field, then, now in would_change(recovery, explanation):
        if field == "args":
            lines.append(_("the arguments are cut as a shell would"))
            continue
        values = {"then": show.shortened(show.value(then)), "now": show.shortened(show.value(now))}
        lines.append(_("%(field)s: %(then)s → %(now)s") % {"field": field, **values})
    lines += [_("%(field)s: to be given") % {"field": name} for name in remedies.asked(explanation.changes)]
    return lines
