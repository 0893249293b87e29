"""Who wants to be told by e-mail that a recovery has ended."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from recovery.domain.states import TERMINAL, State


class Wish(StrEnum):
    """What a person wants to be told of their own recoveries."""

    NEVER = "never"
    FAILURES = "failures"
    ALL = "all"


TOLD: Final[Mapping[Wish, frozenset[State]]] = MappingProxyType(
    {
        Wish.NEVER: frozenset(),
        Wish.FAILURES: frozenset({State.FAILED, State.REFUSED, State.LOST}),
        Wish.ALL: TERMINAL,
    }
)
"""The ends that each of them means; what has to be checked is one that needs somebody."""
