"""States of a recovery and the table of legal moves (design §4). `docs/states.md` is generated from this table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where a recovery stands, as far as it is known."""

    AWAITING_APPROVAL = "awaiting_approval"
    QUEUED = "queued"
    SUBMITTING = "submitting"
    UNCONFIRMED = "unconfirmed"
    STARTING = "starting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    LOST = "lost"


_S = State

MOVES: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        _S.AWAITING_APPROVAL: frozenset({_S.QUEUED, _S.CANCELLED, _S.REFUSED}),
        # `lost` from `queued`: it waits for its next try after a doubt, and its time ran out (S5).
        _S.QUEUED: frozenset({_S.SUBMITTING, _S.CANCELLED, _S.REFUSED, _S.LOST}),
        _S.SUBMITTING: frozenset({_S.QUEUED, _S.UNCONFIRMED, _S.STARTING, _S.RUNNING, _S.REFUSED}),
        # back to `submitting`: the POST is repeated under the same name (S2, S3); to `queued`: a phantom was
        # proved and deleted, so nothing runs (S2); `refused`: the same, after Livy's verdict on the payload.
        _S.UNCONFIRMED: frozenset(
            {_S.SUBMITTING, _S.QUEUED, _S.STARTING, _S.RUNNING, _S.REFUSED, _S.CANCELLED, _S.LOST}
        ),
        _S.STARTING: frozenset({_S.RUNNING, _S.SUCCEEDED, _S.FAILED, _S.CANCELLED, _S.LOST}),
        _S.RUNNING: frozenset({_S.SUCCEEDED, _S.FAILED, _S.CANCELLED, _S.LOST}),
        _S.SUCCEEDED: frozenset(),
        _S.FAILED: frozenset(),
        _S.CANCELLED: frozenset(),
        _S.REFUSED: frozenset(),
        _S.LOST: frozenset(),
    }
)

TERMINAL: frozenset[State] = frozenset(state for state, targets in MOVES.items() if not targets)
LIVE: frozenset[State] = frozenset(State) - TERMINAL
FOLLOWED: frozenset[State] = frozenset({_S.STARTING, _S.RUNNING})
"""A batch of ours is known and not ended: the follower looks at it."""


class Settlement(StrEnum):
    """What a person decided about a recovery that could not be known (H1)."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NEVER_RAN = "never_ran"
    LINKED = "linked"


class Hold(StrEnum):
    """Why a filed recovery may not run yet, or why automation keeps its hands off."""

    NONE = ""
    APPROVAL = "approval"
    BACKFILL = "backfill"
    NAME_TAKEN = "name_taken"
    """Somebody else holds our name in Livy (A7): a person decides."""


def legal_sources(to: State) -> frozenset[State]:
    """The states from which `to` may be reached."""
    return frozenset(source for source, targets in MOVES.items() if to in targets)


def mermaid() -> str:
    """The table of moves as a Mermaid state diagram (for `docs/states.md`)."""
    lines = ["stateDiagram-v2", f"    [*] --> {_S.QUEUED}", f"    [*] --> {_S.AWAITING_APPROVAL}"]
    for source in State:
        lines += [f"    {source} --> {target}" for target in State if target in MOVES[source]]
    lines += [f"    {state} --> [*]" for state in State if state in TERMINAL]
    return "\n".join(lines) + "\n"
