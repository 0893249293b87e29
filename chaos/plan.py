"""What is filed and what breaks, when: all of it drawn from one seed. The same seed gives the same plan.

A plan is data. Times are real seconds from its beginning; the cluster lives `SPEED` times faster than a real one and
the portal's pacing is scaled by as much, so that both stay in step (a slow start is shorter than the settle time, as
it is with a real Livy).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from chaos import weather
from recovery.domain.pacing import Pacing

SCALE: Final = 0.1
SPEED: Final = 1 / SCALE
PACING: Final = Pacing().scaled(SCALE)
FILING: Final = (15.0, 0.25)
"""Seconds over which a plan's recoveries are filed: so many, and so many more for each."""
TAIL: Final = 40.0
"""Seconds after the last step for which what is armed stays armed, if there is work left to meet it."""
LONG: Final = 300
"""Virtual seconds of a job that is to be cancelled."""
WORKERS: Final = ("worker1", "worker2")
BEATS: Final = ("beat1", "beat2")
STOPPED: Final = 2 * (PACING.try_deadline + PACING.lease_margin)
"""Seconds for which a worker is stopped: twice its lease."""
BOUND: Final = (
    2 * (PACING.try_deadline + PACING.lease_margin)  # the claims of two tries
    + 2 * PACING.settle  # a doubt, and then a phantom that is probed
    + PACING.gateway_pause_most + PACING.look_pauses[-1] + PACING.gone_for
    + LONG / SPEED  # a job whose DELETE lied runs to its end
    + 20  # a slow machine
)  # fmt: skip
"""Within how many quiet seconds every recovery has to end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gateway:
    """A Knox of the run: a sandbox of its own, and what the portal's row says of it, which is true."""

    name: str
    mode: str
    """local or yarn."""
    yarn: bool
    """The portal may ask its YARN."""
    recovery: bool = False
    """Livy keeps its batches over a restart."""
    max_running: int | None = None
    share: float = 0.25
    """Of the recoveries."""


