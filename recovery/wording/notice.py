"""The e-mail that tells of a recovery's end, in the language that is active."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from recovery.domain.redaction import redact
from recovery.domain.states import State
from recovery.domain.verdicts import Outcome
from recovery.wording.labels import label


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What the mail is about; the addresses are empty where the portal does not know its own."""

    number: int
    state: State
    outcome: Outcome | None
    jar_path: str
    jar_args: str
    reason: str
    profile: str
    page: str
    choice: str


def mail(notice: Notice) -> tuple[str, str]:
    """(subject, body), plain text; the subject is one line."""
    jar = notice.jar_path.rstrip("/").rsplit("/", 1)[-1]
    subject = _("Recovery %(number)s %(state)s: %(jar)s") % {
        "number": notice.number, "state": label(notice.state), "jar": jar,
    }  # fmt: skip
    told = str(label(notice.outcome)) if notice.outcome else str(label(notice.state))
    lines = [
        told,
        "",
        _("Jar: %(jar)s") % {"jar": notice.jar_path},
        _("Arguments: %(arguments)s") % {"arguments": redact(notice.jar_args) or "–"},
        _("Profile: %(profile)s") % {"profile": notice.profile},
        _("Reason: %(reason)s") % {"reason": notice.reason or "–"},
    ]
    if notice.page:
        lines += ["", _("Its page, with the log and what to do next:"), notice.page]
    lines += ["", _("You get this mail because you asked to be told of the end of your recoveries.")]
    if notice.choice:
        lines += [_("To change that: %(address)s") % {"address": notice.choice}]
    return " ".join(subject.split())[:200], "\n".join(lines) + "\n"
