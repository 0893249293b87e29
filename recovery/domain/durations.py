"""How long a job usually takes, from how long it took before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Final

FEW: Final = 4
"""Below this many the spread is from the shortest to the longest, from there on the middle half."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usual:
    """Seconds; `count` past successes stand behind them."""

    count: int
    median: float
    low: float
    high: float

    @property
    def varies(self) -> bool:
        """The spread is worth a word."""
        return self.count > 1 and self.high - self.low >= 1


def usual(seconds: Sequence[float]) -> Usual | None:
    """None when there is nothing to go by."""
    if not seconds:
        return None
    if len(seconds) < FEW:
        low, high = min(seconds), max(seconds)
    else:
        low, _middle, high = quantiles(seconds, n=4, method="inclusive")
    return Usual(count=len(seconds), median=median(seconds), low=low, high=high)
