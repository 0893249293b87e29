"""The pages with buttons: file, resubmit, edit and resubmit, cancel. Each calls one service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from recovery import wording
from recovery.admin import lights, show, story
from recovery.admin import sheet as sheets
from recovery.admin.base import require
from recovery.admin.filing import filing_page, filing_preview, told_filed, told_used
from recovery.admin.forms import AgainForm, CancelForm, FilingForm, new_key
from recovery.admin.remedy import applied, at_once, edit_form, help_text
from recovery.domain.errors import InvalidInput
from recovery.domain.gateways import Channel
from recovery.models import Recovery
from recovery.services.cancelling import may_cancel, request_cancel
from recovery.services.clock import database_now
from recovery.services.filing import Filed, FilingKeyReused, Gate, Origin, PreflightStops
from recovery.services.resubmission import obstacle, refusal, resubmit


class _Frame(Protocol):
    def page(self, request: HttpRequest, template: str, *, title: Any, **context: Any) -> TemplateResponse: ...


def to_recovery(recovery: Recovery) -> HttpResponseRedirect:
    """To its page."""
    return redirect("admin:recovery_recovery_change", recovery.pk)


def wanted(pk: int) -> Recovery:
    """The whole row, with what its pages show."""
    return get_object_or_404(Recovery.objects.for_list(), pk=pk)


class RecoveryViews:
    """Views of RecoveryAdmin. Every one checks its permission first: an address is not a secret."""

    def to_filing(self, request: HttpRequest) -> HttpResponse:
        """Django's add address leads to the form."""
        require(request, "recovery.file_recovery")
        return redirect("admin:recovery_recovery_file")

    def file_view(self: _Frame, request: HttpRequest) -> HttpResponse:
        """The form, and beside it what will leave."""
        return filing_page(self, request)

    def file_preview_view(self, request: HttpRequest) -> HttpResponse:
        """What stands beside the form, for what is typed so far."""
        return filing_preview(request)

    def edit_view(self: _Frame, request: HttpRequest, pk: int) -> HttpResponse:
        """The form filled from the old one, then what differs, then it is filed."""
        by = require(request, "recovery.resubmit_recovery")
        recovery, ready = wanted(pk), None
        if request.method != "POST":
            given = {
                "profile": recovery.profile.name,
                "jarPath": recovery.jar_path,
                "jarArgs": recovery.raw_jar_args,
                "reason": recovery.reason,
                "filingKey": new_key(),
            }
            empty = edit_form(request, recovery, by=by, initial=given)
            ready = at_once(empty, by=by)
            if ready is None:
                return _form(self, request, empty, recovery=recovery)
        form = ready or edit_form(request, recovery, by=by, initial={})

        def look() -> sheets.Again:
            origin = Origin(by=by, channel=Channel.ADMIN)
            problem = refusal(recovery=recovery, origin=origin, reason=form.cleaned_data.get("reason", ""))
            if problem and "_file" not in request.POST:  # the service says it when it is filed
                raise InvalidInput([problem])
            return sheets.of_resubmission(recovery, form.changes())

        def send(origin: Origin) -> Filed:
            reason = form.cleaned_data["reason"]
            return resubmit(
                recovery=recovery, origin=origin, reason=reason, now=database_now(),
                gate=Gate(confirmed=lights.ticked(request)), **form.changes(),
            )  # fmt: skip

        return _two_steps(self, request, form, look=look, send=send, recovery=recovery)

    def resubmit_view(self: _Frame, request: HttpRequest, pk: int) -> HttpResponse:
        """As it was: the frozen payload under a new name."""
        by = require(request, "recovery.resubmit_recovery")
        recovery, stop = wanted(pk), None
        again = sheets.of_resubmission(recovery, {})
        form = AgainForm(
            request.POST if request.method == "POST" else None,
            initial={"reason": recovery.reason, "filingKey": new_key(), "previewed": again.sheet.token},
        )
        problem = obstacle(recovery=recovery, origin=Origin(by=by, channel=Channel.ADMIN), reason="-")
        if request.method == "POST" and form.is_valid():
            if not problem and form.cleaned_data["previewed"] != again.sheet.token:
                _say_changed(request)
                return redirect("admin:recovery_recovery_resubmit", pk)
            origin = Origin(by=by, channel=Channel.ADMIN, filing_key=form.cleaned_data["filingKey"].hex)
            try:
                filed = resubmit(
                    recovery=recovery, origin=origin, reason=form.cleaned_data["reason"], now=database_now(),
                    gate=Gate(confirmed=lights.ticked(request)),
                )  # fmt: skip
            except InvalidInput as error:
                form.add_problems(error.problems)
            except PreflightStops as stopped:
                stop = stopped
            except FilingKeyReused as error:
                return told_used(request, error)
            else:
                return told_filed(request, filed)
        return self.page(
            request, "resubmit.html", title=_("Resubmit as it was"), original=recovery, recovery=recovery, form=form,
            sheet=again.sheet, rows=again.rows, problem=wording.sentence(problem) if problem else "",
            badge=show.state_badge(recovery), tick=lights.to_be_ticked(stop),
            lights=None if problem else lights.of_again(again, request, fresh=request.method != "POST", stop=stop),
        )  # fmt: skip

    def cancel_view(self: _Frame, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks once more, and warns."""
        by = require(request, "recovery.cancel_own_recovery", "recovery.cancel_any_recovery")
        recovery = wanted(pk)
        if not may_cancel(by, recovery):
            raise PermissionDenied
        form = CancelForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            asked = request_cancel(recovery=recovery, by=by, now=database_now(), reason=form.cleaned_data["reason"])
            if asked:
                recovery.refresh_from_db(fields=["state"])
                text = _("Cancelled: nothing had been started.") if recovery.is_terminal else _("Cancel asked for.")
                messages.success(request, text)
            else:
                messages.warning(request, _("Nothing to cancel: it has ended, or a cancel was asked for already."))
            return to_recovery(recovery)
        return self.page(
            request, "cancel.html", title=_("Cancel"), original=recovery, recovery=recovery, form=form,
            badge=show.state_badge(recovery), headline=story.headline(recovery),
            possible=not recovery.is_terminal and recovery.cancel_requested_at is None,
        )  # fmt: skip


# ── the two steps of filing ─────────────────────────────────────────────────────────────────────────────────────


def _say_changed(request: HttpRequest) -> None:
    messages.warning(request, _("What would be sent has changed since you looked: please check it once more."))


def _form(admin: _Frame, request: HttpRequest, form: FilingForm, recovery: Recovery | None = None) -> HttpResponse:
    title = _("Edit and resubmit") if recovery else _("Run a recovery")
    offered = form.fields["profile"].queryset  # type: ignore[attr-defined]  # a model's choice
    return admin.page(
        request, "file.html", title=title, form=form, recovery=recovery, original=recovery,
        no_profile=not offered.exists(), closed=recovery and not offered.filter(pk=recovery.profile_id).exists(),
    )  # fmt: skip


def _two_steps(
    admin: _Frame,
    request: HttpRequest,
    form: FilingForm,
    *,
    look: Callable[[], sheets.Again],
    send: Callable[[Origin], Filed],
    recovery: Recovery | None = None,
) -> HttpResponse:
    """Shows what would leave; files it when that is what was shown before."""
    if not form.is_valid():
        if {"profile", "jarPath", "jarArgs"} <= form.cleaned_data.keys():
            try:  # all that is wrong is said at once
                look()
            except InvalidInput as error:
                form.add_problems(error.problems)
        return _form(admin, request, form, recovery)
    stop, remedy = None, applied(form)
    try:
        again = look()
        if "_file" in request.POST and form.cleaned_data["previewed"] == again.sheet.token:
            origin = Origin(
                by=require(request, "recovery.file_recovery", "recovery.resubmit_recovery"),
                channel=Channel.ADMIN,
                filing_key=form.cleaned_data["filingKey"].hex,
                remedy=remedy.signature.code if remedy else "",
            )
            return told_filed(request, send(origin))
    except InvalidInput as error:
        form.add_problems(error.problems)
        return _form(admin, request, form, recovery)
    except PreflightStops as stopped:
        stop = stopped
    except FilingKeyReused as error:
        return told_used(request, error)
    else:
        if "_file" in request.POST:
            _say_changed(request)
    if "_edit" in request.POST:
        return _form(admin, request, form, recovery)
    return admin.page(
        request, "preview.html", title=_("What will be sent"), form=form, sheet=again.sheet, rows=again.rows,
        recovery=recovery, original=recovery, reason=form.cleaned_data["reason"], tick=lights.to_be_ticked(stop),
        lights=lights.of_again(again, request, fresh="_preview" in request.POST or request.method == "GET", stop=stop),
        remedy=help_text(recovery, remedy) if recovery and remedy else "",
    )  # fmt: skip
