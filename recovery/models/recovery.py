"""One request to run one jar once."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from recovery.domain.arguments import ArgsMode
from recovery.domain.gateways import Channel
from recovery.domain.states import FOLLOWED, LIVE, TERMINAL, Hold, Settlement, State
from recovery.domain.verdicts import Outcome
from recovery.models import labels
from recovery.models.access import ApiToken
from recovery.models.base import HistoryIsAppendOnly, NeverDeletedQuerySet, one_of
from recovery.models.gateway import Gateway
from recovery.models.profile import LivyProfile

if TYPE_CHECKING:
    from recovery.models.log import RecoveryLog


_ENDED = sorted(state.value for state in TERMINAL)
_LIVE = sorted(state.value for state in LIVE)


class JarKey(models.Func):
    """The jar's path as far as an index can hold it: a whole one may be too long for PostgreSQL's. Frozen into a
    migration, literal numbers and all, without which SQLite would not find the index."""

    LENGTH = 200
    template = f"SUBSTR(%(expressions)s, 1, {LENGTH})"
    arity = 1
    output_field = models.CharField()


class RecoveryQuerySet(NeverDeletedQuerySet["Recovery"]):
    """Reads shared by admin, API and workers."""

    def live(self) -> RecoveryQuerySet:
        """Not ended."""
        return self.filter(state__in=LIVE)

    def ended(self) -> RecoveryQuerySet:
        """In a terminal state. Said by what they are not: an index of states would have nearly all of them sorted."""
        return self.exclude(state__in=LIVE)

    def followed(self) -> RecoveryQuerySet:
        """A batch of ours is known and not ended."""
        return self.filter(state__in=FOLLOWED)

    def due(self, now: datetime) -> RecoveryQuerySet:
        """Their next action is due, soonest first."""
        return self.filter(next_action_at__lte=now).order_by("next_action_at", "id")

    def of_jar(self, jar_path: str) -> RecoveryQuerySet:
        """Of this very jar, found by the index `recovery_jar`."""
        found = self.alias(jar_key=JarKey("jar_path")).filter(jar_key=jar_path[: JarKey.LENGTH])
        # only where it says more: with both conditions SQLite puts the path into the first, and passes over the index
        return found.filter(jar_path=jar_path) if len(jar_path) >= JarKey.LENGTH else found

    def for_list(self) -> RecoveryQuerySet:
        """What lists show, newest first."""
        return self.select_related("profile", "gateway", "requester", "resubmission_of", "settled_by").order_by("-id")


class Recovery(models.Model):
    """Owns its payload, its batch, its log and its events. The state has one writer: `services/transitions.py`."""

    gateway = models.ForeignKey(Gateway, verbose_name=_("gateway"), on_delete=models.PROTECT, related_name="recoveries")
    profile = models.ForeignKey(
        LivyProfile, verbose_name=_("profile"), on_delete=models.PROTECT, related_name="recoveries"
    )
    profile_name = models.CharField(_("profile at that time"), max_length=60)
    profile_version = models.PositiveIntegerField(_("version of the profile"))

    jar_path = models.CharField(_("jarPath"), max_length=1000)
    raw_jar_args = models.TextField(_("jarArgs as typed"), blank=True)
    args = models.JSONField(_("arguments"), default=list)
    args_mode = models.CharField(_("arguments mode"), max_length=10, choices=labels.args_modes)
    payload = models.TextField(_("payload"))
    payload_sha256 = models.CharField(_("SHA-256 of the payload"), max_length=64)
    sent_payload = models.TextField(_("payload as sent"))
    preflight = models.TextField(_("preflight"), blank=True, default="", editable=False)
    """What was looked at before it was filed, as JSON (`domain/preflight.py`); empty: nothing was."""
    batch_name = models.CharField(_("batch name"), max_length=80, unique=True)
    asked_proxy_user = models.CharField(_("proxyUser asked for"), max_length=150, blank=True)

    state = models.CharField(_("state"), max_length=20, choices=labels.states, default=State.QUEUED.value)
    outcome = models.CharField(_("outcome"), max_length=30, blank=True, choices=labels.outcomes)
    outcome_words = models.TextField(_("in the server's words"), blank=True)
    hold = models.CharField(_("on hold"), max_length=20, blank=True, default="", choices=labels.holds)

    tries = models.PositiveIntegerField(_("tries"), default=0)
    fence = models.PositiveBigIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    try_started_at = models.DateTimeField(_("try started"), null=True, blank=True)
    try_ends_at = models.DateTimeField(_("end of the try's deadline"), null=True, blank=True)
    next_action_at = models.DateTimeField(_("next action"), null=True, blank=True)
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    submit_by = models.DateTimeField(_("to be submitted by"))

    may_have_started = models.BooleanField(_("may have started"), default=False)
    doubt_try = models.PositiveIntegerField(default=0, editable=False)
    """The last claim (`fence`) whose end is not known."""
    doubt_since = models.DateTimeField(_("in doubt since"), null=True, blank=True)
    """Start of the first try of the doubt that is open."""
    cleared_try = models.PositiveIntegerField(default=0, editable=False)
    """Up to this claim it is proved that nothing runs (S2)."""
    answered_try = models.PositiveIntegerField(default=0, editable=False)
    """The last claim whose POST Livy itself has answered."""
    refusal_try = models.PositiveIntegerField(default=0, editable=False)
    """The last claim that Livy refused for its payload."""
    post_begun_try = models.PositiveIntegerField(default=0, editable=False)
    """The last claim that came to its last act before the first byte of a POST."""
    looks = models.PositiveIntegerField(_("look-ups of the doubt"), default=0)
    yarn_none_at = models.DateTimeField(null=True, blank=True, editable=False)
    """YARN knew no application of this tag; once more at a distance, and it counts (S3 b)."""
    phantom_id = models.BigIntegerField(null=True, blank=True, editable=False)
    phantom_since = models.DateTimeField(null=True, blank=True, editable=False)
    cleanup_due = models.BooleanField(_("phantom to be cleaned up"), default=False)

    cancel_requested_at = models.DateTimeField(_("cancel asked for"), null=True, blank=True)
    cancel_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("cancel asked for by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    delete_sent_at = models.DateTimeField(_("DELETE sent"), null=True, blank=True)
    delete_answered_at = models.DateTimeField(_("DELETE answered"), null=True, blank=True)

    livy_id = models.BigIntegerField(_("batch id"), null=True, blank=True)
    livy_state = models.CharField(_("state in Livy"), max_length=40, blank=True)
    app_id = models.CharField(_("application id"), max_length=100, blank=True)
    owner = models.CharField(_("owner in Livy"), max_length=150, blank=True)
    proxy_user = models.CharField(_("ran as"), max_length=150, blank=True)
    spark_ui_url = models.CharField(_("Spark UI"), max_length=1000, blank=True)
    driver_log_url = models.CharField(_("driver log"), max_length=1000, blank=True)
    seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    gone_looks = models.PositiveSmallIntegerField(default=0, editable=False)
    gone_since = models.DateTimeField(null=True, blank=True, editable=False)
    terminal_word = models.CharField(_("first terminal word"), max_length=40, blank=True)
    terminal_seen_at = models.DateTimeField(_("terminal word first seen"), null=True, blank=True)
    log_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When its log is read next; None: never again."""

    settled_as = models.CharField(_("settled as"), max_length=12, blank=True, choices=labels.settlements)
    settled_reason = models.TextField(_("why settled so"), blank=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("settled by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    linked_batch_id = models.BigIntegerField(_("linked batch id"), null=True, blank=True)
    """What a person has linked it to (H1), as Livy and YARN named it then."""
    linked_batch_name = models.CharField(_("linked batch name"), max_length=300, blank=True)
    linked_app_id = models.CharField(_("linked application id"), max_length=100, blank=True)

    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("requested by"),
        on_delete=models.PROTECT,
        related_name="recoveries",
    )
    requester_label = models.CharField(_("requested by (name at that time)"), max_length=150)
    channel = models.CharField(_("filed through"), max_length=10, choices=labels.channels)
    token = models.ForeignKey(
        ApiToken, verbose_name=_("API token"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    filing_key = models.CharField(max_length=200, blank=True, editable=False)
    filing_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    resubmission_of = models.ForeignKey(
        "self",
        verbose_name=_("resubmission of"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="resubmissions",
    )
    attempt = models.PositiveIntegerField(_("attempt"), default=1)

    notice_due = models.BooleanField(default=True, editable=False)
    """Whoever wants a mail about its end has not got it yet."""

    created_at = models.DateTimeField(_("filed"), db_default=Now())
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True)
    started_at = models.DateTimeField(_("running since"), null=True, blank=True)
    finished_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = RecoveryQuerySet.as_manager()

    if TYPE_CHECKING:
        kept_log: RecoveryLog

    class Meta:
        verbose_name = _("recovery")
        verbose_name_plural = _("recoveries")
        ordering = ("-id",)
        default_permissions = ("view",)
        permissions = [
            ("file_recovery", "Can file recoveries"),
            ("override_profile", "Can set values over a profile's when filing"),
            ("resubmit_recovery", "Can resubmit recoveries"),
            ("cancel_own_recovery", "Can cancel own recoveries"),
            ("cancel_any_recovery", "Can cancel any recovery"),
            ("settle_recovery", "Can settle lost recoveries"),
        ]
        constraints = [
            one_of("state", State, name="recovery_state"),
            one_of("outcome", Outcome, name="recovery_outcome", blank=True),
            one_of("hold", Hold, name="recovery_hold", blank=True),
            one_of("settled_as", Settlement, name="recovery_settled_as", blank=True),
            one_of("channel", Channel, name="recovery_channel"),
            one_of("args_mode", ArgsMode, name="recovery_args_mode"),
            models.CheckConstraint(
                condition=Q(state__in=_ENDED, finished_at__isnull=False) | Q(state__in=_LIVE, finished_at__isnull=True),
                name="recovery_finished_when_terminal",
            ),
            models.CheckConstraint(condition=Q(attempt__gte=1), name="recovery_attempt_from_one"),
            models.CheckConstraint(
                condition=Q(resubmission_of__isnull=True) | ~Q(resubmission_of=F("id")),
                name="recovery_not_own_parent",
            ),
            models.UniqueConstraint(
                fields=("requester", "filing_key"), condition=~Q(filing_key=""), name="recovery_filed_once"
            ),
            models.UniqueConstraint(
                fields=("resubmission_of",),
                condition=Q(state__in=_LIVE),
                name="recovery_one_live_child",
            ),
        ]
        indexes = [
            models.Index(
                fields=("gateway", "state", "next_action_at"),
                condition=Q(state__in=_LIVE),
                name="recovery_due",
            ),
            models.Index(
                fields=("gateway", "log_due_at"), condition=Q(log_due_at__isnull=False), name="recovery_log_due"
            ),
            models.Index(fields=("gateway",), condition=Q(cleanup_due=True), name="recovery_cleanup"),
            models.Index(fields=("state", "-id"), name="recovery_state_newest"),
            models.Index(fields=("profile", "-id"), condition=Q(state=State.SUCCEEDED.value), name="recovery_usual"),
            models.Index(fields=("-created_at",), name="recovery_created"),
            models.Index(JarKey("jar_path"), F("created_at").desc(), name="recovery_jar"),
            models.Index(fields=("state",), condition=Q(notice_due=True, state__in=_ENDED), name="recovery_notice"),
            models.Index(fields=("app_id",), condition=~Q(app_id=""), name="recovery_app"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} · {self.batch_name}"

    @property
    def payload_json(self) -> dict[str, Any]:
        """The frozen payload, parsed."""
        value: dict[str, Any] = json.loads(self.payload)
        return value

    @property
    def begun_at(self) -> datetime | None:
        """From when its run counts: since it is seen running, or else since Livy's yes."""
        return self.started_at or self.submitted_at

    @property
    def is_terminal(self) -> bool:
        """It has ended, or is parked as lost."""
        return self.state in TERMINAL

    @property
    def in_doubt(self) -> bool:
        """A POST may have arrived, and nothing with an identity has said otherwise (A5)."""
        return self.may_have_started and self.doubt_try > self.cleared_try

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Never."""
        raise HistoryIsAppendOnly("a recovery is not deleted")
