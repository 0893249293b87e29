"""What a terminal word of Livy says about our batch, without YARN (F4, F5)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from recovery.domain import logtail
from recovery.domain.states import State

TERMINAL_WORDS: Final = frozenset({"success", "dead", "killed", "error"})
"""Every other word, known or not, means that the batch lives (F3)."""

_LOST_SIGHT: Final = re.compile(
    r"No YARN application is found with tag|Error whiling? (refreshing|polling) YARN|"
    r"Exception (when|while) (refreshing|polling)|Fail(ed)? to (get|refresh).{0,40}(YARN|application)|"
    r"Connection refused.{0,80}ResourceManager|doesn't exist in RM|ApplicationNotFoundException",
    re.IGNORECASE,
)
_FAILED: Final = re.compile(
    r"User class threw exception|exitCode|exited with|AM Container|Shutdown hook called before final status|"
    r"spark-submit (start failed|exited)|Failed to download resource|unknown queue|"
    r"Application application_\d+_\d+ (failed|was killed|finished with failed)",
)
"""Words of an application's report or of spark-submit. Anything else in the diagnostics may be Livy's own trouble in
asking YARN, whose bare message it puts there while the application goes on (livy-knox-contract.md §3.3)."""
_SUBMIT_DIED: Final = re.compile(r"Exception in thread \"main\"")


class Outcome(StrEnum):
    """Why a recovery ended as it did; the sentence for it is in `recovery/wording.py`."""

    SUCCESS = "success"
    JOB_FAILED = "job_failed"
    KILLED_OUTSIDE = "killed_outside"
    CANCELLED_UNVERIFIED = "cancelled_unverified"
    CANCELLED_VERIFIED = "cancelled_verified"
    CANCELLED_BEFORE_START = "cancelled_before_start"
    LIVY_LOST_SIGHT = "livy_lost_sight"
    DEAD_UNEXPLAINED = "dead_unexplained"
    GONE = "gone"
    IDENTITY = "identity"
    REFUSED_BY_SERVER = "refused_by_server"
    NEVER_SUBMITTED = "never_submitted"
    TOO_MANY_TRIES = "too_many_tries"
    DOUBT_UNSETTLED = "doubt_unsettled"
    NAME_TAKEN = "name_taken"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The end of a recovery and why."""

    state: State
    outcome: Outcome


def is_terminal(word: str) -> bool:
    """True for success, dead, killed, error."""
    return word in TERMINAL_WORDS


def needs_log(word: str) -> bool:
    """True when the log is needed to tell what the terminal `word` means, where no YARN tells it (F5)."""
    return is_terminal(word) and word not in ("success", "killed")


def of_terminal(word: str, *, log: Sequence[str] | None, cancel_sent: bool, app_known: bool) -> Verdict:
    """The end that Livy's terminal `word` means; `log` is None where it could not be read.

    `killed` without a cancel of ours was somebody else's doing. `dead` is a failure only when the log says so: Livy
    also says `dead` when it has lost sight of an application that goes on (livy-knox-contract.md §3.3).
    """
    if word == "success":
        return Verdict(state=State.SUCCEEDED, outcome=Outcome.SUCCESS)
    if word == "killed":
        if cancel_sent:
            return Verdict(state=State.CANCELLED, outcome=Outcome.CANCELLED_UNVERIFIED)
        return Verdict(state=State.FAILED, outcome=Outcome.KILLED_OUTSIDE)
    return of_dead(log, app_known=app_known)


def of_yarn(final_status: str, *, cancel_sent: bool) -> Verdict:
    """F5, C3: YARN's `finalStatus` is the verdict of an application that is over.

    ENDED is a mixture of several ends (of a MapReduce chain): nobody can say which.
    """
    if final_status == "SUCCEEDED":
        return Verdict(state=State.SUCCEEDED, outcome=Outcome.SUCCESS)
    if final_status == "FAILED":
        return Verdict(state=State.FAILED, outcome=Outcome.JOB_FAILED)
    if final_status == "KILLED" and cancel_sent:
        return Verdict(state=State.CANCELLED, outcome=Outcome.CANCELLED_VERIFIED)
    if final_status == "KILLED":
        return Verdict(state=State.FAILED, outcome=Outcome.KILLED_OUTSIDE)
    return Verdict(state=State.LOST, outcome=Outcome.DEAD_UNEXPLAINED)


def of_dead(log: Sequence[str] | None, *, app_known: bool) -> Verdict:
    """F5 without YARN. A log with no diagnostics part comes from a local master: there the exit code decided.

    `app_known`: an application id was seen, so that an exception of spark-submit says nothing about the application.
    """
    output, diagnostics = logtail.sections(log or ())
    told = "\n".join(diagnostics).strip()
    if _LOST_SIGHT.search(told):
        return Verdict(state=State.LOST, outcome=Outcome.LIVY_LOST_SIGHT)
    local = bool(log) and not logtail.has_diagnostics_part(log or ())
    died = not app_known and _SUBMIT_DIED.search("\n".join(output))
    if local or died or _FAILED.search(told):
        return Verdict(state=State.FAILED, outcome=Outcome.JOB_FAILED)
    return Verdict(state=State.LOST, outcome=Outcome.LIVY_LOST_SIGHT if told else Outcome.DEAD_UNEXPLAINED)
