"""The admin's frame: navigation, style sheet, alarms (named in settings as UNFOLD's callbacks)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from recovery.admin.home import LIST
from recovery.services import duplicates

SHOWN_ALARMS = 5


def stylesheet(request: HttpRequest) -> str:
    """Ours, after the theme's."""
    return static("recovery/portal.css")


def favicon(request: HttpRequest) -> str:
    """Ours."""
    return static("recovery/favicon.svg")


def alarms(request: HttpRequest) -> dict[str, Any]:
    """Context of every page: the alarms that this user can answer; not looked for where no page shows them."""

    def found() -> dict[str, Any] | None:
        if not request.user.has_perm("recovery.settle_recovery"):
            return None
        pks = list(duplicates.alarmed().values_list("pk", flat=True)[: SHOWN_ALARMS + 1])
        return {"shown": pks[:SHOWN_ALARMS], "more": len(pks) > SHOWN_ALARMS} if pks else None

    return {"duplicate_alarms": SimpleLazyObject(found)}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The side bar: only what this user may open."""

    def item(text: str, icon: str, link: str, permission: str = "", active: Callable[..., bool] | None = None) -> Any:
        if permission and not request.user.has_perm(permission):
            return None
        entry: dict[str, Any] = {"title": text, "icon": icon, "link": link}
        return entry | ({"active": active} if active else {})

    def listing(text: str, icon: str, query: str = "") -> Any:
        link = reverse(LIST)
        query_now = request.GET.urlencode()

        def active(_request: HttpRequest) -> bool:
            return request.path == link and query_now == query

        return item(text, icon, f"{link}?{query}" if query else link, "recovery.view_recovery", active)

    groups = [
        (
            "",
            [
                item(_("Home"), "home", reverse("admin:index")),
                item(
                    _("Run a recovery"),
                    "add_circle",
                    reverse("admin:recovery_recovery_file"),
                    "recovery.file_recovery",
                ),
                item(_("Help"), "menu_book", reverse("admin:recovery_recovery_help")),
                item(_("My notifications"), "mail", reverse("admin:recovery_recovery_notices"),
                     "recovery.file_recovery"),
            ],
        ),
        (
            _("Recoveries"),
            [
                listing(_("All recoveries"), "list"),
                listing(_("Going on"), "play_circle", "phase=live"),
                listing(_("Needs someone"), "notification_important", "phase=attention"),
                listing(_("Mine"), "person", "requester=me"),
            ],
        ),
        (
            _("Configuration"),
            [
                item(_("Livy profiles"), "tune", reverse("admin:recovery_livyprofile_changelist"),
                     "recovery.view_livyprofile"),
                item(_("Gateways"), "router", reverse("admin:recovery_gateway_changelist"), "recovery.view_gateway"),
                item(_("Failures explained"), "troubleshoot", reverse("admin:recovery_failuresignature_changelist"),
                     "recovery.change_failuresignature"),
            ],
        ),
        (
            _("Oversight"),
            [
                item(_("Events"), "history", reverse("admin:recovery_recoveryevent_changelist"),
                     "recovery.view_recoveryevent"),
                item(_("API tokens"), "key", reverse("admin:recovery_apitoken_changelist"), "recovery.view_apitoken"),
                item(_("Users"), "group", reverse("admin:auth_user_changelist"), "auth.view_user"),
                item(_("Groups"), "shield_person", reverse("admin:auth_group_changelist"), "auth.view_group"),
            ],
        ),
    ]  # fmt: skip
    shown = [{"title": title, "items": [entry for entry in items if entry]} for title, items in groups]
    return [group for group in shown if group["items"]]
