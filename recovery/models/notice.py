"""What a person wants to be told by e-mail."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from recovery.domain.notices import Wish
from recovery.models import labels
from recovery.models.base import one_of


class NoticeWish(models.Model):
    """One row for each person who has chosen; without one, nothing is sent."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_wish", primary_key=True
    )
    wish = models.CharField(
        _("tell me by e-mail"), max_length=10, choices=labels.wishes, default=Wish.NEVER.value,
        help_text=_("When a recovery that I have filed has ended."),
    )  # fmt: skip
    language = models.CharField(max_length=10, editable=False)
    """Of the mails: that of the page when it was chosen."""

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        default_permissions = ()
        constraints = [one_of("wish", Wish, name="notice_wish")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.wish}"
