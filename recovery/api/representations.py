"""What the API shows, in the camelCase of the guide and of Livy. Empty and unknown words are shown as null."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from recovery import wording
from recovery.domain.arguments import ArgsMode
from recovery.domain.gateways import Channel, Condition
from recovery.domain.preflight import Light, Preflight
from recovery.domain.redaction import redact
from recovery.domain.states import Hold, Settlement, State
from recovery.domain.verdicts import Outcome
from recovery.models import Gateway, Recovery, RecoveryEvent
from recovery.services.duplicates import Avoided
from recovery.services.linking import Link, Source
from recovery.services.preview import Preview


def _values(kind: type[Any]) -> list[tuple[str, str]]:
    """Choices whose labels are the words themselves: the description of the API is in no language."""
    return [(member.value, member.value) for member in kind if member.value]


class _Text(serializers.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)


class _Number(serializers.IntegerField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)


class _Flag(serializers.BooleanField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)


class _Time(serializers.DateTimeField):
    """UTC, whatever the portal's zone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, default_timezone=UTC, **kwargs)


class _TextOrNull(_Text):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> Any:
        """null for nothing."""
        return value or None


class _Word(serializers.ChoiceField):
    def __init__(self, kind: type[Any], **kwargs: Any) -> None:
        super().__init__(choices=_values(kind), read_only=True, **kwargs)


class _WordOrNull(_Word):
    def __init__(self, kind: type[Any], **kwargs: Any) -> None:
        super().__init__(kind, allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> Any:
        """null for nothing."""
        return value or None


class _Texts(serializers.ListField):
    child = serializers.CharField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)


class _Json(serializers.DictField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)


class LinksShown(serializers.Serializer[Any]):
    """Addresses on this host."""

    self = serializers.CharField(read_only=True)
    events = _Text()
    log = _Text()
    resubmit = _Text()
    cancel = _Text()


def recovery_url(recovery_id: int, name: str = "recovery") -> str:
    """The address of a recovery, or of one of its parts."""
    return reverse(f"api:{name}", args=[recovery_id])


class CheckShown(serializers.Serializer[Any]):
    """One thing that was looked at."""

    check = _Text(help_text="A stable word for what was found.")
    light = _Word(Light, help_text="red blocks, amber asks, grey could not be checked, green is in order.")
    subject = _Text(help_text="The path, or the number of the recovery, that it is about.")
    params = _Json()
    text = _Text(help_text="In the language of the request.")


class PreflightShown(serializers.Serializer[Any]):
    """What was looked at before filing."""

    light = _Word(Light, help_text="Of the whole.")
    at = _Text()
    checks = CheckShown(many=True, read_only=True)
    confirmed = _Texts(help_text="Amber findings that a person has confirmed, as `check:subject`.")


def preflight_shown(seen: Preflight | None) -> dict[str, Any] | None:
    """In the shape of PreflightShown."""
    if seen is None:
        return None
    checks = [
        {
            "check": check.code,
            "light": check.light.value,
            "subject": check.subject,
            "params": dict(check.params),
            "text": wording.check_text(check, seen),
        }
        for check in seen.checks
    ]
    return {"light": seen.light.value, "at": seen.at, "checks": checks, "confirmed": list(seen.confirmed)}


