"""Playing a plan: the steps in time, then quiet until everything has ended, then the evidence."""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from chaos import evidence, points
from chaos.evidence import Evidence, Place
from chaos.people import People, Unserved
from chaos.plan import BOUND, GATEWAYS, PACING, SPEED, STOPPED, TAIL, Plan, Step
from chaos.site import Site

APP_EXISTS: Final = 3.0
"""Virtual seconds after which a submission of the sandbox is known to its YARN (sandbox/jobs.py)."""
SAY_EVERY: Final = 10.0


@dataclass(kw_only=True)
class Result:
    """What came out of a run."""

    evidence: Evidence
    notes: list[str] = field(default_factory=list)
    """What people should know and what breaks no promise."""
    complaints: list[str] = field(default_factory=list)
    """Answers of the API that nobody should get."""


class Run:
    """One plan on one site."""

    def __init__(self, plan: Plan, site: Site, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.site = site
        self.say = say
        self.notes: list[str] = []
        self.undo: list[tuple[float, int, Callable[[], None]]] = []
        self.numbers = count()
        self.given = 0
        self.forgetting: set[int] = set()
        """Orders after whose death Livy forgets, before anybody can look."""
        self.look_again, self.work_left = 0.0, True
        self.heeded: set[int] = set()
        self.hands = ThreadPoolExecutor(12, thread_name_prefix="people")
        self.servers = ThreadPoolExecutor(1, thread_name_prefix="servers")
        self.people = People(url=site.url, token="")
        self.pending: list[Any] = []

    def play(self, token: str) -> Result:
        """From the first filing to the evidence."""
        self.people.token = token
        began = time.monotonic()
        steps = list(self.plan.steps)
        said = 0.0
        while steps or self.undo or self._tail(time.monotonic() - began):
            now = time.monotonic() - began
            while steps and steps[0].at <= now:
                self._do(steps.pop(0), now)
            while self.undo and self.undo[0][0] <= now:
                heapq.heappop(self.undo)[2]()
            self._watch()
            if now - said >= SAY_EVERY:
                said = now
                self.say(f"  {now:5.0f} s  {self._progress()}")
            time.sleep(0.05)
        self._calm_down()
        quiet_at = time.time()
        self.say(f"  {time.monotonic() - began:5.0f} s  quiet; {self._progress()}")
        self._wait_for_the_end(quiet_at)
        self.say(f"  {time.monotonic() - began:5.0f} s  over; {self._progress()}")
        return Result(evidence=self._evidence(quiet_at), notes=self._notes(), complaints=self.people.errors)

    def _tail(self, now: float) -> bool:
        """Faults that are armed wait a little for work that is left."""
        if now >= self.plan.lasts + TAIL:
            return False
        if now >= self.look_again:
            self.look_again = now + 1.0
            self.work_left = self._work_left()
        return self.work_left

    def _work_left(self) -> bool:
        try:
            return self._count(evidence.UNFINISHED) > 0
        except Exception:  # noqa: BLE001  # the database may be away just now, and that is meant
            return True

    # ── steps ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _do(self, step: Step, now: float) -> None:
        facts = dict(step.facts)
        match step.act:
            case "file":
                self._ask(self.people.file, step.target, **facts)
            case "cancel":
                self._ask(self.people.cancel, step.target)
            case "resubmit":
                self._ask(self.people.resubmit, step.target)
            case "fault":
                self.site.tell(step.target, "faults", facts)
            case "order":
                self._order(step.target, facts, now)
            case "kill_at":
                action = points.KILL_WORKER if step.target == "worker" else points.KILL_CHILD
                self._give(facts["point"], action, facts["skip"])
                if facts.get("then") == "restart":
                    self.forgetting.add(self.given)
            case "stop_at":
                self._give(facts["point"], points.STOP, facts["skip"])
            case "kill":
                self.site.portal[step.target].kill()
            case "stop":
                self.site.portal[step.target].stop(facts["seconds"])
            case _:
                self.pending.append(self.servers.submit(self._server, step.act, facts))

    def _ask(self, ask: Callable[..., None], *arguments: str, **facts: Any) -> None:
        self.pending.append(self.hands.submit(ask, *arguments, **facts))

    def _give(self, point: str, action: str, skip: int) -> None:
        self.given += 1
        self.site.orders.give(self.given, point, action, skip)

    def _order(self, gateway: str, facts: dict[str, Any], now: float) -> None:
        do, lasts = facts.pop("do"), facts.pop("for", None)
        self.site.tell(gateway, do, facts)
        back = {"pause": "resume", "down": "up", "yarn_down": "yarn_up"}.get(do)
        if back is not None and lasts is not None:
            self._later(now + lasts, lambda: self.site.tell(gateway, back, {}))

    def _later(self, at: float, act: Callable[[], Any]) -> None:
        heapq.heappush(self.undo, (at, next(self.numbers), act))

    def _server(self, act: str, facts: Mapping[str, Any]) -> None:
        if act == "flush":
            self.site.flush_redis()
        elif act == "away":
            self.site.redis_away(facts["seconds"])
        else:
            self.site.services("crash")

    def _watch(self) -> None:
        """Workers that were stopped at a point go on in time; what ended by itself is noted."""
        for line in self.site.orders.obeyed():
            if line["order"] in self.heeded:
                continue
            self.heeded.add(line["order"])
            if line["order"] in self.forgetting:
                self._forget()
            worker = self._worker_of(line)
            if worker is None:
                continue
            if line["action"] == points.STOP:
                worker.stopped_until = time.monotonic() + STOPPED
            elif line["action"] == points.KILL_WORKER:
                worker.expected += 1
        for process in self.site.watch():
            if len(process.ends) > process.expected:
                process.expected = len(process.ends)
                self.notes.append(f"{process.name} ended by itself with {process.ends[-1]}")

    def _forget(self) -> None:
        """Every Livy that forgets over a restart is restarted."""
        for gateway in GATEWAYS:
            if not gateway.recovery:
                self.site.tell(gateway.name, "restart", {"recovery": False, "graceful": False, "downtime": 0.0})

    def _worker_of(self, line: Mapping[str, Any]) -> Any:
        for process in self.site.portal.values():
            if process.child is not None and process.child.pid == line["group"]:
                return process
        return None

    # ── quiet ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _calm_down(self) -> None:
        """Nothing is broken any more: faults disarmed, everything up, everybody awake."""
        for name in self.site.orders.recall():
            self.notes.append(f"nobody came to obey {name}")
        for gateway in GATEWAYS:
            unstruck = Counter(
                f"{fault['route']} {fault['action']}"
                for fault in self.site.tell(gateway.name, "faults", method="GET")
                if fault["struck"] == 0
            )
            if unstruck:
                self.notes.append(f"{gateway.name}: {unstruck.total()} faults found no request: {dict(unstruck)}")
            self.site.tell(gateway.name, "faults", {"clear": True})
        self.servers.shutdown(wait=True)
        self._watch()
        while any(process.stopped_until is not None or not process.runs for process in self.site.portal.values()):
            self._watch()
            time.sleep(0.1)
        self.people.closing.set()
        self.hands.shutdown(wait=True)
        for future in self.pending:
            if (error := future.exception()) is not None:
                if not isinstance(error, Unserved):
                    raise error
                self.people.errors.append(str(error))

    def _wait_for_the_end(self, quiet_at: float) -> None:
        end = quiet_at + BOUND
        while time.time() < end and self._count(evidence.UNFINISHED):
            self._watch()
            time.sleep(0.5)
        tidy = min(end, time.time() + 2 * PACING.cleanup_every + PACING.follow_lease)
        while time.time() < tidy and self._count(evidence.UNTIDY):
            self._watch()
            time.sleep(0.5)

    def _count(self, sql: str) -> int:
        return int(evidence.query(self.site.environment["DATABASE_URL"], sql)[0][0])

    def _progress(self) -> str:
        try:
            states = evidence.query(self.site.environment["DATABASE_URL"], evidence.STATES)
        except Exception as error:  # noqa: BLE001  # the database may be away just now, and that is meant
            return f"the database gives no answer ({type(error).__name__})"
        return ", ".join(f"{number} {state}" for state, number in states) or "nothing filed yet"

    # ── evidence ────────────────────────────────────────────────────────────────────────────────────────────────

    def _evidence(self, quiet_at: float) -> Evidence:
        url = self.site.environment["DATABASE_URL"]
        batches: list[evidence.Batch] = []
        phantoms: list[tuple[str, str]] = []
        lies: frozenset[tuple[str, str]] = frozenset()
        for gateway in GATEWAYS:
            batches += evidence.batches_of(self.site.ledger(gateway.name), gateway.name)
            held = self.site.tell(gateway.name, "batches", method="GET")
            phantoms += [(gateway.name, batch["name"]) for batch in held if _is_phantom(batch)]
            lies |= evidence.lies_in(self.site.tell(gateway.name, "requests", method="GET"))
        late = {line["name"] for line in self.site.orders.obeyed() if _left_late_bytes(line)}
        return Evidence(
            rows=evidence.rows_of(url),
            events=evidence.events_of(url),
            batches=tuple(batches),
            places={
                gateway.name: Place(
                    name=gateway.name,
                    has_yarn=gateway.yarn,
                    yarn_forgot=gateway.name in self.plan.yarn_forgets,
                    app_exists_after=APP_EXISTS / SPEED,
                )
                for gateway in GATEWAYS
            },
            phantoms=tuple(phantoms),
            lies=lies,
            filed=dict(self.people.filed),
            late_bytes=frozenset(late),
            quiet_at=quiet_at,
            bound=BOUND,
        )

    def _notes(self) -> list[str]:
        obeyed = Counter(f"{line['action']} at {line['point']}" for line in self.site.orders.obeyed())
        told = ", ".join(f"{what} ×{number}" for what, number in sorted(obeyed.items()))
        people = ", ".join(f"{what} {number}" for what, number in sorted(self.people.counts.items()))
        return [f"people: {people}", f"points: {told or 'none'}", *self.notes]


def _is_phantom(batch: Mapping[str, Any]) -> bool:
    """Held for ever: what was recovered after a restart says `dead` in time, and is collected."""
    return bool(batch["name"] and not batch["started"] and batch["state"] == "starting")


def _left_late_bytes(line: Mapping[str, Any]) -> bool:
    return bool(line["point"] == "before_first_byte" and line["action"] == points.STOP)
