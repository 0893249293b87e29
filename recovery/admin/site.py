"""The admin's frame: navigation, style sheet, home page (named in settings as UNFOLD's callbacks)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from recovery import wording
from recovery.admin import show
from recovery.admin.filters import NEEDS_SOMEONE
from recovery.domain.states import State
from recovery.models import Gateway, Recovery
from recovery.services import duplicates
from recovery.services.clock import database_now

LIST = "admin:recovery_recovery_changelist"
ATTENTION_DAYS = 7
SHOWN_RUNNING = 20
SHOWN_LAST = 10
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


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What needs someone, what goes on, what came last, how the gateways are."""
    context |= {"title": _("Home"), "may_file": request.user.has_perm("recovery.file_recovery")}
    if not request.user.has_perm("recovery.view_recovery"):
        return context
    now = database_now()
    rows = Recovery.objects.for_list().defer("payload", "sent_payload", "preflight", "args")
    running = list(rows.live()[: SHOWN_RUNNING + 1])
    sees_gateways = request.user.has_perm("recovery.view_gateway")
    return context | {
        "sees_recoveries": True,
        "attention": attention(),
        "avoided": duplicates.avoided(now=now),
        "running": [_row(recovery, now) for recovery in running[:SHOWN_RUNNING]],
        "running_more": len(running) > SHOWN_RUNNING,
        "last": [_row(recovery, now) for recovery in rows.ended()[:SHOWN_LAST]],
        "gateways": [_gateway(gateway) for gateway in Gateway.objects.for_list()] if sees_gateways else [],
        "list_url": reverse(LIST),
    }


def _row(recovery: Recovery, now: datetime) -> dict[str, Any]:
    return {
        "pk": recovery.pk,
        "badge": show.state_badge(recovery),
        "command": show.command(recovery.jar_path, recovery.raw_jar_args),
        "by": recovery.requester_label,
        "ended": show.minute(recovery.finished_at),
        "duration": show.duration(recovery, now),
    }


def _gateway(gateway: Gateway) -> dict[str, Any]:
    return {
        "gateway": gateway,
        "badge": show.gateway_badge(gateway),
        "seen": show.minute(gateway.last_seen_at, empty=_("never")),
    }


def attention() -> list[dict[str, Any]]:
    """How many ended badly in the last days and were not taken up again, or are not known."""
    since = timezone.localdate() - timedelta(days=ATTENTION_DAYS)
    midnight = timezone.make_aware(datetime.combine(since, time.min))
    found = dict(
        Recovery.objects.filter(NEEDS_SOMEONE, created_at__gte=midnight)
        .order_by()
        .values_list("state")
        .annotate(Count("id"))
    )
    found[State.LOST] = Recovery.objects.filter(state=State.LOST, settled_as="").count()
    shown = []
    for state in (State.FAILED, State.REFUSED, State.LOST, State.UNCONFIRMED):
        tone, icon = show.LOOKS[state]
        window = f"&created_at_from={since:%Y-%m-%d}" if state in (State.FAILED, State.REFUSED) else ""
        shown.append(
            {
                "count": found.get(state, 0),
                "text": wording.label(state),
                "tone": tone if found.get(state) else "calm",
                "icon": icon,
                "url": f"{reverse(LIST)}?phase=attention&state__exact={state}{window}",
            }
        )
    return shown
