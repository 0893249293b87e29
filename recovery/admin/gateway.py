"""Gateways: made, tested, paused, resumed. The address stays as it is once used (H4); no secret is shown."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display

from recovery import wording
from recovery.admin import show, story
from recovery.admin.base import PortalAdmin, person
from recovery.admin.connection import ask_test, tested
from recovery.admin.editing import SeenForm
from recovery.admin.forms import PauseForm
from recovery.admin.history import SeenHistory
from recovery.admin.lines import LinesField
from recovery.domain.gateways import Condition
from recovery.domain.states import State
from recovery.models import Gateway, LivyProfile, RecoveryEvent, SubjectType
from recovery.models.gateway import default_schemes
from recovery.services import attention, duplicates, gateways
from recovery.services.clock import database_now
from recovery.services.gateways import endpoint_problems, save_gateway
from recovery.services.usage import usage_of

OPERATE = "recovery.operate_gateway"
SECRET_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/\S+")
SEEN = ("gateway_state", "words_shown", "condition_since_shown", "next_try_shown", "last_seen_shown",
        "livy_version", "livy_restarted_shown", "duplicates_avoided", "usage", "paused",
        "paused_reason")  # fmt: skip


class GatewayForm(SeenForm):
    """The reference to a secret is one, never the secret."""

    allowed_schemes = LinesField(
        label=gettext_lazy("Allowed URI schemes"),
        initial=default_schemes,
        help_text=gettext_lazy("One a line. “file” and “local” read the disk of the Livy machine: leave them out."),
    )

    def clean_secret_ref(self) -> str:
        """`env:NAME` or `file:/path`."""
        given = str(self.cleaned_data["secret_ref"]).strip()
        if given and not SECRET_REFERENCE.fullmatch(given):
            raise forms.ValidationError(_("Expected: env:NAME or file:/path. A password is never written here."))
        return given

    def clean_base_url(self) -> str:
        """http or https, with a host."""
        given = str(self.cleaned_data["base_url"]).strip().rstrip("/")
        if not show.web_link(given):
            raise forms.ValidationError(_("Expected: https://host:8443/gateway/topology."))
        return given

    def clean(self) -> dict[str, Any]:
        """The address stays once used: of a recovery, too, that was filed while this form was open."""
        data = super().clean()
        for problem in [] if self.instance.pk is None else endpoint_problems(self.instance, self.changed_data):
            self.add_error(problem.field, wording.sentence(problem))
        return data


@admin.register(Gateway)
class GatewayAdmin(SeenHistory, PortalAdmin):
    """One Knox topology."""

    form = GatewayForm
    change_form_before_template = "recovery/admin/_seen.html"
    when_empty = gettext_lazy("A gateway is the way to a Livy. Without one nothing can be run.")
    list_display = ("name", "gateway_state", "base_url", "tls", "livy_version", "seen_in_list")
    search_fields = ("name", "base_url", "user")
    actions_detail = ("test_connection", "pause", "resume")
    readonly_fields = (*SEEN, "tls")
    fieldsets = (
        (None, {"fields": ("name", "gateway_state", "words_shown", ("condition_since_shown", "next_try_shown"),
                           ("last_seen_shown", "livy_version"), "livy_restarted_shown", "duplicates_avoided",
                           "usage", "paused_reason")}),
        (gettext_lazy("Address"), {
            "description": gettext_lazy("These stay as they are once a recovery was filed here: make a new gateway."),
            "fields": ("base_url", ("livy_path", "webhdfs_path"), "yarn_path", ("auth_kind", "user")),
        }),
        (gettext_lazy("Secret and TLS"), {"fields": ("secret_ref", "verify_tls", "tls", "ca_bundle")}),
        (gettext_lazy("What stands behind it"), {
            "fields": (("single_livy", "livy_recovery"), "retention_seconds", "version_accepted"),
        }),
        (gettext_lazy("Limits"), {"fields": ("allowed_schemes", "max_running", "follow_only")}),
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Gateway | None = None) -> tuple[str, ...]:
        """The endpoint too, once used."""
        fixed = Gateway.ENDPOINT_FIELDS if obj is not None and obj.used else ()
        return (*self.readonly_fields, *fixed)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Gateway]:
        """With whether nobody looks at it any more."""
        found: QuerySet[Gateway] = super().get_queryset(request)
        return found.annotate(silent=attention.silent(now=database_now()))

    def save_model(self, request: HttpRequest, obj: Gateway, form: Any, change: bool) -> None:
        """Through the service: what was edited, and nothing else."""
        changed = [name for name in Gateway.EDITED_FIELDS if name in form.changed_data]
        save_gateway(gateway=obj, changed=changed, by=person(request))

    # ── buttons ─────────────────────────────────────────────────────────────────────────────────────────────────

    def has_operate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Operators."""
        return request.user.has_perm(OPERATE)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Pause or resume, whichever makes sense."""
        shown = super().get_actions_detail(request, object_id)
        paused = Gateway.objects.filter(pk=object_id, paused=True).exists()
        left_out = "pause" if paused else "resume"
        return [entry for entry in shown if entry.path != left_out]

    @action(description=gettext_lazy("Test this connection"), permissions=["operate"], url_path="test", icon="cable")
    def test_connection(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Reachable, let in, Livy's version."""
        gateway = get_object_or_404(Gateway, pk=object_id)
        if request.method == "POST":
            return tested(self, request, gateway, back=gateway)
        return ask_test(self, request, gateway, original=gateway)

    @action(description=gettext_lazy("Pause submissions"), permissions=["operate"], url_path="pause", icon="pause")
    def pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """With a reason, which every waiting recovery shows."""
        gateway = get_object_or_404(Gateway, pk=object_id)
        form = PauseForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            if gateways.pause(gateway_id=gateway.pk, by=person(request), reason=form.cleaned_data["reason"]):
                messages.success(request, _("Submissions are paused. What runs is followed on."))
            else:
                messages.warning(request, _("It was paused already."))
            return to_page(gateway)
        warning = _("No recovery is sent through this gateway until it is resumed. What runs is followed on.")
        return self.page(
            request, "confirm.html", title=_("Pause submissions"), original=gateway, warning=warning, form=form,
            button=_("Pause submissions"),
        )  # fmt: skip

    @action(description=gettext_lazy("Resume submissions"), permissions=["operate"], url_path="resume",
            icon="play_arrow")  # fmt: skip
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Submissions go on."""
        gateway = get_object_or_404(Gateway, pk=object_id)
        if request.method == "POST":
            if gateways.resume(gateway_id=gateway.pk, by=person(request)):
                messages.success(request, _("Submissions go on."))
            else:
                messages.warning(request, _("It was not paused."))
            return to_page(gateway)
        waiting = gateway.recoveries.filter(state=State.QUEUED).count()
        warning = _("Recoveries that wait for this gateway and are sent then: %(count)s.") % {"count": waiting}
        return self.page(
            request, "confirm.html", title=_("Resume submissions"), original=gateway, warning=warning,
            button=_("Resume submissions"),
        )  # fmt: skip

    # ── columns ─────────────────────────────────────────────────────────────────────────────────────────────────

    @display(description=gettext_lazy("state"))
    def gateway_state(self, obj: Gateway) -> SafeString:
        """In words."""
        return show.gateway_badge(obj, silent=getattr(obj, "silent", False))  # a new one comes from no query

    @display(description="TLS")
    def tls(self, obj: Gateway) -> SafeString:
        """Not verified is shown in red, not encrypted too."""
        if obj.base_url.startswith("http:"):
            return show.badge("bad", "lock_open", _("not encrypted"))
        if not obj.verify_tls:
            return show.badge("bad", "gpp_bad", _("NOT VERIFIED"))
        return format_html("{}", show.badge("good", "lock", _("verified")))

    @display(description=gettext_lazy("since"))
    def condition_since_shown(self, obj: Gateway) -> str:
        """Of the condition."""
        return show.moment(obj.seen_since)

    @display(description=gettext_lazy("what was seen"))
    def words_shown(self, obj: Gateway) -> SafeString | str:
        """In plain words, with what was seen beneath."""
        if not obj.seen_condition:
            return obj.seen_words or show.NOTHING
        plain = wording.why_text(Condition(obj.seen_condition), obj.seen_words)
        return format_html('{}<span class="rp-note rp-raw rp-break">{}</span>', plain, obj.seen_words)

    @display(description=gettext_lazy("next try"))
    def next_try_shown(self, obj: Gateway) -> str:
        """While there is a condition."""
        return show.moment(obj.seen_next_try_at)

    @display(description=gettext_lazy("last seen"), ordering="last_seen_at")
    def seen_in_list(self, obj: Gateway) -> str:
        """When Livy last answered."""
        return show.ago(obj.last_seen_at, empty=_("never"))

    @display(description=gettext_lazy("last seen"))
    def last_seen_shown(self, obj: Gateway) -> str:
        """When Livy last answered."""
        return show.ago(obj.last_seen_at, empty=_("never"))

    @display(description=gettext_lazy("Livy restarted at"))
    def livy_restarted_shown(self, obj: Gateway) -> SafeString:
        """When that was last noticed, with what proves it."""
        event = RecoveryEvent.objects.of(SubjectType.GATEWAY, obj.pk).filter(kind="livy_restarted").last()
        proof = story.line(event).text if event else ""
        return format_html('{} <span class="rp-note rp-break">{}</span>', show.moment(obj.livy_restarted_at), proof)

    @display(description=gettext_lazy("usage"))
    def usage(self, obj: Gateway) -> str:
        """Looked at before it is paused, or only followed."""
        return show.usage(usage_of(obj)) if obj.pk else show.NOTHING

    @display(description=gettext_lazy("second launches avoided"))
    def duplicates_avoided(self, obj: Gateway) -> str:
        """Through this gateway."""
        return str(duplicates.avoided(now=database_now()).by_gateway.get(obj.pk, 0))


def to_page(obj: Gateway | LivyProfile) -> HttpResponse:
    """Back to the page of what was acted upon."""
    return redirect(f"admin:recovery_{obj._meta.model_name}_change", obj.pk)
