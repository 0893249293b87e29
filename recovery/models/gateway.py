"""One Knox topology."""

from __future__ import annotations

from datetime import datetime

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from recovery.domain.gateways import AuthKind, Condition
from recovery.domain.payload_rules import DEFAULT_SCHEMES
from recovery.models import labels
from recovery.models.base import one_of


def default_schemes() -> list[str]:
    """The URI schemes that a new gateway takes."""
    return list(DEFAULT_SCHEMES)


class GatewayQuerySet(models.QuerySet["Gateway"]):
    """Reads of gateways."""

    def for_list(self) -> GatewayQuerySet:
        """By name."""
        return self.order_by("name")


class Gateway(models.Model):
    """Base URL, auth, paths and cap of one Knox topology. URL, paths and user never change once used (H4)."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    base_url = models.CharField(
        _("base URL"),
        max_length=300,
        help_text=_("https://host:8443/gateway/topology"),
    )
    livy_path = models.CharField(_("path of Livy"), max_length=100, default="livy/v1")
    webhdfs_path = models.CharField(
        _("path of WebHDFS"), max_length=100, blank=True, help_text=_("Empty: none behind this gateway.")
    )
    yarn_path = models.CharField(
        _("path of YARN"), max_length=100, blank=True, help_text=_("Empty: none behind this gateway.")
    )
    auth_kind = models.CharField(
        _("authentication"), max_length=10, choices=labels.auth_kinds, default=AuthKind.BASIC.value
    )
    user = models.CharField(_("user"), max_length=150, blank=True)
    secret_ref = models.CharField(
        _("reference to the secret"),
        max_length=300,
        blank=True,
        help_text=_("env:NAME of a variable, or file:/path of a file. The secret itself is never stored here."),
    )
    verify_tls = models.BooleanField(_("verify TLS"), default=True)
    ca_bundle = models.CharField(_("file of certificate authorities"), max_length=300, blank=True)
    managed_by_env = models.BooleanField(_("kept by .env"), default=False, editable=False)

    follow_only = models.BooleanField(
        _("follow only"), default=False, help_text=_("No new recovery is submitted here; running ones are followed.")
    )
    single_livy = models.BooleanField(
        _("one Livy behind it"),
        default=True,
        help_text=_("Off for high availability or load balancing: a doubt can then not be settled by Livy's memory."),
    )
    livy_recovery = models.BooleanField(
        _("Livy's recovery mode is on"), default=False, help_text=_("Its batches survive a restart of Livy.")
    )
    retention_seconds = models.PositiveIntegerField(
        _("Livy's retention (s)"),
        default=600,
        validators=[MinValueValidator(60)],
        help_text=_("livy.server.session.state-retain.sec: Livy forgets an ended batch after this time."),
    )
    allowed_schemes = models.JSONField(_("allowed URI schemes"), default=default_schemes)
    max_running = models.PositiveIntegerField(
        _("most at once"), null=True, blank=True, help_text=_("Recoveries that may run here at once. Empty: no limit.")
    )

    paused = models.BooleanField(_("submissions paused"), default=False)
    paused_reason = models.CharField(_("why paused"), max_length=300, blank=True)

    condition = models.CharField(_("condition"), max_length=30, blank=True, choices=labels.conditions)
    condition_words = models.CharField(_("what was seen"), max_length=2000, blank=True)
    condition_since = models.DateTimeField(_("since"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True)
    submit_condition = models.CharField(
        _("why it takes no submissions"), max_length=30, blank=True, choices=labels.conditions
    )
    submit_words = models.CharField(_("what was answered to a submission"), max_length=2000, blank=True)
    submit_since = models.DateTimeField(_("no submissions since"), null=True, blank=True)
    submit_failures = models.PositiveIntegerField(_("refused submissions in a row"), default=0)
    submit_next_at = models.DateTimeField(_("next submission"), null=True, blank=True)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    away_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When Livy last gave no answer at all."""
    livy_restarted_at = models.DateTimeField(_("Livy restarted"), null=True, blank=True, editable=False)
    """When it was last seen that Livy had been started anew."""
    livy_version = models.CharField(_("Livy's version"), max_length=100, blank=True)
    version_accepted = models.BooleanField(
        _("version accepted"),
        default=False,
        help_text=_(
            "An operator's word that this Livy knows batch names (0.6 or later), where its version is unclear."
        ),
    )
    witnesses = models.JSONField(
        _("witness batches"),
        default=list,
        editable=False,
        help_text=_("Batches seen lately: name, id, time. Still there later, they prove that Livy has not forgotten."),
    )
    next_list_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When Livy's list is read next; None: its batches are read one by one."""
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    history = HistoricalRecords(
        excluded_fields=[
            "submit_condition",
            "submit_words",
            "submit_since",
            "submit_failures",
            "submit_next_at",
            "condition", "condition_words", "condition_since", "failures", "next_try_at", "last_seen_at",
            "livy_version", "witnesses", "next_list_at", "away_at", "livy_restarted_at",
        ]
    )  # fmt: skip
    objects = GatewayQuerySet.as_manager()

    ENDPOINT_FIELDS = (
        "base_url",
        "livy_path",
        "webhdfs_path",
        "yarn_path",
        "auth_kind",
        "user",
    )
    """What makes it this gateway: immutable once a recovery has used it (H4)."""
    EDITED_FIELDS = (
        "name", *ENDPOINT_FIELDS, "secret_ref", "verify_tls", "ca_bundle", "single_livy", "livy_recovery",
        "retention_seconds", "version_accepted", "allowed_schemes", "max_running", "follow_only",
    )  # fmt: skip
    """What people change in a form; a pause is an event."""

    class Meta:
        verbose_name = _("gateway")
        verbose_name_plural = _("gateways")
        ordering = ("name",)
        constraints = [
            one_of("auth_kind", AuthKind, name="gateway_auth_kind"),
            one_of("condition", Condition, name="gateway_condition", blank=True),
            one_of("submit_condition", Condition, name="gateway_submit_condition", blank=True),
        ]
        permissions = [("operate_gateway", "Can pause, resume and test gateways")]

    def __str__(self) -> str:
        return self.name

    @property
    def seen_condition(self) -> str:
        """What is wrong with it now: with the gateway, or else with what it answers to submissions."""
        return self.condition or self.submit_condition

    @property
    def seen_words(self) -> str:
        """What was answered then."""
        return self.condition_words if self.condition else self.submit_words

    @property
    def seen_since(self) -> datetime | None:
        """Since when."""
        return self.condition_since if self.condition else self.submit_since

    @property
    def seen_next_try_at(self) -> datetime | None:
        """When it is tried next."""
        return self.next_try_at if self.condition else self.submit_next_at

    @property
    def used(self) -> bool:
        """A recovery was filed on it."""
        return self.recoveries.exists()
