"""The pages on which a person decides: settle, link to a batch (shown first), acknowledge an alarm."""

from __future__ import annotations

from typing import Any, Protocol

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from recovery.admin import show, story
from recovery.admin.base import require
from recovery.admin.forms import AcknowledgeForm, SettleForm, ShownForm
from recovery.domain.errors import InvalidInput
from recovery.domain.states import Settlement
from recovery.models import Recovery
from recovery.services import duplicates, linking
from recovery.services.clock import database_now
from recovery.services.linking import Link
from recovery.services.settling import can_be_settled, settle


class _Frame(Protocol):
    def page(self, request: HttpRequest, template: str, *, title: Any, **context: Any) -> TemplateResponse: ...


class DecidingViews:
    """Views of RecoveryAdmin; each checks its permission first."""

    def settle_view(self: _Frame, request: HttpRequest, pk: int) -> HttpResponse:
        """A decision about what could not be known; a link has two steps."""
        by = require(request, "recovery.settle_recovery")
        recovery = get_object_or_404(Recovery.objects.for_list(), pk=pk)
        form = SettleForm(request.POST if request.method == "POST" else None)
        if request.method != "POST" or not form.is_valid() or "_edit" in request.POST:
            return _settle_page(self, request, recovery, form)
        chosen, reason = Settlement(form.cleaned_data["settledAs"]), form.cleaned_data["reason"]
        if not can_be_settled(recovery, database_now()):
            return _done(request, recovery, done=False)
        if chosen is not Settlement.LINKED:
            done = settle(recovery=recovery, settled_as=chosen, reason=reason, by=by, now=database_now())
            return _done(request, recovery, done=done)
        wanted, shown = form.cleaned_data["batch"], ShownForm(request.POST)
        try:
            if "_link" not in request.POST or not shown.is_valid():
                return _link_page(self, request, recovery, form, linking.find(recovery=recovery, wanted=wanted))
            done = linking.link(
                recovery=recovery, wanted=wanted, shown=shown.value(), reason=reason, by=by, now=database_now()
            )
        except InvalidInput as error:
            form.add_problems(error.problems)
            return _settle_page(self, request, recovery, form)
        return _done(request, recovery, done=done)

    def acknowledge_view(self: _Frame, request: HttpRequest, pk: int) -> HttpResponse:
        """Ends the alarm of a second batch."""
        by = require(request, "recovery.settle_recovery")
        recovery = get_object_or_404(Recovery.objects.for_list(), pk=pk)
        form = AcknowledgeForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            if duplicates.acknowledge(recovery=recovery, by=by, reason=form.cleaned_data["reason"]):
                messages.success(request, _("The alarm is acknowledged."))
            else:
                messages.warning(request, _("There is no alarm to acknowledge."))
            return redirect("admin:recovery_recovery_change", recovery.pk)
        return self.page(
            request, "acknowledge.html", title=_("Acknowledge the alarm"), original=recovery, recovery=recovery,
            form=form, badge=show.state_badge(recovery), headline=story.headline(recovery),
            possible=duplicates.is_alarmed(recovery),
        )  # fmt: skip


def _settle_page(admin: _Frame, request: HttpRequest, recovery: Recovery, form: SettleForm) -> HttpResponse:
    return admin.page(
        request, "settle.html", title=_("Settle"), original=recovery, recovery=recovery, form=form,
        badge=show.state_badge(recovery), headline=story.headline(recovery),
        possible=can_be_settled(recovery, database_now()),
    )  # fmt: skip


def _link_page(admin: _Frame, request: HttpRequest, recovery: Recovery, form: SettleForm, link: Link) -> HttpResponse:
    """What was found, and the button that sends back just that."""
    data = form.cleaned_data
    hidden = [("settledAs", data["settledAs"]), ("reason", data["reason"]), ("batch", data["batch"])]
    return admin.page(
        request, "link.html", title=_("Link to a batch"), original=recovery, recovery=recovery, form=form, link=link,
        badge=show.state_badge(recovery), headline=story.headline(recovery), hidden=[*hidden, *ShownForm.of(link)],
    )  # fmt: skip


def _done(request: HttpRequest, recovery: Recovery, *, done: bool) -> HttpResponse:
    if done:
        messages.success(request, _("Settled. The state stays what was known; your decision stands beside it."))
    else:
        messages.warning(request, _("It cannot be settled: its end is known, or somebody has settled it."))
    return redirect("admin:recovery_recovery_change", recovery.pk)
