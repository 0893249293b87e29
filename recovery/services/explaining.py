"""Why a recovery failed, as far as its log says, and what to change: from the signatures that operators keep.

Read when a page asks, and kept nowhere: a signature that is written today explains the failures of yesterday.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from django.contrib.auth.models import User

from recovery.domain import remedies
from recovery.domain.arguments import ArgsMode, parse_arguments
from recovery.domain.errors import InvalidInput, Problem
from recovery.domain.patterns import SHORTEST_WORD, is_sound, pattern_problems
from recovery.domain.payload import Payload
from recovery.domain.remedies import Change
from recovery.domain.signatures import Certainty, Match, Place, Signature, match
from recovery.domain.states import State
from recovery.models import FailureSignature, Recovery, RecoveryLog
from recovery.models.signature import RECORDS
from recovery.services.editing import changed_columns
from recovery.services.resubmission import differences, resubmission_payload

EXPLAINED = frozenset({State.QUEUED, State.FAILED, State.REFUSED, State.LOST})
SECONDS = 0.5
"""That the search may take on a page; what was not found by then is not said."""
SHOWN = 3
MAX_OWN = 1000
"""Of a request's own words, those that are known again in a log."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """A signature that fits a recovery."""

    signature: FailureSignature
    found: Match

    @property
    def changes(self) -> list[Change]:
        """Of its remedy."""
        return remedies.parse(self.signature.change)


def explain(
    recovery: Recovery, log: RecoveryLog | None, *, clock: Callable[[], float] = monotonic
) -> list[Explanation]:
    """What fits, the first the likeliest by the operators' order. `lost` rows are explained, though never certain."""
    if recovery.state not in EXPLAINED:
        return []
    texts = texts_of(recovery, log)
    return explain_texts(texts, clock=clock, own=own_texts(recovery)) if any(texts.values()) else []


def texts_of(recovery: Recovery, log: RecoveryLog | None) -> dict[Place, str]:
    """Where a signature may look."""
    words = recovery.outcome_words
    if recovery.state == State.QUEUED:
        return {Place.WORDS: recovery.gateway.seen_words if recovery.gateway.seen_condition else ""}
    return {
        Place.WORDS: words,
        Place.DIAGNOSTICS: log.diagnostics if log else "",
        Place.LOG: log.output if log else "",
    }


def own_texts(recovery: Recovery) -> list[str]:
    """Its arguments, whole and in words: jobs print them, and they prove nothing."""
    given = [recovery.raw_jar_args, *recovery.args]
    words = [word for text in given for word in (*text.split(), *re.split(r"[\s=,;]+", text))]
    return [text for text in dict.fromkeys([*given, *words]) if len(text) >= SHORTEST_WORD][:MAX_OWN]


def explain_pasted(
    text: str, *, clock: Callable[[], float] = monotonic, only: FailureSignature | None = None
) -> list[Explanation]:
    """What would fit a text of which nobody knows who has written it: a signature is tried on it wherever it looks,
    and nothing is certain."""
    return _explained({Place.LOG: text}, clock=clock, only=only, everywhere=True)


def explain_texts(
    texts: Mapping[Place, str],
    *,
    own: Sequence[str] = (),
    clock: Callable[[], float] = monotonic,
    only: FailureSignature | None = None,
) -> list[Explanation]:
    """What fits these texts, of all signatures in use, or of one (which need not be stored yet)."""
    return _explained(texts, own=own, clock=clock, only=only)


def _explained(
    texts: Mapping[Place, str],
    *,
    clock: Callable[[], float],
    only: FailureSignature | None,
    own: Sequence[str] = (),
    everywhere: bool = False,
) -> list[Explanation]:
    rows = [only] if only is not None else list(FailureSignature.objects.in_use())
    # asked again: one that came into the table by another way, or was stored before the rule was what it is, is not run
    known = {number: row for number, row in enumerate(rows) if is_sound(row.pattern)}
    until = clock() + SECONDS
    tried = [_value(n, row, everywhere=everywhere) for n, row in known.items()]
    found = match(tried, texts, own=own, time_is_up=lambda: clock() > until)
    return [Explanation(signature=known[one.signature.id], found=one) for one in found[:SHOWN]]


