"""A recovery in plain words: how it stands, and what a person has to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recovery import wording
from recovery.admin import show
from recovery.domain.gateways import Condition
from recovery.domain.preflight import Preflight
from recovery.domain.states import Hold, State
from recovery.domain.verdicts import Outcome
from recovery.models import Gateway, Recovery, RecoveryEvent

TOLD = {
    State.AWAITING_APPROVAL: gettext_lazy("It waits for somebody's approval. Nothing was sent."),
    State.QUEUED: gettext_lazy("It waits for its turn to be sent to Livy."),
    State.SUBMITTING: gettext_lazy("It is being sent to Livy."),
    State.UNCONFIRMED: gettext_lazy(
        "The answer to the submission was lost or unclear: the job may have started. The portal is finding out."
    ),
    State.STARTING: gettext_lazy("Livy accepted it; Spark is starting."),
    State.RUNNING: gettext_lazy("The job is running."),
    State.SUCCEEDED: gettext_lazy("The job succeeded."),
    State.FAILED: gettext_lazy("The job failed."),
    State.CANCELLED: gettext_lazy("It was cancelled."),
    State.REFUSED: gettext_lazy("It was refused; nothing runs."),
    State.LOST: gettext_lazy("Its end is not known: it has to be checked."),
}
"""What is said of a state where no outcome says it better."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What next: a sentence, and whether a person is waited for."""

    text: str
    needs_someone: bool = False


def is_client_log(recovery: Recovery) -> bool:
    """On YARN in cluster mode its log is that of the client that submitted the job, not the job's own."""
    return bool(recovery.gateway.yarn_path) or recovery.app_id.startswith("application_")


def headline(recovery: Recovery) -> str:
    """One sentence on how it stands."""
    if recovery.outcome == Outcome.JOB_FAILED and is_client_log(recovery):
        return _("The job failed. The driver's log says why.")
    if recovery.outcome:
        return str(wording.label(Outcome(recovery.outcome)))
    return str(TOLD[State(recovery.state)])


def next_step(recovery: Recovery, *, alarmed: bool = False, taken_up: bool = False) -> Step:
    """What the steward has to do now; whether it waits for someone is told by `services/attention.py` too.

    `alarmed`: a second batch was found, and nobody has answered. `taken_up`: it ended badly, and work went on since.
    """
    state = State(recovery.state)
    if alarmed:
        text = _("A second batch of it was found. An operator stops the one that is too many, and checks the data.")
        return Step(text=text, needs_someone=True)
    if recovery.hold == Hold.NAME_TAKEN and not recovery.is_terminal:
        return Step(text=_("Somebody else holds this batch name in Livy. An operator has to look."), needs_someone=True)
    if recovery.cancel_requested_at is not None and not recovery.is_terminal:
        return Step(text=_("Nothing to do: the cancel was asked for, and is shown here when Livy confirms it."))
    if taken_up:
        return Step(text=_("Nothing to do: it was resubmitted, or the same work has succeeded since."))
    match state:
        case State.AWAITING_APPROVAL:
            return Step(text=_("Somebody who may approve has to look at it."), needs_someone=True)
        case State.QUEUED:
            return _queued(recovery.gateway)
        case State.UNCONFIRMED:
            return Step(
                text=_("Nothing to do. Do not file it again: the portal looks for it under its name until it knows.")
            )
        case State.FAILED:
            return Step(text=_failed(recovery), needs_someone=True)
        case State.REFUSED:
            return Step(text=_("Correct it and resubmit. Nothing was started."), needs_someone=True)
        case State.CANCELLED:
            return _cancelled(recovery)
        case State.LOST:
            return _lost(recovery)
        case State.SUCCEEDED:
            return _succeeded()
    return Step(text=_("Nothing to do."))


def _failed(recovery: Recovery) -> str:
    if not is_client_log(recovery):
        return _("Read the log below, correct what is wrong, then edit and resubmit.")
    if show.web_link(recovery.driver_log_url):
        return _(
            "Open the driver log, which says why (the log below is only the client's), correct what is wrong, "
            "then edit and resubmit."
        )
    return _(
        "The log below is only the client's: find the job's own log in YARN by its application id, correct what is "
        "wrong, then edit and resubmit."
    )


