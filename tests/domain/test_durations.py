"""How long a job usually takes."""

from __future__ import annotations

import pytest

from recovery.domain.durations import usual


def test_nothing_to_go_by() -> None:
    assert usual([]) is None


@pytest.mark.parametrize(
    ("seconds", "median", "low", "high", "varies"),
    [
        ([60.0], 60, 60, 60, False),
        ([60.0, 80.0], 70, 60, 80, True),
        ([60.0, 60.2], 60.1, 60, 60.2, False),
        ([10.0, 20.0, 30.0, 40.0, 1000.0], 30, 20, 40, True),
    ],
)
def test_the_middle_and_the_spread(seconds: list[float], median: float, low: float, high: float, varies: bool) -> None:
    found = usual(seconds)
    assert found is not None
    assert (found.count, found.median, found.low, found.high) == (len(seconds), median, low, high)
    assert found.varies is varies
