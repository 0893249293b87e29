"""All waiting times in one frozen value, in seconds (protocol.md, preamble).

`Pacing()` is production. Tests and the demo use `Pacing().scaled(0.05)`; a deployment check refuses a value below
the floors when DEBUG is off, because a settle time shorter than what Knox and Livy need makes a POST unsafe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Pacing:
    """Seconds, unless a name says otherwise."""

    connect_timeout: float = 10
    read_timeout: float = 35
    """Between two bytes; above Knox's 20 s, so that Knox speaks first (P4)."""
    get_deadline: float = 25
    try_deadline: float = 60
    """Whole try: look, POST, answer (P2)."""
    lease_margin: float = 15
    """The claim's lease is the try deadline plus this: about 75 s."""
    follow_lease: float = 30
    settle: float = 120
    """After the end of a try's deadline: Knox's time-out and Livy's start lock have drained by then (S3)."""
    look_pauses: tuple[float, ...] = (2, 5, 10, 20, 40, 60)
    """Growing pauses between look-ups of a doubt; the last one repeats (S1)."""
    poll_young: float = 5
    poll_old: float = 30
    young_for: float = 600
    seen_at_least: float = 120
    """Every live recovery is looked at no later than this (F3)."""
    second_reading: float = 5
    """A terminal word counts after an equal reading at least this much later (F4)."""
    gone_for: float = 60
    """Livy-shaped 404s over at least this (F6)."""
    listed_again: float = 60
    """Where Livy's list is read, a row whose batch just goes on is written no more often than this."""
    log_every: float = 15
    log_watched_every: float = 4
    """For a log that somebody looks at, as far as the budget goes."""
    gateway_pause_first: float = 5
    gateway_pause_most: float = 120
    cleanup_every: float = 30
    cancel_retry: float = 10
    lost_look_every: float = 120
    submit_within: float = 24 * 3600
    """`submit_by`: what was not submitted by then is refused, or lost (S5)."""
    unseen_for: float = 6 * 3600
    """A gateway unseen for this long lets an operator settle its recoveries (H1)."""
    sweep_every: float = 5
    preflight_limit: float = 5
    """The whole look before filing: a person waits for it."""
    preflight_kept: float = 60
    """A good finding is not looked up again for this long; a bad one for a sixth of it, since people mend things."""
    max_tries: int = 8
    """Claims whose worker was never heard of again, before the row is parked (S5)."""
    gone_looks: int = 3

    def scaled(self, factor: float) -> Pacing:
        """The same with every time multiplied by `factor`; counts, and what a person waits for, stay."""
        changed: dict[str, object] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name not in _UNSCALED:
                changed[f.name] = tuple(v * factor for v in value) if isinstance(value, tuple) else value * factor
        return replace(self, **changed)  # type: ignore[arg-type]  # names come from fields()

    def look_pause(self, looks: int) -> float:
        """Pause after the `looks`-th look-up (1 is the first)."""
        return self.look_pauses[min(max(looks, 1), len(self.look_pauses)) - 1]

    def gateway_pause(self, failures: int, jitter: float) -> float:
        """Pause of an ill gateway after `failures` (from 1) in a row; `jitter` in [0, 1] spreads it by a quarter."""
        pause = min(self.gateway_pause_first * 2.0 ** min(failures - 1, 16), self.gateway_pause_most)
        return pause * (0.75 + 0.25 * jitter)

    def poll_pause(self, age: float) -> float:
        """Pause before the next look at a live batch that was submitted `age` seconds ago."""
        return self.poll_young if age < self.young_for else min(self.poll_old, self.seen_at_least)

    def unseen_soon(self) -> float:
        """A gateway with work that was not seen for this long should have been: twice the longest time between two
        looks, be it ill or well."""
        return 2 * max(self.seen_at_least, self.gateway_pause_most)

    def on_tick(self, pause: float) -> float:
        """`pause` less half a tick of the sweep, which looks every so often: else each look came a whole tick late."""
        return max(pause - self.sweep_every / 2, 0.0)

    def below_floor(self) -> Mapping[str, float]:
        """Names of the times that are too short for production, with their floors."""
        return MappingProxyType({name: floor for name, floor in FLOORS.items() if getattr(self, name) < floor})


_UNSCALED: Final = frozenset({"max_tries", "gone_looks", "preflight_limit", "preflight_kept"})
FLOORS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "read_timeout": 30,
        "try_deadline": 45,
        "lease_margin": 10,
        "settle": 60,
        "second_reading": 5,
        "gone_for": 60,
        "submit_within": 600,
    }
)
