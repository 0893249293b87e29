"""Does what the portal says agree with what really ran? One function for each promise; each yields what breaks it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from chaos.evidence import Batch, Event, Evidence, Place, Row
from recovery.domain.states import MOVES, TERMINAL, State
from recovery.domain.verdicts import Outcome

CLOCK: Final = 0.05
"""Seconds by which the sandbox's clock and the database's may differ: one host, two ways of reading."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """A promise, about what it was broken, and how."""

    rule: str
    subject: str
    words: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject}: {self.words}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One recovery with all that is known of it."""

    row: Row
    events: tuple[Event, ...]
    batches: tuple[Batch, ...]
    place: Place

    @property
    def subject(self) -> str:
        """For people."""
        return f"recovery {self.row.id} ({self.row.name}, {self.row.gateway})"

    @property
    def raised(self) -> bool:
        """A second batch was noticed."""
        return any(event.kind == "duplicate" for event in self.events)

    def yarn_knew(self, batch: Batch) -> bool:
        """The portal could have asked YARN about it, at any time since."""
        lived = batch.ended_at is None or batch.ended_at - batch.at > self.place.app_exists_after
        return self.place.has_yarn and not self.place.yarn_forgot and batch.app_id is not None and lived


def check(evidence: Evidence) -> list[Violation]:
    """Every broken promise."""
    found = [violation for rule in WHOLE for violation in rule(evidence)]
    for case in cases(evidence):
        for each in EACH:
            rule = each.__name__.replace("_", " ")
            found += [Violation(rule=rule, subject=case.subject, words=words) for words in each(case, evidence)]
    return found


def cases(evidence: Evidence) -> list[Case]:
    """The join by name, from the portal's side."""
    events: dict[int, list[Event]] = defaultdict(list)
    for event in evidence.events:
        events[event.recovery].append(event)
    batches: dict[str | None, list[Batch]] = defaultdict(list)
    for batch in evidence.batches:
        batches[batch.name].append(batch)
    return [
        Case(
            row=row,
            events=tuple(sorted(events[row.id], key=lambda event: event.seq)),
            batches=tuple(sorted(batches[row.name], key=lambda batch: batch.at)),
            place=evidence.places[row.gateway],
        )
        for row in evidence.rows
    ]


# ── from the ledger's side, and over all ────────────────────────────────────────────────────────────────────────


def no_batch_without_a_recovery(evidence: Evidence) -> Iterator[Violation]:
    """Whatever ran was filed, and on this gateway."""
    known = {(row.name, row.gateway) for row in evidence.rows}
    for batch in evidence.batches:
        if (batch.name, batch.gateway) not in known:
            words = f"started on {batch.gateway} at {batch.at:.2f}; nobody filed it"
            yield Violation(rule="no batch without a recovery", subject=f"batch {batch.name}", words=words)


def no_phantom_is_left(evidence: Evidence) -> Iterator[Violation]:
    """S2: an empty registration is removed, or a person was told (`lost`)."""
    states = {row.name: row.state for row in evidence.rows}
    for gateway, name in evidence.phantoms:
        if name in states and states[name] != State.LOST:
            words = f"Livy of {gateway} still holds its empty registration; the recovery is {states[name]}"
            yield Violation(rule="no phantom is left", subject=f"batch {name}", words=words)


def what_was_accepted_is_there_once(evidence: Evidence) -> Iterator[Violation]:
    """Invariant 2, H3: a 202 is a row, and a key is one row however often it was sent."""
    rule = "what was accepted is there, once"
    ids = {row.id: row for row in evidence.rows}
    for key, pk in evidence.filed.items():
        if pk not in ids or ids[pk].filing_key != key:
            yield Violation(rule=rule, subject=f"recovery {pk}", words=f"accepted under the key {key}, and not there")
    for key, number in Counter(row.filing_key for row in evidence.rows if row.filing_key).items():
        if number > 1:
            yield Violation(rule=rule, subject=f"key {key}", words=f"{number} recoveries")
        elif key not in evidence.filed:
            yield Violation(rule=rule, subject=f"key {key}", words="stored, and no answer ever told of it")


def only_what_has_ended_is_resubmitted(evidence: Evidence) -> Iterator[Violation]:
    """H2: only what has ended is resubmitted."""
    rows = {row.id: row for row in evidence.rows}
    for row in evidence.rows:
        parent = rows.get(row.parent) if row.parent is not None else None
        if parent is not None and (parent.finished_at is None or parent.finished_at > row.created_at + CLOCK):
            words = f"resubmits recovery {parent.id}, which had not ended"
            yield Violation(rule="only what has ended is resubmitted", subject=f"recovery {row.id}", words=words)


WHOLE: Final[tuple[Callable[[Evidence], Iterator[Violation]], ...]] = (
    no_batch_without_a_recovery,
    no_phantom_is_left,
    what_was_accepted_is_there_once,
    only_what_has_ended_is_resubmitted,
)


# ── each recovery ───────────────────────────────────────────────────────────────────────────────────────────────


