"""How far a recovery has come: its steps, its times, how long it usually takes, and how its cancel stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recovery import wording
from recovery.admin import show
from recovery.domain.durations import Usual
from recovery.domain.states import State
from recovery.models import Recovery

_UNSENT = frozenset({State.SUBMITTING, State.UNCONFIRMED})
"""On its way to Livy, or perhaps there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """One step of the way: done, now, or ahead."""

    text: str
    standing: str
    said: str
    """For those who do not see it."""
    when: Any = ""


def steps(recovery: Recovery) -> list[Stage]:
    """Filed, sent, running, ended; of what ended early only what happened."""
    sent = recovery.submitted_at is not None or recovery.livy_id is not None
    ended = recovery.is_terminal
    stages = [_stage(_("filed"), "done", recovery.created_at)]
    if sent or not ended:
        words = _("sent to Livy") if sent else _("being sent to Livy")
        if recovery.state in (State.AWAITING_APPROVAL, State.QUEUED) and not sent:
            words = _("will be sent to Livy")
        stages.append(_stage(words, _standing(sent, recovery.state in _UNSENT), recovery.submitted_at))
    if recovery.started_at or not ended:
        begun = recovery.started_at is not None
        now = recovery.state in (State.STARTING, State.RUNNING)
        words = _("ran") if ended else _("runs") if now else _("will run")
        stages.append(_stage(words, _standing(begun and ended, now), recovery.started_at))
    text = str(wording.label(State(recovery.state))) if ended else _("ended")
    stages.append(_stage(text, "done" if ended else "ahead", recovery.finished_at))
    return stages


def _standing(done: bool, now: bool) -> str:
    return "now" if now else "done" if done else "ahead"


def _stage(text: str, standing: str, when: datetime | None) -> Stage:
    said = {"done": _("done"), "now": _("now"), "ahead": _("not yet")}[standing]
    return Stage(text=text, standing=standing, said=said, when=show.minute(when, empty=""))


def running_since(recovery: Recovery) -> datetime | None:
    """From when the clock on the page counts; None until it is seen running, and when it has ended."""
    return None if recovery.is_terminal else recovery.started_at


def since_words(recovery: Recovery) -> SafeString | str:
    """ "Since 14:03"; before it runs "waiting since 14:02", counted from Livy's yes, or else from when it was filed."""
    if recovery.is_terminal:
        return ""
    if recovery.started_at:
        return format_html(_("since {}"), show.clock(recovery.started_at))
    return format_html(_("waiting since {}"), show.clock(recovery.submitted_at or recovery.created_at))


def usual_words(usual: Usual | None) -> str:
    """ "Usually 4 min 10 s (3 min to 6 min; 12 successes of this jar on this profile)"."""
    if usual is None:
        return ""
    middle = show.span(round(usual.median))
    if usual.count == 1:
        return _("The only success so far of this jar on this profile took %(median)s.") % {"median": middle}
    count = ngettext("%(count)s success", "%(count)s successes", usual.count) % {"count": usual.count}
    if not usual.varies:
        return _("Usually %(median)s (%(count)s of this jar on this profile).") % {"median": middle, "count": count}
    return _("Usually %(median)s, mostly %(low)s to %(high)s (%(count)s of this jar on this profile).") % {
        "median": middle,
        "low": show.span(round(usual.low)),
        "high": show.span(round(usual.high)),
        "count": count,
    }


def progress(recovery: Recovery, usual: Usual | None) -> dict[str, Any] | None:
    """The bar: how much of the usual time is over. None when nothing is known, or it has ended."""
    if recovery.is_terminal or usual is None or usual.median < 1:
        return None
    since = running_since(recovery)
    over = (timezone.now() - since).total_seconds() if since else 0
    return {
        "since": since,
        "value": round(min(over, usual.median)),
        "max": round(usual.median),
        "late": round(usual.high),
        "is_late": over > usual.high,
    }


def cancel_words(recovery: Recovery) -> str:
    """How a cancel stands: asked for, sent, answered; nothing once it is confirmed or there is none."""
    if recovery.cancel_requested_at is None or recovery.is_terminal:
        return ""
    if recovery.delete_answered_at is not None:
        return _("Cancel asked for; Livy has answered. The portal makes sure that it has stopped.")
    if recovery.delete_sent_at is not None:
        return _("Cancel asked for and passed on to Livy; not confirmed yet.")
    return _("Cancel asked for; not passed on yet.")


def times(recovery: Recovery) -> list[tuple[str, Any]]:
    """(name, time) of what has happened."""
    asked = recovery.cancel_requested_at
    confirmed = recovery.finished_at if asked is not None and recovery.state == State.CANCELLED else None
    known = [
        (_("filed"), recovery.created_at),
        (_("to be submitted by"), recovery.submit_by if recovery.state == State.QUEUED else None),
        (_("submitted"), recovery.submitted_at),
        (_("running since"), recovery.started_at),
        (_("last seen"), recovery.seen_at),
        (_("cancel asked for"), asked),
        (_("cancel passed on to Livy"), recovery.delete_sent_at),
        (_("cancel confirmed"), confirmed),
        (_("ended"), recovery.finished_at),
        (_("settled"), recovery.settled_at),
    ]
    shown: list[tuple[str, Any]] = [
        (name, show.ago(when) if when is recovery.seen_at else show.moment(when))
        for name, when in known
        if when is not None
    ]
    if recovery.finished_at and recovery.begun_at:
        shown.append((_("duration"), show.duration(recovery, recovery.finished_at)))
    return shown


def live_facts(recovery: Recovery) -> list[tuple[str, Any]]:
    """(name, value) of what Livy and YARN tell while it runs."""
    return [
        (_("tries"), recovery.tries),
        (_("batch id"), show.NOTHING if recovery.livy_id is None else recovery.livy_id),
        (_("application id"), recovery.app_id or show.NOTHING),
        (_("state in Livy"), recovery.livy_state or show.NOTHING),
        (_("ran as"), recovery.proxy_user or show.NOTHING),
        (_("owner in Livy"), recovery.owner or show.NOTHING),
    ]


def links(recovery: Recovery) -> list[tuple[str, str]]:
    """Those that a browser may follow; kept since they were first seen, because Livy takes them back at the end."""
    known = [(_("Spark UI"), recovery.spark_ui_url), (_("driver log"), recovery.driver_log_url)]
    return [(name, show.web_link(url)) for name, url in known if show.web_link(url)]


def driver_log(recovery: Recovery) -> str:
    """Where the job itself wrote."""
    return show.web_link(recovery.driver_log_url)
