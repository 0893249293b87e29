"""API tokens: seen, and revoked. They are made by a command that shows them once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display

from recovery.admin import show
from recovery.admin.base import ReadOnlyAdmin, person
from recovery.models import ApiToken
from recovery.services.clock import database_now
from recovery.services.tokens import revoke


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """The token itself is nowhere: a hash is stored."""

    list_display = ("name", "prefix", "user", "standing", "expires", "last_used")
    search_fields = ("name", "prefix", "user__username")
    when_empty = gettext_lazy("Whoever operates the portal makes tokens with the command create_api_token.")
    list_select_related = ("user",)
    fields = ("name", "prefix", "user", "standing", "scopes", "profiles", "expires", "last_used")
    readonly_fields = ("standing", "expires", "last_used")
    actions_detail = ("revoke_token",)

    def has_revoke_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Those who may change tokens."""
        return request.user.has_perm("recovery.change_apitoken")

    @action(description=gettext_lazy("Revoke"), permissions=["revoke"], url_path="revoke", icon="key_off")
    def revoke_token(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Revoked at once and for good."""
        token = get_object_or_404(ApiToken.objects.select_related("user"), pk=object_id)
        if request.method == "POST":
            if revoke(token=token, by=person(request), now=database_now()):
                messages.success(request, _("The token is revoked. Requests with it are refused from now on."))
            else:
                messages.warning(request, _("It was revoked already."))
            return redirect("admin:recovery_apitoken_change", object_id)
        warning = _("Programs that use this token are refused at once. This cannot be undone.")
        return self.page(
            request, "confirm.html", title=_("Revoke"), original=token, warning=warning, button=_("Revoke"), bad=True
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        """Everybody's."""
        return super().get_queryset(request).select_related("user")  # type: ignore[no-any-return]

    @display(description=gettext_lazy("standing"))
    def standing(self, obj: ApiToken) -> SafeString:
        """Valid, expired or revoked."""
        now: datetime = database_now()
        if obj.revoked_at is not None:
            return show.badge("bad", "key_off", _("revoked"))
        if obj.expires_at is not None and obj.expires_at <= now:
            return show.badge("calm", "timer_off", _("expired"))
        return show.badge("good", "check_circle", _("valid"))

    @display(description=gettext_lazy("expires"), ordering="expires_at")
    def expires(self, obj: ApiToken) -> str:
        """When."""
        return show.moment(obj.expires_at, empty=_("never"))

    @display(description=gettext_lazy("last used"), ordering="last_used_at")
    def last_used(self, obj: ApiToken) -> str:
        """When."""
        return show.ago(obj.last_used_at, empty=_("never"))