def _succeeded() -> Step:
    return Step(
        text=_(
            "Look at the data: the job ended well, which does not say that it wrote anything. If the day is still "
            "missing, read the log, correct the arguments, then edit and resubmit."
        )
    )


def why_waiting(recovery: Recovery) -> str:
    """Why it is not sent yet, or not known, in a few words; empty when it simply goes on."""
    state, gateway = State(recovery.state), recovery.gateway
    if recovery.hold == Hold.NAME_TAKEN:
        return next_step(recovery).text
    if state != State.QUEUED:
        return headline(recovery) if state in (State.AWAITING_APPROVAL, State.UNCONFIRMED) else ""
    if gateway.paused:
        return _("submissions paused: %(reason)s") % {"reason": gateway.paused_reason or show.NOTHING}
    if gateway.seen_condition:
        return _("the gateway %(condition)s") % {"condition": wording.label(Condition(gateway.seen_condition))}
    return _("it is sent by itself, usually within a minute")


def _queued(gateway: Gateway) -> Step:
    if gateway.paused:
        text = _("Nothing to do: submissions to this gateway are paused (%(reason)s). It goes on when they resume.")
        return Step(text=text % {"reason": gateway.paused_reason or show.NOTHING})
    if gateway.seen_condition:
        text = _("Nothing to do: the gateway %(condition)s. It goes on by itself as soon as the gateway can be used.")
        return Step(text=text % {"condition": wording.label(Condition(gateway.seen_condition))})
    return Step(text=_("Nothing to do: it is sent by itself, usually within a minute."))


def _cancelled(recovery: Recovery) -> Step:
    if recovery.outcome == Outcome.CANCELLED_BEFORE_START:
        return Step(text=_("Nothing to do: nothing was started."))
    return Step(
        text=_("Check the data: a job stopped while it overwrites a partition can leave it empty. Resubmit if needed."),
        needs_someone=True,
    )


def _lost(recovery: Recovery) -> Step:
    if recovery.settled_as:
        return Step(text=_("Nothing to do: a person has decided. It can be resubmitted."))
    return Step(
        text=_(
            "To be checked: look at the target data and at the application in YARN before anything is run again. "
            "Then an operator settles this recovery."
        ),
        needs_someone=True,
    )


def proxy_user(recovery: Recovery) -> str:
    """Asked X, ran as Y. Before it ran: what was seen when it was filed, else what Knox is likely to do (design §8)."""
    asked, gateway = recovery.asked_proxy_user, recovery.gateway
    shown = asked or show.NOTHING
    if recovery.proxy_user:
        return _("asked for %(asked)s, ran as %(ran_as)s") % {"asked": shown, "ran_as": recovery.proxy_user}
    if recovery.livy_id is not None:
        return _("asked for %(asked)s; Livy did not say as whom it runs") % {"asked": shown}
    if recovery.is_terminal:
        return asked or _("none asked for")
    seen = Preflight.from_text(recovery.preflight)
    if seen is not None:
        words = [wording.check_text(check, seen) for check in seen.checks if check.code.startswith("runs_as")]
        return " ".join(words)
    if not asked:
        return _("none asked for: it runs as the user that Knox passes on (%(user)s)") % {
            "user": gateway.user or show.NOTHING
        }
    if not gateway.user or gateway.user == asked:
        return asked
    text = _("asked for %(asked)s; Knox usually replaces it by the user of the gateway, %(user)s")
    return text % {"asked": asked, "user": gateway.user}


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One event as it is shown."""

    seq: int
    at: Any
    text: str
    cause: str
    by: str
    facts: list[str]


def line(event: RecoveryEvent) -> Line:
    """An event in words."""
    told = wording.tell(event.kind, event.cause, event.facts)
    return Line(
        seq=event.seq,
        at=show.ago(event.at),
        text=told.text,
        cause=told.cause,
        by=event.actor_label,
        facts=[
            _("%(name)s: %(value)s") % {"name": wording.fact_name(name), "value": wording.fact_text(name, shown)}
            for name, shown in told.facts.items()
            if shown not in ("", [], {})
        ],
    )
