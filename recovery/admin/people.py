"""Users and groups in the theme's forms."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from recovery.admin.base import PortalAdmin

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, PortalAdmin):  # type: ignore[type-arg, misc]  # not subscriptable when it runs
    """A user is made inactive, not deleted: history refers to people."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_filter_submit = False


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, PortalAdmin):  # type: ignore[misc]  # the stubs, about get_changelist
    """What people may do."""

    list_filter_submit = False
