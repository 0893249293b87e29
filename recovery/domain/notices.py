"""Who wants to be told by e-mail that a recovery has ended."""

from __future__ import annotations

from enum import StrEnum

from recovery.domain.states import TERMINAL, State


class Wish(StrEnum):
    """What a person wants to be told of their own recoveries."""

    NEVER = "never"
    FAILURES = "failures"
    ALL = "all"


TOLD: dict[Wish, frozenset[State]] = {
    Wish.NEVER: frozenset(),
    Wish.FAILURES: frozenset({State.FAILED, State.REFUSED, State.LOST}),
    Wish.ALL: TERMINAL,
}
"""The ends that each of them means; what has to be checked is one that needs somebody."""
