"""What operators know about failures: a pattern in a log, its cause and its remedy, in both languages."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from recovery.domain.signatures import Certainty, Place
from recovery.models import labels
from recovery.models.base import one_of

RECORDS = HistoricalRecords()
"""The history of signatures; by name, so that a service can write its first line."""


class FailureSignatureQuerySet(models.QuerySet["FailureSignature"]):
    """Reads of signatures."""

    def in_use(self) -> FailureSignatureQuerySet:
        """Enabled, in the order in which they are tried."""
        return self.filter(enabled=True).order_by("order", "pk")


class FailureSignature(models.Model):
    """Edited by operators; the portal brings the first ones in a migration. Its pattern cannot hang a page."""

    code = models.SlugField(
        _("short name"), max_length=40, unique=True, help_text=_("Letters, digits, dashes. Shown to operators only.")
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    order = models.PositiveIntegerField(
        _("order"), default=100, help_text=_("The smallest is tried first and shown first.")
    )
    pattern = models.CharField(
        _("pattern"),
        max_length=500,
        help_text=_(
            "A regular expression that is looked for line by line; upper and lower case are one. "
            "Bound what repeats anything: .{0,80} instead of .*"
        ),
    )
    in_words = models.BooleanField(_("in the server's words"), default=True)
    in_diagnostics = models.BooleanField(_("in the diagnostics"), default=True)
    in_log = models.BooleanField(_("in the log"), default=True)
    certainty = models.CharField(
        _("how sure"), max_length=10, choices=labels.certainties, default=Certainty.PROBABLE.value
    )
    cause_fr = models.CharField(_("cause (French)"), max_length=300)
    cause_en = models.CharField(_("cause (English)"), max_length=300)
    remedy_fr = models.TextField(_("remedy (French)"), max_length=1000)
    remedy_en = models.TextField(_("remedy (English)"), max_length=1000)
    change = models.TextField(_("change of the payload"), max_length=1000, blank=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    history = RECORDS
    objects = FailureSignatureQuerySet.as_manager()

    EDITED_FIELDS = (
        "code", "order", "enabled", "pattern", "in_words", "in_diagnostics", "in_log", "certainty", "cause_fr",
        "remedy_fr", "cause_en", "remedy_en", "change",
    )  # fmt: skip
    """What people change."""

    class Meta:
        verbose_name = _("failure signature")
        verbose_name_plural = _("failure signatures")
        ordering = ("order", "pk")
        constraints = [
            one_of("certainty", Certainty, name="signature_certainty"),
            models.CheckConstraint(
                condition=Q(in_words=True) | Q(in_diagnostics=True) | Q(in_log=True), name="signature_looks_somewhere"
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def places(self) -> list[Place]:
        """Where it looks."""
        looks = {Place.WORDS: self.in_words, Place.DIAGNOSTICS: self.in_diagnostics, Place.LOG: self.in_log}
        return [place for place, does in looks.items() if does]

    @property
    def cause(self) -> str:
        """In the active language."""
        return self.cause_fr if _is_french() else self.cause_en

    @property
    def remedy(self) -> str:
        """In the active language."""
        return self.remedy_fr if _is_french() else self.remedy_en


def _is_french() -> bool:
    return (get_language() or "").startswith("fr")