GATEWAYS: Final = (
    Gateway(name="plain", mode="local", yarn=False, share=0.25),
    Gateway(name="yarn", mode="yarn", yarn=True, share=0.3),
    Gateway(name="keeps", mode="yarn", yarn=True, recovery=True, share=0.3),
    Gateway(name="blind", mode="yarn", yarn=False, max_running=8, share=0.15),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing that is done at `at`."""

    at: float
    act: str
    target: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        told = " ".join(f"{key}={value}" for key, value in self.facts.items() if value is not None)
        return f"{self.at:7.1f} s  {self.act:<10} {self.target:<8} {told}".rstrip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The steps of one run, in the order of time."""

    setup: str
    seed: int
    recoveries: int
    steps: tuple[Step, ...]

    @property
    def lasts(self) -> float:
        """Seconds until the last step."""
        return max((step.at for step in self.steps), default=0.0)

    @property
    def yarn_forgets(self) -> frozenset[str]:
        """Gateways whose ResourceManager is restarted."""
        return frozenset(
            step.target for step in self.steps if step.act == "order" and step.facts["do"] == "yarn_restart"
        )

    def describe(self) -> str:
        """For people: the totals, then every step that is not just a filing or a fault of the wire."""
        counts = Counter(step.act for step in self.steps)
        lines = [
            f"chaos: {self.recoveries} recoveries, seed {self.seed}, set-up {self.setup}; {self.lasts:.0f} s of faults,"
            f" then at most {BOUND:.0f} s of quiet",
            f"  filed {counts['file']}, cancels {counts['cancel']}, resubmissions {counts['resubmit']}",
        ]
        for gateway in GATEWAYS:
            faults: Counter[str] = Counter()
            for step in self.steps:
                if step.act == "fault" and step.target == gateway.name:
                    faults[str(step.facts["route"])] += step.facts["times"]
            told = ", ".join(f"{number} of {route}" for route, number in sorted(faults.items()))
            lines.append(f"  {gateway.name} ({_told(gateway)}) faults: {told}")
        lines += [f"  {step}" for step in self.steps if step.act not in {"file", "fault", "cancel", "resubmit"}]
        return "\n".join(lines)


def _told(gateway: Gateway) -> str:
    yarn = "YARN" if gateway.yarn else ("YARN that the portal cannot ask" if gateway.mode == "yarn" else "no YARN")
    return f"{yarn}, Livy {'keeps' if gateway.recovery else 'forgets'} its batches over a restart"


def make_plan(*, setup: str, seed: int, recoveries: int) -> Plan:
    """The plan of a seed."""
    dice = random.Random(f"{setup} {seed} {recoveries}")  # noqa: S311  # dice, not a secret
    over = FILING[0] + recoveries * FILING[1]
    steps = [*_filings(dice, recoveries, over), *_weather(dice, recoveries, over), *_processes(dice, over)]
    if setup == "postgres":
        steps += _servers(dice, over)
    return Plan(setup=setup, seed=seed, recoveries=recoveries, steps=tuple(sorted(steps, key=lambda step: step.at)))


def _filings(dice: random.Random, recoveries: int, over: float) -> Iterator[Step]:
    """Filings, cancels soon and late after them, and resubmissions of what has ended by then."""
    for number in range(recoveries):
        at = dice.uniform(0, over)
        gateway = dice.choices(GATEWAYS, [gateway.share for gateway in GATEWAYS])[0]
        args = f"--date 2024{dice.randint(1, 12):02}{dice.randint(1, 28):02} --table splio.t{number}"
        luck = dice.random()
        if luck < 0.12:
            args += " --throw"
        elif luck < 0.2:
            args += f" --fail {dice.randint(1, 9)}"
        long = luck > 0.8
        args += f" --sleep {LONG if long else dice.randint(0, 40)}"
        target = str(number)
        yield Step(at=at, act="file", target=target, facts={"profile": gateway.name, "args": args})
        if long or dice.random() < 0.06:
            after = dice.choice((0.2, dice.uniform(1, 15), dice.uniform(1, 15)))
            yield Step(at=at + after, act="cancel", target=target)
        elif dice.random() < 0.12:
            yield Step(at=at + dice.uniform(5, 20), act="resubmit", target=target)


def _weather(dice: random.Random, recoveries: int, over: float) -> Iterator[Step]:
    """What Knox, Livy, YARN and the wire do wrong."""
    for gateway in GATEWAYS:
        share = recoveries * gateway.share
        for fault in weather.faults(dice, share, local=gateway.mode == "local", yarn=gateway.yarn):
            yield Step(at=0.0, act="fault", target=gateway.name, facts=fault)
        for do, facts in weather.orders(dice, recovery=gateway.recovery, yarn=gateway.yarn):
            yield Step(at=dice.uniform(0.1 * over, over), act="order", target=gateway.name, facts={"do": do, **facts})


def _processes(dice: random.Random, over: float) -> Iterator[Step]:
    """kill -9 at each named point in turn, SIGSTOP for twice the lease, and the deaths of web and beat."""
    points = list(weather.POINTS)
    dice.shuffle(points)
    number = max(4, round(over / 8))
    for index in range(number):
        facts = {"point": points[index % len(points)], "skip": dice.choice((0, 0, 1, 3))}
        whom = dice.choice(("worker", "child"))
        yield Step(at=over * (index + dice.random()) / number, act="kill_at", target=whom, facts=facts)
    for _ in range(max(1, round(over / 40))):
        sent = {"point": dice.choice(("post_sent", "post_answered")), "skip": dice.choice((0, 2)), "then": "restart"}
        yield Step(at=dice.uniform(0.2, 0.9) * over, act="kill_at", target="worker", facts=sent)
    for _ in range(max(1, round(over / 60))):
        yield Step(
            at=dice.uniform(0.1, 0.9) * over, act="stop", target=dice.choice(WORKERS), facts={"seconds": STOPPED}
        )
        point = dice.choice(weather.STOP_POINTS)
        stop = {"point": point, "skip": dice.choice((0, 1)), "seconds": STOPPED}
        yield Step(at=dice.uniform(0.1, 0.9) * over, act="stop_at", target="worker", facts=stop)
    yield Step(at=dice.uniform(0.1, 0.9) * over, act="kill", target="web")
    yield Step(at=dice.uniform(0.1, 0.9) * over, act="kill", target=dice.choice(BEATS))
    yield Step(at=dice.uniform(0.1, 0.9) * over, act="kill", target=dice.choice(WORKERS))


def _servers(dice: random.Random, over: float) -> Iterator[Step]:
    """Redis emptied, Redis away, PostgreSQL restarted in immediate mode: each once in every 25 s."""
    for _ in range(max(1, round(over / 25))):
        yield Step(at=dice.uniform(0.05, 0.95) * over, act="flush", target="redis")
        yield Step(
            at=dice.uniform(0.05, 0.95) * over, act="away", target="redis", facts={"seconds": dice.uniform(1, 6)}
        )
        yield Step(at=dice.uniform(0.05, 0.95) * over, act="crash", target="postgres")
