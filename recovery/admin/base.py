"""What the admin's pages share: read-only by default, nothing is deleted, one way to render a page of ours."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from django.contrib.admin import ShowFacets
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Q, Value
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin, checkbox
from unfold.decorators import display
from unfold.views import ChangeList

from recovery.admin import show
from recovery.admin.empty import Nothing, behind_filters


def person(request: HttpRequest) -> User:
    """The signed-in user. The admin lets nobody else in; the check is for the type."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def require(request: HttpRequest, *permissions: str) -> User:
    """The user, who has one of the permissions at least; 403 otherwise."""
    user = person(request)
    if not any(user.has_perm(permission) for permission in permissions):
        raise PermissionDenied
    return user


def may(user: User, codename: str) -> Any:
    """An expression: the user has a permission of the portal. For pages that are often refreshed: it costs no query."""
    if user.is_superuser and user.is_active:
        return Value(True)
    holds = Q(user=user.pk) | Q(group__user=user.pk)
    return Exists(Permission.objects.filter(holds, content_type__app_label="recovery", codename=codename))


_VALUE: Final = "0000000000"


@cache
def _box() -> str:
    return str(checkbox.render(ACTION_CHECKBOX_NAME, _VALUE))


class PortalChangeList(ChangeList):
    """Offers to show everything only where something is left out; is called by its own name; says why it is empty."""

    nothing: Nothing | None = None

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        if not self.is_popup:
            self.title = str(capfirst(self.opts.verbose_name_plural))

    def get_results(self, request: HttpRequest) -> None:
        """The theme goes by two numbers, of which we do not count the second."""
        super().get_results(request)
        if not self.result_count:
            self.nothing = self.model_admin.nothing(request, filtered=bool(self.query or self.get_filters_params()))
        if not self.query and not self.get_filters_params():
            self.full_result_count = self.result_count


class PortalAdmin(ModelAdmin):
    """Lists that do not count millions of rows, and no delete at all."""

    list_per_page = 50
    show_full_result_count = False
    list_disable_select_all = True
    list_filter_submit = True
    show_facets = ShowFacets.NEVER
    empty_value_display = show.NOTHING
    actions_on_top = True
    when_empty: Any = ""
    """What will stand in the list once there is something."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[PortalChangeList]:
        """Ours."""
        return PortalChangeList

    def nothing(self, request: HttpRequest, *, filtered: bool) -> Nothing:
        """What an empty list says."""
        if filtered:
            return behind_filters()
        title = _("There is nothing here yet")
        if not self.has_add_permission(request):
            return Nothing(title=title, text=self.when_empty)
        url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_add")
        return Nothing(title=title, text=self.when_empty, button=_("Add"), url=url)

    @display(description=ModelAdmin.action_checkbox.short_description)
    def action_checkbox(self, obj: Any) -> SafeString:
        """The theme's box, rendered once: a widget's template for each row costs a tenth of a list's time."""
        return mark_safe(_box().replace(_VALUE, str(int(obj.pk))))  # noqa: S308  # the theme's markup, and a number

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: every row is referred to by history."""
        return False

    def page(self, request: HttpRequest, template: str, *, title: Any, **context: Any) -> TemplateResponse:
        """A page of ours inside the admin's frame; `original` gives the trail above the title."""
        request.current_app = self.admin_site.name
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        return TemplateResponse(request, f"recovery/admin/{template}", frame | context)


class ReadOnlyAdmin(PortalAdmin):
    """Seen by whoever may see it, changed by nobody."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False
