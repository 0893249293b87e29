"""Users and groups in the theme's forms."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from recovery import wording
from recovery.admin.base import PortalAdmin

admin.site.unregister(User)
admin.site.unregister(Group)


def by_their_names(field: Any) -> Any:
    """A choice of groups, each as it is called in the language of the page."""
    if field is not None and issubclass(field.queryset.model, Group):
        field.label_from_instance = lambda group: wording.group_name(group.name)
    return field


class GroupFilter(admin.RelatedFieldListFilter):
    """The groups, as they are called in the language of the page."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """(key, name)."""
        found = super().field_choices(field, request, model_admin)
        return [(key, wording.group_name(str(name))) for key, name in found]


@admin.register(User)
class UserAdmin(DjangoUserAdmin, PortalAdmin):  # type: ignore[type-arg, misc]  # not subscriptable when it runs
    """A user is made inactive, not deleted: history refers to people."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_filter = ("is_staff", "is_superuser", "is_active", ("groups", GroupFilter))
    list_filter_submit = False

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The groups by their names."""
        return by_their_names(super().formfield_for_manytomany(db_field, request, **kwargs))


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, PortalAdmin):  # type: ignore[misc]  # the stubs, about get_changelist
    """What people may do."""

    list_display = ("shown",)
    list_filter_submit = False

    @display(description=_("name"), ordering="name")
    def shown(self, obj: Group) -> str:
        """In the language of the page."""
        return wording.group_name(obj.name)
