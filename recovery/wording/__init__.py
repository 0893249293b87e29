"""Every enum's label and every rule's sentence, once, translatable. Tests hold that no word is without one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recovery.domain.arguments import ArgsMode
from recovery.domain.errors import Problem
from recovery.domain.gateways import AuthKind, Channel, Condition
from recovery.domain.states import Hold, Settlement, State
from recovery.domain.verdicts import Outcome

Text = str | Promise

LABELS: Final[Mapping[type[StrEnum], Mapping[StrEnum, Text]]] = MappingProxyType(
    {
        State: {
            State.AWAITING_APPROVAL: _("awaiting approval"),
            State.QUEUED: _("queued"),
            State.SUBMITTING: _("being submitted"),
            State.UNCONFIRMED: _("unconfirmed"),
            State.STARTING: _("starting"),
            State.RUNNING: _("running"),
            State.SUCCEEDED: _("succeeded"),
            State.FAILED: _("failed"),
            State.CANCELLED: _("cancelled"),
            State.REFUSED: _("refused"),
            State.LOST: _("to be checked"),
        },
        Outcome: {
            Outcome.SUCCESS: _("Livy says that the job succeeded."),
            Outcome.JOB_FAILED: _("The job failed. Its log says why."),
            Outcome.KILLED_OUTSIDE: _("The job was stopped from outside the portal."),
            Outcome.CANCELLED_UNVERIFIED: _("Cancelled. Said by Livy, not verified with YARN."),
            Outcome.CANCELLED_VERIFIED: _("Cancelled, and verified with YARN."),
            Outcome.DUPLICATE: _("More than one application ran under its name. Check the data, then settle it."),
            Outcome.CANCELLED_BEFORE_START: _("Cancelled before anything was started."),
            Outcome.LIVY_LOST_SIGHT: _(
                "Livy lost sight of the job: it may have gone on. Check the data, then settle this recovery."
            ),
            Outcome.DEAD_UNEXPLAINED: _("Livy says that the job died, and nothing says why: check before settling."),
            Outcome.GONE: _("Livy no longer knows the batch (restart, or forgotten): its end could not be read."),
            Outcome.IDENTITY: _("Another batch stands under our name: nothing can be said of ours."),
            Outcome.REFUSED_BY_SERVER: _("Livy refused this request. Nothing runs. Correct it and resubmit."),
            Outcome.NEVER_SUBMITTED: _("It could not be submitted in time. Nothing was started."),
            Outcome.TOO_MANY_TRIES: _("Submission was interrupted too many times."),
            Outcome.DOUBT_UNSETTLED: _(
                "The answer to the submission was lost, and it could not be found out whether the job started."
            ),
            Outcome.NAME_TAKEN: _("Somebody else holds this batch name in Livy: a copied database?"),
        },
        Hold: {
            Hold.APPROVAL: _("waits for approval"),
            Hold.BACKFILL: _("waits for its backfill"),
            Hold.NAME_TAKEN: _("its name is taken in Livy"),
        },
        Settlement: {
            Settlement.SUCCEEDED: _("it had succeeded"),
            Settlement.FAILED: _("it had failed"),
            Settlement.NEVER_RAN: _("it never ran"),
            Settlement.LINKED: _("linked to a batch"),
        },
        Channel: {
            Channel.ADMIN: _("portal"),
            Channel.API: _("API"),
            Channel.COMMAND: _("command"),
        },
        ArgsMode: {
            ArgsMode.SINGLE: _("one argument, as typed"),
            ArgsMode.SPLIT: _("cut as a shell would"),
            ArgsMode.LIST: _("given as a list"),
        },
        AuthKind: {
            AuthKind.BASIC: _("user and password (HTTP basic)"),
            AuthKind.BEARER: _("token (Bearer)"),
            AuthKind.NONE: _("none"),
        },
        Condition: {
            Condition.UNREACHABLE: _("cannot be reached"),
            Condition.DNS: _("its name is not known (DNS)"),
            Condition.TLS: _("its certificate was not accepted (TLS)"),
            Condition.TIMEOUT: _("does not answer"),
            Condition.CREDENTIALS: _("refuses our credentials"),
            Condition.FORBIDDEN: _("does not let our user in"),
            Condition.NO_ROUTE: _("knows no such topology or service"),
            Condition.REDIRECT: _("sends us elsewhere (redirect)"),
            Condition.LOGIN_PAGE: _("answers with a login page"),
            Condition.THROTTLED: _("asks us to slow down"),
            Condition.INACTIVE: _("is not active (yet)"),
            Condition.SERVER_ERROR: _("answers with an error; Livy may be down"),
            Condition.GARBLED: _("answers with something that is not Livy's"),
            Condition.TOO_MANY_SESSIONS: _("starts as many sessions as it can"),
            Condition.CSRF: _("wants a header that it did not get (CSRF)"),
            Condition.SECRET: _("its secret cannot be read"),
            Condition.OLD_LIVY: _("has a Livy that is too old, or of unclear version"),
        },
    }
)
"""By kind first: members of two kinds with one value (“failed” of State and of Settlement) are equal as keys."""

PROBLEMS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "required": _("This field is needed."),
        "unknown_field": _("There is no such field."),
        "wrong_type": _("Expected: %(expected)s."),
        "unbalanced_quote": _("A quote is opened and not closed."),
        "dangling_escape": _("A backslash at the end escapes nothing."),
        "nul": _("A NUL character is not possible here (%(position)s)."),
        "backtick": _(
            "A backtick (`) is refused (%(position)s): on YARN it would be executed as a command on the cluster."
        ),
        "double_brace": _(
            "“{{” is refused (%(position)s): YARN would replace it silently. Was a template left unfilled?"
        ),
        "not_unicode": _("This text cannot be written as UTF-8 (%(position)s)."),
        "argument_too_long": _("Argument %(position)s has %(size)s bytes; %(limit)s are possible."),
        "arguments_too_long": _("All arguments together may have %(limit)s bytes."),
        "path_empty": _("Give a path, such as hdfs:///user/sddesigner/recovery.jar."),
        "path_blank": _("A path holds no blanks: “%(value)s”."),
        "path_relative": _("“%(value)s” is not absolute. Expected: hdfs:///… or /…"),
        "path_percent": _("“%(value)s”: a %% needs a scheme in front (hdfs:///…)."),
        "path_scheme": _("“%(scheme)s:” is not allowed on this gateway. Allowed: %(allowed)s."),
        "path_comma": _("“%(value)s”: a comma is not possible in a list of paths."),
        "memory": _("“%(value)s” is no size. Expected: a number and a unit, such as 4g or 512m."),
        "positive_integer": _("Expected: a whole number from 1, not %(value)s."),
        "word": _("“%(value)s”: expected one word without blanks."),
        "class_name": _("“%(value)s” is no class name. Expected: com.example.Main."),
        "conf_key": _("“%(key)s” is no configuration key."),
        "conf_blacklisted": _("Livy does not let “%(key)s” be set."),
        "conf_not_spark": _("“%(key)s”: Spark ignores keys that do not begin with “spark.”."),
        "conf_scalar": _("The value of “%(key)s” is not a scalar."),
        "unknown_profile": _("There is no such profile, or it is disabled: “%(value)s”."),
        "profile_forbidden": _("You may not use the profile “%(value)s”."),
        "profile_closed": _("The profile “%(value)s” is disabled, not open to you, or its gateway takes nothing new."),
        "gateway_follow_only": _("The gateway of this profile takes no new recoveries."),
        "reason_too_long": _("At most %(limit)s characters."),
        "too_long": _("At most %(limit)s characters."),
        "filing_key_reused": _("This Idempotency-Key was used for another request."),
        "filing_key_form": _("An Idempotency-Key has 1 to 200 visible ASCII characters."),
        "not_ended": _("Only a recovery that has ended can be resubmitted."),
        "live_child": _("It was resubmitted already, and that recovery (%(child)s) has not ended."),
        "unsettled": _("Its end is not known. An operator settles it, or resubmits it with a reason."),
        "endpoint_in_use": _("A gateway that was used keeps its address, paths and user. Make a new gateway."),
        "managed_by_env": _("This profile is kept by .env. Duplicate it to edit."),
        "not_cancellable": _("It has ended, or its cancel was asked for already."),
        "not_settleable": _("Only a recovery whose end cannot be known can be settled, and only once."),
        "cursor": _("This cursor is not one of this list in this order."),
    }
)

EVENTS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "filed": _("filed"),
        "filed_again": _("filed again with the same key: the same recovery"),
        "claimed": _("taken by a worker"),
        "sending": _("name is free; the request is sent"),
        "started": _("Livy accepted it"),
        "adopted": _("found under its name, adopted; no second launch"),
        "answer_lost": _("the answer was lost or unclear; it may have started"),
        "worker_lost": _("the worker was not heard of again; it may have started"),
        "not_sent": _("not sent: the gateway could not be used"),
        "refused": _("refused by Livy"),
        "name_taken": _("somebody else holds this name in Livy"),
        "looked": _("looked for under its name"),
        "sent_again": _("sent again under the same name"),
        "phantom_seen": _("a batch of this name is registered without having started"),
        "phantom_proved": _("it is proved that this registration never started"),
        "cleared": _("nothing runs; the next try follows"),
        "phantom_removed": _("an empty registration was removed from Livy"),
        "cleanup_failed": _("an empty registration could not be removed yet"),
        "contradiction": _("Livy refused it, and yet a batch of this name runs"),
        "late_answer": _("an answer came back late"),
        "duplicate": _("a second batch of this recovery was found"),
        "running": _("running"),
        "terminal_seen": _("Livy gives an end; read once more"),
        "renumbered": _("Livy gave the batch another number"),
        "identity": _("another batch stands under this name or number"),
        "seen_in_yarn": _("YARN knows its application: it goes on there"),
        "kill_sent": _("YARN was asked to stop it"),
        "gone": _("Livy does not know the batch any more"),
        "reappeared": _("Livy knows the batch again"),
        "ended": _("ended"),
        "evidence": _("found later"),
        "cancel_requested": _("cancel asked for"),
        "delete_sent": _("Livy was asked to stop it"),
        "delete_failed": _("Livy could not be asked to stop it yet"),
        "cancelled": _("cancelled"),
        "expired": _("its time to be submitted is over"),
        "parked": _("given up: too many tries"),
        "lost": _("cannot be known; a person decides"),
        "settled": _("settled by a person"),
        "resubmitted": _("resubmitted"),
        "condition": _("the gateway cannot be used"),
        "healed": _("the gateway can be used again"),
        "paused": _("submissions paused"),
        "resumed": _("submissions resumed"),
        "tested": _("connection tested"),
        "version": _("Livy's version"),
        "created": _("created"),
        "changed": _("changed"),
        "synced": _("taken over from .env"),
        "revoked": _("revoked"),
    }
)

CAUSES: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "not_sent": _("nothing had been sent"),
        "copy": _("this database is a copy"),
        "restored": _("this database was restored"),
        "moved": _("this database was moved"),
        "env": _("from .env"),
        "duplicate": _("as a copy"),
        "follow_only": _("follow only"),
        "ok": _("all is well"),
        "yarn": _("in YARN"),
        "lease": _("it had held it for too long"),
        "before_post": _("nothing had been sent"),
        "deadline": _("the time for this try was over"),
        "changed": _("something had changed in the meantime"),
        "payload": _("its verdict on the request"),
        "Ambiguous": _("no clear answer"),
        "Garbled": _("an answer that is not Livy's"),
        "Refused": _("refused by Livy"),
        "NotSent": _("the gateway could not be used"),
        "Forbidden": _("Livy does not allow it"),
        "duplicate_name": _("Livy holds a batch of this name"),
        "refused_in_doubt": _("refused by Livy, which proves nothing yet"),
        "phantom_removed": _("nothing runs"),
        "doubt_settled": _("it never arrived"),
        "next_try": _("the next try follows"),
        "given_up": _("given up after a day"),
        "settled": _("settled by a person"),
        "started": _("Livy accepted it"),
        "adopted": _("found under its name"),
        "late_answer": _("an answer came back late"),
        "found_later": _("found later"),
    }
)
"""Causes of events that are no member of an enum."""

FACTS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "app_id": _("application"),
        "before": _("before"),
        "changed": _("changed"),
        "child": _("new recovery"),
        "livy_id": _("batch id"),
        "livy_state": _("state in Livy"),
        "name": _("name"),
        "now": _("now"),
        "of": _("copy of"),
        "owner": _("owner in Livy"),
        "profile": _("profile"),
        "proxy_user": _("ran as"),
        "reason": _("reason"),
        "resubmission_of": _("resubmission of"),
        "sha256": _("SHA-256 of the payload"),
        "state": _("state"),
        "status": _("HTTP status"),
        "to": _("state"),
        "token": _("API token"),
        "tries": _("tries"),
        "version": _("version"),
        "words": _("in the server's words"),
    }
)
"""Names of an event's facts; one that is not here is shown as it is."""


