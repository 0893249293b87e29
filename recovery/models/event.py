"""All history in one table: who did what to which subject, and why."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from recovery.models.base import AppendOnlyQuerySet, HistoryIsAppendOnly, one_of


class SubjectType(StrEnum):
    """What an event is about."""

    RECOVERY = "recovery"
    GATEWAY = "gateway"
    PROFILE = "profile"
    TOKEN = "token"  # noqa: S105  # a word, not a secret
    INSTANCE = "instance"


COUNTED = ("adopted", "name_taken", "looked", "duplicate", "acknowledged", "settled")
"""Kinds that are counted and looked for over all subjects: duplicates avoided, and alarms (`services/alarms.py`)."""


class CountedKind(models.Func):
    """A condition: the event is of a kind in COUNTED. With literal values: SQLite takes the index `event_counted`,
    which holds only these, for its very own condition alone."""

    template = "(%(expressions)s IN (" + ", ".join(f"'{kind}'" for kind in COUNTED) + "))"
    arity = 1
    output_field = models.BooleanField()

    def __init__(self) -> None:
        super().__init__(models.F("kind"))


class RecoveryEventQuerySet(AppendOnlyQuerySet["RecoveryEvent"]):
    """Reads of the history."""

    def of(self, subject: SubjectType, subject_id: int) -> RecoveryEventQuerySet:
        """One subject's events, oldest first."""
        return self.filter(subject_type=subject, subject_id=subject_id).order_by("seq")

    def counted(self) -> RecoveryEventQuerySet:
        """Those of the few kinds that are looked for over all subjects, found by their index."""
        return self.filter(CountedKind())


class RecoveryEvent(models.Model):
    """One line of history. Written in the transaction of the change that it tells, by `services/events.py` alone."""

    subject_type = models.CharField(_("subject"), max_length=16)
    subject_id = models.BigIntegerField(_("subject id"))
    seq = models.PositiveIntegerField(_("number"))
    at = models.DateTimeField(_("at"), db_default=Now())
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    actor_label = models.CharField(_("by (name at that time)"), max_length=150, blank=True)
    kind = models.CharField(_("event"), max_length=40)
    cause = models.CharField(_("cause"), max_length=60, blank=True)
    data = models.TextField(_("data"), default="{}")
    prev_hash = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001  # NULL: no chain yet
    hash = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001  # NULL: no chain yet

    objects = RecoveryEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("subject_type", "subject_id", "seq")
        constraints = [
            models.UniqueConstraint(fields=("subject_type", "subject_id", "seq"), name="event_seq_unique"),
            one_of("subject_type", SubjectType, name="event_subject_type"),
        ]
        indexes = [
            models.Index(fields=("-at",), name="event_at"),
            models.Index(fields=("kind", "subject_id"), condition=Q(kind__in=COUNTED), name="event_counted"),
        ]

    def __str__(self) -> str:
        return f"{self.subject_type} {self.subject_id} #{self.seq}: {self.kind}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only."""
        if not self._state.adding:
            raise HistoryIsAppendOnly("an event is not changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Never."""
        raise HistoryIsAppendOnly("an event is not deleted")

    @property
    def facts(self) -> dict[str, Any]:
        """`data` as a dictionary."""
        value: dict[str, Any] = json.loads(self.data)
        return value
