"""A named launch configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import Group
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from recovery.domain.arguments import ArgsMode
from recovery.models import labels
from recovery.models.base import one_of
from recovery.models.gateway import Gateway

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

RECORDS = HistoricalRecords(m2m_fields=["allowed_groups"])
"""The history of profiles; by name, so that a service can write the row and its groups as one line."""


class LivyProfileQuerySet(models.QuerySet["LivyProfile"]):
    """Reads of profiles."""

    def usable_by(self, user: User | AnonymousUser) -> LivyProfileQuerySet:
        """Enabled, on a gateway that takes submissions, and open to one of the user's groups (or to all)."""
        return self.open_to(user).filter(enabled=True, gateway__follow_only=False).select_related("gateway")

    def open_to(self, user: User | AnonymousUser) -> LivyProfileQuerySet:
        """Open to one of the user's groups, or to all."""
        if user.is_superuser:
            return self
        groups = Group.objects.filter(user=user.pk)
        return self.filter(Q(allowed_groups__isnull=True) | Q(allowed_groups__in=groups)).distinct()


class LivyProfile(models.Model):
    """Sizes, queue, user, files and Spark configuration under a name.

    `version` counts what is launched, and where: another name or other groups make a line of history, and no version.
    """

    ENV_NAME = "env"

    name = models.CharField(_("name"), max_length=60, unique=True)
    description = models.CharField(
        _("what it is for"), max_length=300, blank=True, help_text=_("A sentence for the people who choose it.")
    )
    gateway = models.ForeignKey(Gateway, verbose_name=_("gateway"), on_delete=models.PROTECT, related_name="profiles")
    enabled = models.BooleanField(_("enabled"), default=True)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    managed_by_env = models.BooleanField(_("kept by .env"), default=False, editable=False)
    allowed_groups = models.ManyToManyField(
        Group, verbose_name=_("who may use it"), blank=True, help_text=_("Empty: everybody who may file recoveries.")
    )
    args_mode = models.CharField(
        _("arguments"),
        max_length=10,
        choices=labels.profile_args_modes,
        default=ArgsMode.SINGLE.value,
        help_text=_("single: jarArgs reaches the jar as one argument; split: it is cut as a shell would."),
    )
    never_restart_in_yarn = models.BooleanField(
        _("never restart inside YARN"),
        default=False,
        help_text=_("Adds spark.yarn.maxAppAttempts=1, for jobs that must not run twice."),
    )

    class_name = models.CharField(_("className"), max_length=300, blank=True)
    queue = models.CharField(_("queue"), max_length=150, blank=True)
    proxy_user = models.CharField(
        _("proxyUser"),
        max_length=150,
        blank=True,
        help_text=_("Knox usually replaces it by the user of the gateway; the recovery shows as whom it ran."),
    )
    driver_memory = models.CharField(_("driverMemory"), max_length=20, blank=True)
    driver_cores = models.PositiveIntegerField(
        _("driverCores"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    executor_memory = models.CharField(_("executorMemory"), max_length=20, blank=True)
    executor_cores = models.PositiveIntegerField(
        _("executorCores"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    num_executors = models.PositiveIntegerField(
        _("numExecutors"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    jars = models.JSONField(_("jars"), default=list, blank=True)
    files = models.JSONField(_("files"), default=list, blank=True)
    py_files = models.JSONField(_("pyFiles"), default=list, blank=True)
    archives = models.JSONField(_("archives"), default=list, blank=True)
    conf = models.JSONField(_("conf"), default=dict, blank=True)

    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    history = RECORDS
    objects = LivyProfileQuerySet.as_manager()

    LAUNCH_FIELDS = (
        "args_mode", "never_restart_in_yarn", "class_name", "queue", "proxy_user", "driver_memory", "driver_cores",
        "executor_memory", "executor_cores", "num_executors", "jars", "files", "py_files", "archives", "conf",
    )  # fmt: skip
    """What decides the payload."""
    VERSION_FIELDS = ("gateway", *LAUNCH_FIELDS)
    """What a version is about."""
    EDITED_FIELDS = ("name", "description", "gateway", "enabled", "allowed_groups", *LAUNCH_FIELDS)
    """What people change."""

    class Meta:
        verbose_name = _("Livy profile")
        verbose_name_plural = _("Livy profiles")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                fields=("managed_by_env",), condition=Q(managed_by_env=True), name="profile_one_env"
            ),
            one_of("args_mode", ArgsMode, name="profile_args_mode"),
        ]

    def __str__(self) -> str:
        return self.name
