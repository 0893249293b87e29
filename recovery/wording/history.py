"""History in words: kinds of events, their causes and facts, and the sentence that each event makes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from django.utils.translation import gettext_lazy as _

from recovery.domain.gateways import Channel, Condition
from recovery.domain.preflight import Light
from recovery.domain.states import Settlement, State
from recovery.domain.verdicts import Outcome
from recovery.wording.labels import Text, label

_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")

EVENTS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "filed": _("filed"),
        "claimed": _("taken by a worker"),
        "started": _("Livy accepted it"),
        "adopted": _("found under its name, adopted; no second launch"),
        "answer_lost": _("the answer was lost or unclear; it may have started"),
        "worker_lost": _("the worker was not heard of again; it may have started"),
        "not_sent": _("not sent: the gateway could not be used"),
        "refused": _("refused by Livy"),
        "name_taken": _("somebody else holds this name in Livy"),
        "looked": _("looked for under its name"),
        "phantom_seen": _("a batch of this name is registered without having started"),
        "phantom_proved": _("it is proved that this registration never started"),
        "cleared": _("nothing runs; the next try follows"),
        "phantom_removed": _("an empty registration was removed from Livy"),
        "cleanup_failed": _("an empty registration could not be removed yet"),
        "contradiction": _("Livy refused it, and yet a batch of this name runs"),
        "late_answer": _("an answer came back late"),
        "duplicate": _("a second batch of this recovery was found"),
        "acknowledged": _("the alarm was acknowledged"),
        "running": _("running"),
        "terminal_seen": _("Livy gives an end; read once more"),
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
        "livy_restarted": _("Livy was restarted"),
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
        "import": _("from the text of a .env"),
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
        "found_before_post": _("found just before it was sent again"),
        "ids_began_again": _("its numbers began again"),
        "id_reused": _("another batch stands under a known number"),
        "batches_gone": _("batches that ran are gone"),
        "recovering": _("it takes its batches up again"),
        "log_lost": _("a log has lost its lines"),
    }
)
"""Causes of events that are no member of an enum."""

FACTS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "after": _("after (s)"),
        "app": _("application"),
        "applications": _("applications"),
        "batch": _("batch id"),
        "before": _("before"),
        "changed": _("changed"),
        "child": _("new recovery"),
        "final_status": _("final status in YARN"),
        "found": _("found"),
        "groups_before": _("who could use it before"),
        "groups_now": _("who may use it now"),
        "known": _("batch id known before"),
        "known_app": _("application known before"),
        "last": _("last state in Livy"),
        "livy_state": _("state in Livy"),
        "looked_for": _("looked for"),
        "name": _("name"),
        "now": _("now"),
        "of": _("copy of"),
        "owner": _("owner in Livy"),
        "preflight": _("preflight"),
        "profile": _("profile"),
        "reason": _("reason"),
        "remedy": _("remedy"),
        "resubmission_of": _("resubmission of"),
        "sha256": _("SHA-256 of the payload"),
        "state": _("state"),
        "status": _("HTTP status"),
        "to": _("state"),
        "token": _("API token"),
        "version": _("version"),
        "words": _("in the server's words"),
    }
)
"""Names of an event's facts; one that is not here is shown as it is."""


SENTENCES: Final[tuple[tuple[str, str | None, Text], ...]] = (
    ("answer_lost", None, _("answer lost after %(after)s; it may have started")),
    ("claimed", State.UNCONFIRMED, _("taken up again, to be sent under the same name")),
    ("adopted", "yarn", _("found in YARN as %(app)s, adopted · no second launch")),
    (
        "adopted",
        "found_before_post",
        _("found under its name as batch %(batch)s before it was sent again, adopted · no second launch"),
    ),
    ("adopted", None, _("found under its name as batch %(batch)s, adopted · no second launch")),
    ("started", None, _("Livy accepted it as batch %(batch)s")),
    ("looked", "duplicate_name", _("Livy holds its name already and refused to start it once more · no second launch")),
    ("duplicate", "yarn", _("ALARM: more than one application ran under its name: %(applications)s")),
    ("duplicate", None, _("ALARM: a second batch of this recovery was found: %(batch)s, beside %(known)s")),
    ("duplicate", None, _("ALARM: a second batch of this recovery was found: %(batch)s")),
    ("settled", Settlement.LINKED, _("settled by a person: linked to batch %(batch)s, “%(name)s”")),
    ("settled", Settlement.LINKED, _("settled by a person: linked to batch %(batch)s, without a name")),
    ("settled", Settlement.LINKED, _("settled by a person: linked to %(app)s, “%(name)s”")),
    (
        "livy_restarted",
        "ids_began_again",
        _("Livy was restarted: its numbers began again (last seen %(looked_for)s, now %(found)s)"),
    ),
    ("livy_restarted", "id_reused", _("Livy was restarted: looked for %(looked_for)s, found %(found)s")),
    (
        "livy_restarted",
        "batches_gone",
        _("Livy was restarted: %(looked_for)s ran a moment ago; it holds %(found)s batches now, and none of these"),
    ),
    ("livy_restarted", "log_lost", _("Livy was restarted: the log of %(found)s has lost its lines")),
    ("changed", None, _("changed; who may use it: %(groups_before)s, now: %(groups_now)s")),
    ("livy_restarted", "recovering", _("Livy was restarted and takes its batches up again: %(found)s")),
)
"""(kind, cause or any, sentence): the first whose facts the event holds is taken; the others are said by their kind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """An event in words: `facts` are those that the sentence does not say."""

    text: str
    cause: str
    facts: Mapping[str, object]

    @property
    def line(self) -> str:
        """What happened, and why, in one line."""
        return f"{self.text} – {self.cause}" if self.cause else self.text


def tell(kind: str, cause: str, facts: Mapping[str, object]) -> Told:
    """The event in the active language, as a person tells it."""
    for of_kind, of_cause, sentence in SENTENCES:
        said = set(_PLACEHOLDER.findall(str(sentence)))
        if of_kind == kind and of_cause in (None, cause) and said <= facts.keys():
            shown = {name: span_text(facts[name]) if name == "after" else fact_text(name, facts[name]) for name in said}
            rest = {name: value for name, value in facts.items() if name not in said}
            left = "" if of_cause is not None or not cause else str(cause_text(cause))
            return Told(text=str(sentence) % shown, cause=left, facts=rest)
    return Told(text=str(event_text(kind)), cause=str(cause_text(cause)) if cause else "", facts=facts)


def span_text(seconds: object) -> str:
    """ "20 s"; "less than 1 s"."""
    if isinstance(seconds, int) and seconds >= 1:
        return f"{seconds} s"
    return str(_("less than 1 s"))


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
    if name == "preflight" and value in set(Light):
        return label(Light(str(value)))
    if name in ("groups_before", "groups_now") and not value:
        return _("everybody")
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value)


def event_text(kind: str) -> Text:
    """The words for a kind of event; an unknown kind is shown as it is."""
    return EVENTS.get(kind, kind)