def cause_text(cause: str) -> Text:
    """The words for an event's cause: a word of its own, or a condition, an outcome, a door, a decision."""
    if cause in CAUSES:
        return CAUSES[cause]
    for kind in (Condition, Outcome, Settlement, Channel, State):
        if cause in set(kind):
            return label(kind(cause))
    return cause


def fact_name(name: str) -> Text:
    """The words for the name of an event's fact."""
    return FACTS.get(name, name)


def fact_text(name: str, value: object) -> Text:
    """An event's fact; a state by its label."""
    if name in ("to", "state") and isinstance(value, str) and value in set(State):
        return label(State(value))
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value)


def label(member: StrEnum) -> Text:
    """The translatable label of an enum's member."""
    return LABELS[type(member)][member]


def sentence(problem: Problem) -> str:
    """What is wrong, in the active language."""
    return str(PROBLEMS[problem.code]) % _SafeParams(problem.params)


def sentences(problems: Iterable[Problem]) -> dict[str, list[str]]:
    """Field → sentences, in the order of the problems."""
    out: dict[str, list[str]] = {}
    for problem in problems:
        out.setdefault(problem.field, []).append(sentence(problem))
    return out


def event_text(kind: str) -> Text:
    """The words for a kind of event; an unknown kind is shown as it is."""
    return EVENTS.get(kind, kind)


class _SafeParams(dict[str, object]):
    """A parameter that a problem does not carry is left out of the sentence."""

    def __init__(self, params: Mapping[str, object]) -> None:
        super().__init__({key: _shown(value) for key, value in params.items()})

    def __missing__(self, key: str) -> str:
        return "?"


def _shown(value: object) -> object:
    return value[:200] + "…" if isinstance(value, str) and len(value) > 200 else value
