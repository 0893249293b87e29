"""What is true, whatever the portal believes: the ledger of what really ran, and what was promised (design §2)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from recovery.domain.payload import sha256
from recovery.domain.states import LIVE, MOVES, TERMINAL, State
from recovery.domain.verdicts import Outcome
from recovery.models import Recovery, RecoveryEvent, SubjectType
from sandbox import Started

if TYPE_CHECKING:
    from tests.machine.world import World

FROZEN = ("payload", "payload_sha256", "sent_payload", "batch_name", "args", "raw_jar_args", "profile_version")


@dataclass(kw_only=True, slots=True)
class Known:
    """What the test knows about one recovery."""

    pk: int
    frozen: tuple[Any, ...]
    state: State = State.QUEUED
    events: list[tuple[Any, ...]] = field(default_factory=list)
    lies: set[str] = field(default_factory=set)
    """What Livy was made to say wrongly about its batch."""
    stalled: bool = False
    """A worker stood still between its last act and the first byte: what protocol.md says is not excluded, but told."""


class Oracle:
    """Raises AssertionError where an invariant is broken."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.known: dict[str, Known] = {}
        self.not_ours: set[int] = set()
        """Starts of a copied portal, in the ledger under a name of ours."""
        self._last_event = 0

    # What the test tells it

    def files(self, recovery: Recovery) -> None:
        if recovery.batch_name in self.known:
            return
        frozen = tuple(getattr(recovery, name) for name in FROZEN)
        self.known[recovery.batch_name] = Known(pk=recovery.pk, frozen=frozen)
        assert sha256(recovery.payload) == recovery.payload_sha256

    def lies(self, what: str, name: str) -> None:
        if name in self.known:
            self.known[name].lies.add(what)

    def stalls(self, body: bytes) -> None:
        self.known[self.name_in(body)].stalled = True

    def name_in(self, body: bytes) -> str:
        return str(json.loads(body).get("name"))

    # While it happens

    def sees_post(self, body: bytes) -> None:
        """The last moment before the first byte: the claim stands, nobody has decided, no byte has changed."""
        name = self.name_in(body)
        assert name in self.known, f"a POST under a name of no recovery: {name}"
        with self.world.hands_off():
            row = Recovery.objects.get(pk=self.known[name].pk)
        assert body == row.sent_payload.encode(), f"{name}: other bytes than the frozen ones are sent"
        assert row.state == State.SUBMITTING, f"{name}: POSTed while {row.state}"
        assert not row.settled_as, f"{name}: POSTed after a person has settled it as {row.settled_as}"
        assert row.lease_until is not None
        assert row.lease_until > self.world.now(), f"{name}: POSTed after its lease"

    def hears(self, answers: list[tuple[str, int]]) -> None:
        """A6: a worker that lived has told the history of each 201 that came back to it."""
        for name, batch in answers:
            if name in self.known:
                told = RecoveryEvent.objects.of(SubjectType.RECOVERY, self.known[name].pk)
                kinds = [e.kind for e in told if e.facts.get("batch") == batch]
                assert {"started", "adopted", "late_answer"} & set(kinds), f"{name}: nobody tells of its 201 ({batch})"

    # After each step

    def check(self) -> None:
        self._history()
        starts: dict[str, list[Started]] = {}
        for start in self.world.box.ledger.started():
            if start.seq not in self.not_ours:
                starts.setdefault(str(start.name), []).append(start)
        for row in Recovery.objects.order_by("pk"):
            known = self.known[row.batch_name]
            now = tuple(getattr(row, name) for name in FROZEN)
            assert now == known.frozen, f"{row}: what was frozen has changed"
            assert known.state == row.state, f"{row}: is {row.state}, its events say {known.state}"
            self._honest(row, known, starts.get(row.batch_name, []))

    def _history(self) -> None:
        """Events: `seq` without gap, each move legal and told, nothing moves out of a terminal state."""
        by_pk = {known.pk: known for known in self.known.values()}
        new = RecoveryEvent.objects.filter(subject_type=SubjectType.RECOVERY, pk__gt=self._last_event).order_by("pk")
        for event in new:
            self._last_event = event.pk
            known = by_pk[event.subject_id]
            known.events.append(_told(event))
            assert event.seq == len(known.events), f"{event}: after {len(known.events) - 1} others"
            to = event.facts.get("to")
            if to is not None:
                assert State(to) in MOVES[known.state], f"{event}: from {known.state} to {to}"
                known.state = State(to)

    def _honest(self, row: Recovery, known: Known, starts: list[Started]) -> None:
        ends = [self.world.box.ledger.end_of(start) for start in starts]
        alive = any(end is None for end in ends)
        words = [end.state for end in ends if end is not None]
        told = f"{row}: {row.state}/{row.outcome}, the ledger: {len(starts)} started, {words}"
        if known.stalled:
            assert len(starts) <= 1 or "duplicate" in {event[1] for event in known.events}, f"nobody tells — {told}"
            return
        assert len(starts) <= 1, f"started twice — {told}"
        for start in starts:
            asked = json.loads(row.sent_payload)
            assert list(start.args) == asked.get("args", []), told
            assert {**start.conf} == asked.get("conf", {}), told
        unsent = row.state in (State.QUEUED, State.REFUSED) or row.outcome == Outcome.CANCELLED_BEFORE_START
        if unsent:
            assert not starts, told
            assert not self.world.wire.on_its_way(row.batch_name), f"on its way — {told}"
        if row.state == State.SUCCEEDED:
            assert words == ["success"], told
        if row.state == State.FAILED:
            assert starts, told
            assert not alive, told
            assert words != ["success"] or "flip" in known.lies, told
        if row.outcome == Outcome.CANCELLED_VERIFIED:
            assert words == ["killed"], told
        if row.outcome == Outcome.CANCELLED_UNVERIFIED:
            lied = "delete_lies" in known.lies
            assert not alive or lied, told
            assert not starts or words == ["killed"] or lied or row.batch_name in self.world.wire.deleted, told
            assert not self.world.wire.on_its_way(row.batch_name), f"on its way — {told}"
        assert (row.finished_at is None) == (row.state in LIVE)

    # At the end

    def check_end(self) -> None:
        """All is healed and quiet: everything has ended, and nothing of ours is left behind."""
        self.check()
        rows = {row.batch_name: row for row in Recovery.objects.all()}
        for name, row in rows.items():
            assert row.state in TERMINAL, f"{row}: still {row.state} ({row.hold})"
            stored = [_told(event) for event in RecoveryEvent.objects.of(SubjectType.RECOVERY, row.pk)]
            assert stored == self.known[name].events, f"{row}: its history has changed"
        for livy in self.world.livys:
            for batch in livy.process.all():
                row_of = rows.get(str(batch.name))
                if row_of is not None and batch.job is None and self.world.shape.livys == 1:
                    assert row_of.state == State.LOST, f"{row_of}: {row_of.state}, and its phantom is left"
        ours = [start for start in self.world.box.ledger.started() if not str(start.name).startswith("ingest-")]
        assert {str(start.name) for start in ours} <= set(rows), "a batch without a recovery"
        of_gateway = RecoveryEvent.objects.filter(subject_type=SubjectType.GATEWAY, kind="livy_restarted")
        restarts = [(event.cause, event.data) for event in of_gateway]
        assert len(restarts) <= self.world.restarts, f"there were {self.world.restarts} restarts, told are {restarts}"


def _told(event: RecoveryEvent) -> tuple[Any, ...]:
    return event.seq, event.kind, event.cause, event.data, event.actor_label
