"""Every enum's label, once, translatable. Tests hold that no member is without one."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recovery.domain.arguments import ArgsMode
from recovery.domain.gateways import AuthKind, Channel, Condition, Found, Part
from recovery.domain.notices import Wish
from recovery.domain.preflight import Light
from recovery.domain.remedies import Kind
from recovery.domain.signatures import Certainty, Place
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
        Wish: {
            Wish.NEVER: _("never"),
            Wish.FAILURES: _("when it failed, was refused or has to be checked"),
            Wish.ALL: _("always"),
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
        Light: {
            Light.RED: _("blocks"),
            Light.AMBER: _("to be confirmed"),
            Light.GREY: _("could not be checked"),
            Light.GREEN: _("in order"),
        },
        AuthKind: {
            AuthKind.BASIC: _("user and password (HTTP basic)"),
            AuthKind.BEARER: _("token (Bearer)"),
            AuthKind.NONE: _("none"),
        },
        Condition: {
            Condition.UNREACHABLE: _("cannot be reached"),
            Condition.DNS: _("has a name that is not known (DNS)"),
            Condition.TLS: _("has a certificate that was not accepted (TLS)"),
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
            Condition.SECRET: _("has a secret that cannot be read"),
            Condition.OLD_LIVY: _("has a Livy that is too old, or of unclear version"),
        },
        Part: {
            Part.LIVY: "Livy",
            Part.WHO: _("Authentication"),
            Part.WEBHDFS: "WebHDFS",
            Part.YARN: "YARN",
            Part.SUBMISSIONS: _("Submissions"),
        },
        Found: {
            Found.WORKS: _("works"),
            Found.WARNS: _("to be known"),
            Found.FAILS: _("does not work"),
            Found.NOT_ASKED: _("not asked"),
        },
        Certainty: {
            Certainty.SAID: _("the server says"),
            Certainty.PROBABLE: _("probably"),
            Certainty.POSSIBLE: _("perhaps"),
        },
        Place: {
            Place.WORDS: _("the server's answer"),
            Place.DIAGNOSTICS: _("YARN diagnostics"),
            Place.LOG: _("log"),
        },
        Kind: {
            Kind.TIMES: _("multiplied"),
            Kind.VALUE: _("set"),
            Kind.ASK: _("to be given"),
            Kind.CONF: _("setting"),
            Kind.WITHOUT: _("setting taken out"),
            Kind.SPLIT: _("arguments cut as a shell would"),
        },
    }
)
"""By kind first: members of two kinds with one value (“failed” of State and of Settlement) are equal as keys."""


def label(member: StrEnum) -> Text:
    """The translatable label of an enum's member."""
    return LABELS[type(member)][member]


GROUPS: Final[Mapping[str, Text]] = MappingProxyType(
    {"Stewards": _("Stewards"), "Operators": _("Operators"), "Auditors": _("Auditors")}
)
"""Of the groups that the portal comes with; in the database they keep these names."""


def group_name(name: str) -> str:
    """A group as it is shown; one that people made by the name that they gave it."""
    return str(GROUPS.get(name, name))
