"""Tokens of the API."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from recovery.models.profile import LivyProfile


class ApiToken(models.Model):
    """A token's SHA-256; the token itself is shown once, when it is made."""

    prefix = models.CharField(_("begins with"), max_length=12, unique=True)
    sha256 = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.PROTECT, related_name="api_tokens"
    )
    name = models.CharField(_("name"), max_length=100)
    scopes = models.JSONField(_("scopes"), default=list, blank=True)
    profiles = models.ManyToManyField(
        LivyProfile, verbose_name=_("profiles"), blank=True, help_text=_("Empty: every profile of its user.")
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ("user", "name")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