class RecoveryShown(serializers.Serializer[Recovery]):
    """A recovery as it stands."""

    id = _Number()
    state = _Word(State)
    stateLabel = serializers.SerializerMethodField()
    outcome = _WordOrNull(Outcome)
    outcomeLabel = serializers.SerializerMethodField(help_text="The outcome in a sentence.")
    outcomeWords = _Text(source="outcome_words", help_text="What the server said.")
    jarPath = _Text(source="jar_path")
    jarArgs = _Text(source="raw_jar_args", help_text="As typed; the JSON text of a list that was sent as one.")
    args = _Texts(help_text="What the jar's main() receives.")
    argsMode = _Word(ArgsMode, source="args_mode")
    profile = _Text(source="profile_name")
    profileVersion = _Number(source="profile_version")
    gateway = _Text(source="gateway.name")
    payload = _Json(source="payload_json", help_text="What was asked for, frozen when it was filed.")
    payloadSha256 = _Text(
        source="payload_sha256", help_text="SHA-256 of the payload's canonical JSON (sorted keys, no blanks, UTF-8)."
    )
    sentPayload = serializers.SerializerMethodField(
        help_text="The payload, the batch name and the YARN tag: the body sent to Livy."
    )
    batchName = _Text(source="batch_name")
    batchId = _Number(source="livy_id", allow_null=True, help_text="Livy's number; 0 is one.")
    appId = _TextOrNull(source="app_id")
    livyState = _TextOrNull(source="livy_state", help_text="Livy's own word, as it was last seen.")
    askedProxyUser = _TextOrNull(source="asked_proxy_user")
    proxyUser = _TextOrNull(source="proxy_user", help_text="As whom it really ran.")
    requestedBy = _Text(source="requester_label")
    channel = _Word(Channel)
    reason = _Text()
    resubmissionOf = _Number(source="resubmission_of_id", allow_null=True)
    attempt = _Number(help_text="Its place in the chain of resubmissions, from 1.")
    tries = _Number(help_text="How many times its submission was begun.")
    mayHaveStarted = _Flag(source="may_have_started", help_text="The answer to a POST was once lost or unclear.")
    hold = _WordOrNull(Hold)
    cancelRequestedAt = _Time(source="cancel_requested_at", allow_null=True)
    settledAs = _WordOrNull(Settlement, source="settled_as")
    settledReason = _Text(source="settled_reason")
    settledBy = serializers.SerializerMethodField()
    settledAt = _Time(source="settled_at", allow_null=True)
    linkedBatchId = _Number(source="linked_batch_id", allow_null=True, help_text="The batch that it was linked to.")
    linkedBatchName = _TextOrNull(source="linked_batch_name")
    linkedAppId = _TextOrNull(source="linked_app_id")
    createdAt = _Time(source="created_at")
    submittedAt = _Time(source="submitted_at", allow_null=True)
    startedAt = _Time(source="started_at", allow_null=True)
    finishedAt = _Time(source="finished_at", allow_null=True)
    lastSeenAt = _Time(source="seen_at", allow_null=True)
    sparkUiUrl = _TextOrNull(source="spark_ui_url")
    driverLogUrl = _TextOrNull(source="driver_log_url")
    preflight = serializers.SerializerMethodField(
        help_text="What was looked at before it was filed, frozen. null: nothing was, or this is a list."
    )
    links = serializers.SerializerMethodField()

    @extend_schema_field(PreflightShown(allow_null=True))
    def get_preflight(self, row: Recovery) -> dict[str, Any] | None:
        """As it was kept; its sentences in the language of the request."""
        if isinstance(self.parent, serializers.ListSerializer):
            return None  # long, and not read for lists
        return preflight_shown(Preflight.from_text(row.preflight))

    def get_stateLabel(self, row: Recovery) -> str:
        """In the language of the request."""
        return str(wording.label(State(row.state)))

    @extend_schema_field({"type": "string", "nullable": True})
    def get_outcomeLabel(self, row: Recovery) -> str | None:
        """In the language of the request."""
        return str(wording.label(Outcome(row.outcome))) if row.outcome else None

    @extend_schema_field({"type": "object", "additionalProperties": {}})
    def get_sentPayload(self, row: Recovery) -> Any:
        """The frozen text, parsed."""
        return json.loads(row.sent_payload)

    @extend_schema_field({"type": "string", "nullable": True})
    def get_settledBy(self, row: Recovery) -> str | None:
        """The user's name."""
        return row.settled_by.get_username() if row.settled_by else None

    @extend_schema_field(LinksShown)
    def get_links(self, row: Recovery) -> dict[str, str]:
        """Paths, for whatever host and scheme the client came by."""
        names = {"self": "recovery", "events": "events", "log": "log", "resubmit": "resubmit", "cancel": "cancel"}
        return {link: recovery_url(row.pk, name) for link, name in names.items()}


class EventShown(serializers.Serializer[RecoveryEvent]):
    """One line of a recovery's history."""

    seq = _Number()
    at = _Time()
    kind = _Text()
    text = serializers.SerializerMethodField(help_text="What happened, and why, in words.")
    cause = _TextOrNull()
    actor = _TextOrNull(source="actor_label")
    data = _Json(source="facts")  # type: ignore[assignment]  # the API's name; `.data` of a row is not used

    def get_text(self, row: RecoveryEvent) -> str:
        """In the language of the request."""
        return wording.tell(row.kind, row.cause, row.facts).line


class LogShown(serializers.Serializer[Any]):
    """What was kept of the log."""

    output = _Text()
    diagnostics = _Text(help_text="YARN's.")
    final = _Flag(help_text="Read after the end.")
    withheld = _Flag(help_text="Livy does not let the gateway's user read it.")
    readAt = _Time(source="read_at", allow_null=True)