def _value(number: int, row: FailureSignature, *, everywhere: bool) -> Signature:
    return Signature(
        id=number,
        pattern=row.pattern,
        places=frozenset(Place if everywhere else row.places),
        certainty=Certainty(row.certainty),
    )


def signature_problems(row: FailureSignature) -> list[Problem]:
    """Why a signature cannot be stored."""
    problems = pattern_problems(row.pattern) + remedies.problems(row.change)
    if not (row.in_words or row.in_diagnostics or row.in_log):
        problems.append(Problem(field="in_log", code="looks_nowhere"))
    return problems


def save_signature(*, signature: FailureSignature, by: User) -> FailureSignature:
    """Store a new or edited one; who it was stays in its history, unless nothing differs. Raises InvalidInput."""
    if problems := signature_problems(signature):
        raise InvalidInput(problems)
    stored = FailureSignature.objects.filter(pk=signature.pk).first()
    if stored is not None and not changed_columns(stored, signature, FailureSignature.EDITED_FIELDS):
        return signature
    if stored is not None and not stored.history.exists():  # one that a migration has brought
        stored._history_user, stored._history_date = None, stored.updated_at  # type: ignore[attr-defined]  # the same
        RECORDS.create_historical_record(stored, "+")
    signature._history_user = by  # type: ignore[attr-defined]  # simple-history's way to say who
    signature.save()
    return signature


# ── the remedy in a resubmission ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True, slots=True)
class Remedy:
    """The changes of a signature that fits a recovery, ready for its resubmission."""

    explanation: Explanation
    asked: list[str]
    splits: bool


def remedy_for(recovery: Recovery, log: RecoveryLog | None, signature_id: int) -> Remedy | None:
    """Only of a signature that does fit: a remedy is no way to set whatever one likes. None otherwise."""
    texts = texts_of(recovery, log)
    row = FailureSignature.objects.in_use().filter(pk=signature_id).exclude(change="").first()
    if row is None or recovery.state not in EXPLAINED:
        return None
    found = explain_texts(texts, only=row, own=own_texts(recovery))
    if not found:
        return None
    changes = found[0].changes
    return Remedy(explanation=found[0], asked=remedies.asked(changes), splits=remedies.splits(changes))


def remedied(
    recovery: Recovery, changes: Mapping[str, Any], remedy: Remedy, *, given: Mapping[str, str]
) -> dict[str, Any]:
    """The keyword arguments of a resubmission with the remedy laid over them. Raises InvalidInput.

    Arguments that are cut become a list, so that the profile's way to read them does not matter.
    """
    out = dict(changes)
    if remedy.splits:
        out["jar_args"] = cut(recovery, out.get("jar_args"))
    payload, _mode, _raw = resubmission_payload(recovery=recovery, **out)
    overrides = remedies.overrides(
        remedy.explanation.changes, payload, groups=remedy.explanation.found.groups, given=given
    )
    return out | {"overrides": overrides or None}


def cut(recovery: Recovery, typed: str | Sequence[str] | None = None) -> list[str]:
    """The arguments cut as a shell would: of a text, or of each argument of a list. Raises InvalidInput."""
    if typed is None:
        typed = recovery.args if recovery.args_mode == ArgsMode.LIST else recovery.raw_jar_args
    pieces = [typed] if isinstance(typed, str) else typed
    return [word for piece in pieces for word in parse_arguments(piece, ArgsMode.SPLIT)]


def would_change(recovery: Recovery, explanation: Explanation) -> list[tuple[str, Any, Any]]:
    """(field, then, with the remedy) of what needs nobody's word. Empty: the remedy has nothing to change here."""
    then = Payload.from_json(recovery.payload_json)
    changes = explanation.changes
    values = remedies.overrides(changes, then, groups=explanation.found.groups, given={})
    if remedies.splits(changes):
        try:
            values["args"] = tuple(cut(recovery))
        except InvalidInput:  # a quote that is not closed: it is said when the form is sent
            values["args"] = ()
    return [(d.field, d.then, d.now) for d in differences(then, then.with_changes(**values))]
