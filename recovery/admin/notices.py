"""The page where each person chooses what to be told of by e-mail."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recovery import wording
from recovery.admin.base import require
from recovery.domain.notices import Wish
from recovery.models import NoticeWish
from recovery.services.notifying import choose


class WishForm(forms.Form):
    """One choice of three."""

    wish = forms.ChoiceField(
        choices=lambda: [(wish.value, wording.label(wish)) for wish in Wish], widget=forms.RadioSelect
    )


def notices_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """Shows the choice, and keeps it."""
    user = require(request, "recovery.file_recovery", "recovery.resubmit_recovery")
    if request.method == "POST":
        form = WishForm(request.POST)
        if form.is_valid():
            choose(user_id=user.pk, wish=Wish(form.cleaned_data["wish"]), language=get_language() or "en")
            messages.success(request, _("Your choice is kept. It counts for every recovery that ends from now on."))
            return redirect("admin:recovery_recovery_notices")
    else:
        chosen = NoticeWish.objects.filter(pk=user.pk).first()
        form = WishForm(initial={"wish": chosen.wish if chosen else Wish.NEVER.value})
    return admin.page(  # type: ignore[no-any-return]  # the admin that shows it
        request, "notices.html", title=_("My notifications"), form=form, address=user.email,
        ready=settings.EMAIL_READY,
    )  # fmt: skip
