"""The log of a recovery, kept beyond Livy's ring of 200 lines and its ten minutes of memory."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _

from recovery.models.base import HistoryIsAppendOnly, NeverDeletedQuerySet
from recovery.models.recovery import Recovery


class RecoveryLog(models.Model):
    """Output and YARN diagnostics as read from Livy, secrets redacted; lines that were lost are marked."""

    recovery = models.OneToOneField(
        Recovery, verbose_name=_("recovery"), on_delete=models.PROTECT, related_name="kept_log", primary_key=True
    )
    output = models.TextField(_("output"), blank=True)
    diagnostics = models.TextField(_("YARN diagnostics"), blank=True)
    on_yarn = models.BooleanField(default=False, editable=False)
    withheld = models.BooleanField(_("withheld by Livy"), default=False)
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    final = models.BooleanField(_("read after the end"), default=False)

    objects: models.Manager[RecoveryLog] = NeverDeletedQuerySet["RecoveryLog"].as_manager()

    class Meta:
        verbose_name = _("log")
        verbose_name_plural = _("logs")

    def __str__(self) -> str:
        return f"log of recovery {self.pk}"

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Never."""
        raise HistoryIsAppendOnly("a log is not deleted")
