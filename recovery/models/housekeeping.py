"""Rows for the portal itself: which portal this database belongs to, and who holds which lease."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Instance(models.Model):
    """The one row that says whose database this is (H5)."""

    ID = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ID)
    portal_id = models.CharField(_("portal id"), max_length=20)
    epoch = models.PositiveIntegerField(_("epoch"), default=1)
    created_at = models.DateTimeField(_("created"), db_default=Now())

    class Meta:
        verbose_name = _("instance")
        verbose_name_plural = _("instance")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="instance_one_row")]

    def __str__(self) -> str:
        return f"{self.portal_id}, epoch {self.epoch}"


class Lease(models.Model):
    """A right to do one thing alone for a while; `token` rises with each holder (fencing)."""

    name = models.CharField(max_length=80, unique=True)
    holder = models.CharField(max_length=120, blank=True)
    token = models.PositiveBigIntegerField(default=0)
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")

    def __str__(self) -> str:
        return self.name