class ProfileShown(serializers.Serializer[Any]):
    """A profile, in the names of Livy."""

    name = _Text()
    description = _Text()
    gateway = _Text(source="gateway.name")
    version = _Number()
    enabled = _Flag()
    managedByEnv = _Flag(source="managed_by_env")
    argsMode = _Word(ArgsMode, source="args_mode")
    neverRestartInYarn = _Flag(source="never_restart_in_yarn")
    className = _TextOrNull(source="class_name")
    queue = _TextOrNull()
    proxyUser = _TextOrNull(source="proxy_user")
    driverMemory = _TextOrNull(source="driver_memory")
    driverCores = _Number(source="driver_cores", allow_null=True)
    executorMemory = _TextOrNull(source="executor_memory")
    executorCores = _Number(source="executor_cores", allow_null=True)
    numExecutors = _Number(source="num_executors", allow_null=True)
    jars = _Texts()
    files = _Texts()
    pyFiles = _Texts(source="py_files")
    archives = _Texts()
    conf = _Json()


class GatewayShown(serializers.Serializer[Gateway]):
    """A gateway and how it is."""

    name = _Text()
    baseUrl = serializers.SerializerMethodField()
    condition = _WordOrNull(Condition, source="seen_condition", help_text="Why it cannot be used just now.")
    conditionLabel = serializers.SerializerMethodField()
    conditionSince = _Time(source="seen_since", allow_null=True)
    nextTryAt = _Time(source="seen_next_try_at", allow_null=True)
    lastSeenAt = _Time(source="last_seen_at", allow_null=True)
    livyVersion = _TextOrNull(source="livy_version")
    livyRestartedAt = _Time(
        source="livy_restarted_at", allow_null=True, help_text="When a restart of Livy was last noticed."
    )
    paused = _Flag()
    pausedReason = _TextOrNull(source="paused_reason")
    followOnly = _Flag(source="follow_only")

    def get_baseUrl(self, row: Gateway) -> str:
        """Without a password that somebody may have put into it."""
        return redact(row.base_url)

    @extend_schema_field({"type": "string", "nullable": True})
    def get_conditionLabel(self, row: Gateway) -> str | None:
        """In the language of the request."""
        return str(wording.label(Condition(row.seen_condition))) if row.seen_condition else None


class LinkShown(serializers.Serializer[Link]):
    """A batch, or an application of YARN, as a person has to see it before linking to it."""

    toldBy = _Word(Source, source="source")
    name = _TextOrNull()
    batchId = _Number(source="batch_id", allow_null=True)
    appId = _TextOrNull(source="app_id")
    state = _Text(help_text="Livy's word, or YARN's finalStatus.")
    owner = _TextOrNull()


class AvoidedShown(serializers.Serializer[Avoided]):
    """How many second launches of one recovery the portal's rules have avoided."""

    total = _Number()
    last30Days = _Number(source="lately")
    adopted = _Number(help_text="Found under its name, or in YARN, after the answer was lost.")
    foundBeforePost = _Number(source="before_post", help_text="Found under its name by the look before a POST.")
    refusedByName = _Number(source="by_name", help_text="Livy refused the name once more.")


class StatisticsShown(serializers.Serializer[Any]):
    """What is counted."""

    duplicatesAvoided = AvoidedShown(source="avoided", read_only=True)
    duplicatesAvoidedByGateway = serializers.DictField(source="by_gateway", child=_Number(), read_only=True)
    duplicateAlarms = serializers.ListField(
        source="alarms", child=_Number(), read_only=True,
        help_text="Recoveries of which a second batch was found, and about which no person has decided yet.",
    )  # fmt: skip


class PreviewShown(serializers.Serializer[Preview]):
    """What would be filed; nothing is stored."""

    payload = serializers.SerializerMethodField()
    payloadSha256 = _Text(source="sha256")
    sentPayload = _Text(
        source="sent_text", help_text="The very text for Livy; `…` stands for the name, made when it is filed."
    )
    args = _Texts(source="payload.args")
    argsMode = _Word(ArgsMode, source="args_mode")
    preflight = serializers.SerializerMethodField(help_text="What filing would find now.")

    @extend_schema_field(PreflightShown)
    def get_preflight(self, shown: Preview) -> dict[str, Any] | None:
        """Looked at by the view."""
        return preflight_shown(self.context["preflight"])

    @extend_schema_field({"type": "object", "additionalProperties": {}})
    def get_payload(self, shown: Preview) -> dict[str, Any]:
        """The object that the SHA-256 covers."""
        return shown.payload.to_json()