def at_most_one_batch(case: Case, evidence: Evidence) -> Iterator[str]:
    """Invariant 1. What remains possible has to have been so, and to have been noticed."""
    if len(case.batches) <= 1:
        return
    times = ", ".join(f"{batch.at:.2f}" for batch in case.batches)
    if case.row.name not in evidence.late_bytes or len(case.batches) > 2:
        yield f"{len(case.batches)} batches started, at {times}"
    elif not case.raised:
        yield f"a second batch started, at {times}, and no event `duplicate` says so"


def an_end_in_time(case: Case, evidence: Evidence) -> Iterator[str]:
    """Invariant 2: whatever broke, it ends once nothing is broken any more."""
    row = case.row
    latest = max(row.created_at, evidence.quiet_at) + evidence.bound
    if row.state not in TERMINAL or row.finished_at is None:
        yield f"still {row.state} {evidence.bound:.0f} s after the last fault"
    elif row.finished_at > latest:
        yield f"ended {row.finished_at - latest:.0f} s after the bound of {evidence.bound:.0f} s"
    if row.cleanup_due:
        yield "its phantom is still to be cleaned up"


def an_honest_end(case: Case, evidence: Evidence) -> Iterator[str]:
    """Invariant 3: the ledger does not deny it."""
    row, batch = case.row, case.batches[-1] if case.batches else None
    truth = "nothing ever started" if batch is None else f"the batch is {batch.state or 'running'}"
    flipped = (row.name, "flip") in evidence.lies
    ended = batch is not None and batch.ended_at is not None and batch.ended_at <= (row.finished_at or 0.0) + CLOCK
    match row.state:
        case State.SUCCEEDED if batch is None or batch.state != "success" or not ended:
            yield f"succeeded, and {truth}"
        case State.FAILED if batch is None or not ended:
            yield f"failed, and {truth}"
        case State.FAILED if batch is not None and batch.state == "success":
            if not flipped or case.yarn_knew(batch):
                yield "failed, and the batch was a success"
        case State.REFUSED if batch is not None:
            yield f"refused, and {truth}"
        case State.LOST if batch is not None and case.yarn_knew(batch) and len(case.batches) == 1:
            yield f"lost ({row.outcome}), and YARN knew its application {batch.app_id} all the time ({truth})"
        case State.CANCELLED:
            yield from _an_honest_cancel(case, batch, truth)


def _an_honest_cancel(case: Case, batch: Batch | None, truth: str) -> Iterator[str]:
    """`cancelled` without YARN is what Livy said, and is shown as that; else it is so."""
    if not case.row.cancel_requested:
        yield "cancelled, and nobody asked for it"
    if batch is None or batch.state == "killed":
        return
    if case.row.outcome != Outcome.CANCELLED_UNVERIFIED or case.yarn_knew(batch):
        yield f"cancelled ({case.row.outcome}), and {truth}"


def nothing_after_the_end(case: Case, evidence: Evidence) -> Iterator[str]:
    """Nothing is relaunched by itself, after `lost` or any other end."""
    row = case.row
    for batch in case.batches:
        if row.finished_at is not None and batch.at > row.finished_at + CLOCK and row.name not in evidence.late_bytes:
            yield f"a batch started {batch.at - row.finished_at:.2f} s after it was {row.state}"


def a_history_without_a_gap(case: Case, evidence: Evidence) -> Iterator[str]:
    """Invariant 5: seq 1…n, `filed` first, each move legal, and the moves lead to where it stands."""
    numbers = [event.seq for event in case.events]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"events are numbered {numbers}"
    if not case.events or case.events[0].kind != "filed":
        yield "its first event is not `filed`"
    state = State.QUEUED
    for event in case.events:
        if "to" not in event.facts:
            continue
        to = State(event.facts["to"])
        if to not in MOVES[state]:
            yield f"event {event.seq} ({event.kind}) moves from {state} to {to}"
        state = to
    if state != case.row.state:
        yield f"its events lead to {state}, and it is {case.row.state}"


def what_ran_is_what_is_shown(case: Case, evidence: Evidence) -> Iterator[str]:
    """Invariant 4, N2: the frozen payload is what was started, under its tag."""
    sent = json.loads(case.row.sent_payload)
    for batch in case.batches:
        if batch.file != sent.get("file") or batch.args != case.row.args:
            yield f"{batch.file} {list(batch.args)} ran; {sent.get('file')} {list(case.row.args)} is shown"
        if dict(batch.conf) != sent.get("conf", {}):
            yield f"it ran with conf {dict(batch.conf)}, and {sent.get('conf', {})} is shown"
        if case.row.name.lower() not in batch.tags:
            yield f"it ran without its tag: {list(batch.tags)}"


EACH: Final[tuple[Callable[[Case, Evidence], Iterator[str]], ...]] = (
    at_most_one_batch,
    an_end_in_time,
    an_honest_end,
    nothing_after_the_end,
    a_history_without_a_gap,
    what_ran_is_what_is_shown,
)
