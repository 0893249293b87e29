"""A portal, a gateway and a cluster in one process, with everything that may happen to them as methods.

The rules draw which of them happens next, and what happens in the middle of what; nothing here judges (`oracle.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Min, Q

from recovery.domain.errors import InvalidInput
from recovery.domain.gateways import Channel
from recovery.domain.states import FOLLOWED, LIVE, Settlement, State
from recovery.gateway.endpoint import Endpoint
from recovery.gateway.transport import Sender
from recovery.models import Gateway, LivyProfile, Recovery
from recovery.services import (
    cancelling,
    following,
    gateways,
    linking,
    log_reading,
    profiles,
    reconciliation,
    settling,
    submission,
    sweeping,
)
from recovery.services.filing import Filed, Origin, file_recovery
from recovery.services.resubmission import resubmit
from sandbox import Sandbox
from sandbox.clock import ManualClock
from sandbox.livy_service import Livy
from sandbox.request import Request
from tests.factories import JAR, make_gateway, make_profile
from tests.machine.oracle import Oracle
from tests.machine.troubles import Act, Crash, Trouble
from tests.machine.wire import AtOnce, Wire, post_of
from tests.machine.worker import HandsOff, Worker, Workers

START = datetime(2030, 1, 1, tzinfo=UTC)
JOBS = ("--date 20240101", "--fail 3", "--throw", "--sleep 40", "--sleep 100000", "--sleep 100000")
HOUR = 3600.0
MOST = 5
"""Recoveries that are not ended: more would only be slower."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What stands behind the gateway, and what the portal is told about it: always the truth."""

    yarn: bool = False
    """Jobs run on YARN, not on Livy's own machine."""
    yarn_shown: bool = False
    """The gateway shows YARN's REST."""
    livys: int = 1
    balanced: bool = False
    """Several Livys get the calls in turn, instead of one until it fails."""
    keeps: bool = False
    """Livy's recovery mode."""
    retention: int = 600
    busy: bool = True
    """Somebody else's batch runs there from the beginning: a witness (S3)."""


class World:
    """One example's world. Everything it stores is taken back by `close`."""

    current: ClassVar[World]

    @classmethod
    def monotonic(cls) -> float:
        """In place of the worker's own clock: it goes on while the worker stands still."""
        return cls.current.clock.now()

    @classmethod
    def transport(cls, endpoint: Endpoint, **timeouts: float) -> Sender:
        """In place of `Transport`: calls go to the world that is."""
        return cls.current.wire.sender(endpoint, **timeouts)

    def __init__(self, shape: Shape, by: User) -> None:
        World.current = self
        self.shape, self.by = shape, by
        self.clock = ManualClock(START.timestamp())
        self.box = Sandbox(
            clock=self.clock, mode="yarn" if shape.yarn else "local", recovery=shape.keeps, post_cost=0.0,
            retain=float(shape.retention),
        )  # fmt: skip
        self.livys = [self.box._livy] + [Livy(self.box._livy.cluster) for _ in range(shape.livys - 1)]
        self.livy = self.livys[0]
        self.box._knox._calls = AtOnce()  # type: ignore[assignment]  # what submits and waits needs no threads
        self.clock.forward(HOUR)  # YARN has been there for a while
        self.wire = Wire(self)
        self.workers = Workers()
        self._all = transaction.atomic()
        self._all._from_testcase = True  # type: ignore[attr-defined]  # as Django's own TestCase does
        self._all.__enter__()
        self._wrapped = connection.execute_wrapper(self.workers)
        self._wrapped.__enter__()
        self.gateway = make_gateway(
            base_url="http://sandbox/gateway/sandbox", user="svc_portal", secret_ref="env:SANDBOX_PASSWORD",
            yarn_path="resourcemanager/v1/cluster" if shape.yarn_shown else "", single_livy=shape.livys == 1,
            livy_recovery=shape.keeps, retention_seconds=shape.retention,
        )  # fmt: skip
        self.profile = make_profile(gateway=self.gateway, driver_memory="1g")
        self.oracle = Oracle(self)
        self.restarts = 0
        self._turn = 0
        if shape.busy:
            for _ in self.livys:
                self.stranger(True)
                self.forward(30)
                self.turn()

    def close(self) -> None:
        """Take back what was stored, end the sandbox."""
        self._wrapped.__exit__(None, None, None)
        transaction.set_rollback(True)
        self._all.__exit__(None, None, None)
        self.box.close()

    # Time

    def now(self) -> datetime:
        """The database's clock, as far as the services know."""
        return datetime.fromtimestamp(self.clock.wall(self.clock.now()), UTC)

    def forward(self, seconds: float) -> None:
        """Time passes; what was on its way arrives, Livy forgets what is old."""
        end = self.clock.now() + seconds
        self.wire.land(until=end)
        self.clock.forward(max(0.0, end - self.clock.now()))
        self.tick()

    def tick(self) -> None:
        """Ends are written down, garbage is collected."""
        self.box._tick()
        for livy in self.livys[1:]:
            livy.tick(self.clock.now())

    # The portal's workers

    def work(self, kind: str, *troubles: Trouble) -> None:
        """One pass of a worker: submit, settle, follow, logs or sweep."""
        worker = Worker(kind=kind, troubles=troubles)
        self.workers.append(worker)
        try:
            if kind == "sweep":
                sweeping.sweep(clock=self.now)
            else:
                _TASKS[kind](gateway_id=self.gateway.pk, clock=self.now)
        except Crash:
            # a save() that was cut off has marked the transaction around it: that is ours, a worker has none
            transaction.set_rollback(False)
            return
        finally:
            self.workers.pop()
        if not worker.dead:
            self.oracle.hears(worker.heard)

    def round(self) -> None:
        """Everybody once, with nothing in their way."""
        for kind in ("sweep", "submit", "settle", "follow", "logs"):
            self.work(kind)

    def meanwhile(self, acts: Sequence[Act]) -> None:
        """What happens while a worker stands still."""
        for name, *arguments in acts:
            getattr(self, name)(*arguments)

    def expire(self) -> None:
        """Leases run out, and the sweep sees it."""
        self.forward(80)
        self.work("sweep")

    def until_due(self, kind: str) -> None:
        """Time passes until there is work of this kind, if there is going to be any."""
        with self.hands_off():
            rows = Recovery.objects.filter(state__in=_STATES[kind])
            coming = rows.aggregate(first=Min("next_action_at"))["first"]
            gateway = Gateway.objects.get(pk=self.gateway.pk)
        if coming is not None:
            rest = gateway.next_try_at if gateway.condition else None
            seconds = (max(coming, rest or coming) - self.now()).total_seconds()
            self.forward(min(max(seconds, 0.0), 300.0))

    # People

    def file(self, job: int) -> None:
        """A steward files a recovery."""
        with self.hands_off():
            if Recovery.objects.live().count() >= MOST:
                return
            profile = LivyProfile.objects.select_related("gateway").get(pk=self.profile.pk)
            origin = Origin(by=self.by, channel=Channel.API)
            self._filed(
                lambda: file_recovery(
                    profile=profile, jar_path=JAR, jar_args=JOBS[job % len(JOBS)], origin=origin, now=self.now()
                )
            )

    def _filed(self, door: Callable[[], Filed]) -> None:
        try:
            recovery = door().recovery
        except InvalidInput:
            return  # followed only, or not to be resubmitted now
        Recovery.objects.filter(pk=recovery.pk).update(created_at=self.now())
        self.oracle.files(recovery)

    def cancel(self, index: int) -> None:
        with self.hands_off():
            if row := self.row(index, state__in=LIVE, cancel_requested_at__isnull=True):
                cancelling.request_cancel(recovery=row, by=self.by, now=self.now())

    def resubmit(self, index: int) -> None:
        with self.hands_off():
            if row := self.row(index):
                origin = Origin(by=self.by, channel=Channel.API)
                self._filed(lambda: resubmit(recovery=row, origin=origin, reason="again", now=self.now()))

    def settle(self, index: int, how: int) -> None:
        """A person decides what could not be known."""
        with self.hands_off():
            if row := self.row(index, settled_as=""):
                words = [Settlement.SUCCEEDED, Settlement.FAILED, Settlement.NEVER_RAN]
                if how < len(words):
                    settling.settle(recovery=row, settled_as=words[how], reason="seen", by=self.by, now=self.now())
                else:
                    self._link(row)

    def _link(self, row: Recovery) -> None:
        self.workers.append(Worker(kind="person"))
        try:
            found = linking.find(recovery=row, wanted=row.batch_name)
            shown = linking.Shown(name=found.name, batch_id=found.batch_id, app_id=found.app_id)
            linking.link(recovery=row, wanted=row.batch_name, shown=shown, reason="seen", by=self.by, now=self.now())
        except InvalidInput:
            return  # nothing of that name, or no answer
        finally:
            self.workers.pop()

    def edit_profile(self, memory: int) -> None:
        with self.hands_off():
            profile = LivyProfile.objects.select_related("gateway").get(pk=self.profile.pk)
            profile.driver_memory = f"{memory}g"
            profiles.save_profile(profile=profile, by=self.by)

    def edit_gateway(self, what: str) -> None:
        with self.hands_off():
            if what == "pause":
                gateways.pause(gateway_id=self.gateway.pk, by=self.by, reason="a look")
            elif what == "resume":
                gateways.resume(gateway_id=self.gateway.pk, by=self.by)
            else:
                most, only = {"one": (1, False), "many": (None, False), "follow_only": (None, True)}[what]
                Gateway.objects.filter(pk=self.gateway.pk).update(max_running=most, follow_only=only)

    # The cluster

    def restart(self, keeps: bool, graceful: bool = False, downtime: float = 0.0) -> None:
        """Livy ends and starts anew; it forgets all unless it keeps, which only one on YARN can."""
        self.livy = self.livys[self._turn % len(self.livys)]
        keeps = self.shape.keeps or (keeps and self.shape.yarn)
        self.restarts += 1
        self.livy.restart(recovery=keeps, graceful=graceful and not keeps, downtime=downtime)
        for flight in [flight for flight in self.wire.flights if flight.blocks]:
            flight.due = self.clock.now()  # it died with its Livy, and blocks nobody any more
        self.wire.land(until=self.clock.now())

    def livy_down(self) -> None:
        for livy in self.livys:
            livy.reachable = False

    def livy_up(self) -> None:
        for livy in self.livys:
            livy.reachable = True

    def yarn(self, what: str) -> None:
        """silent, back, restarted, slow, quick."""
        act: dict[str, Callable[[], None]] = {
            "silent": self.box.yarn_down,
            "back": self.box.yarn_up,
            "restarted": self.box.yarn_restart,
            "slow": lambda: self.box.yarn_slow(45.0),
            "quick": lambda: self.box.yarn_slow(0.0),
        }
        act[what]()

    def finish(self, index: int, word: str) -> None:
        """A job that runs ends by itself."""
        alive = self.box.ledger.alive()
        if alive:
            jobs = self.box._livy.cluster.jobs
            jobs.stop(jobs.by_seq[alive[index % len(alive)].seq], word, "Ended by itself.", kind="ended")

    def arrive(self) -> None:
        """What is on its way arrives now."""
        self.wire.land_now()

    def stranger(self, sleeps: bool) -> None:
        """Somebody else's batch, which may be a witness, and takes the next number."""
        args = ["--sleep", "100000"] if sleeps else ["--date", "20240101"]
        body = {"file": "hdfs:///x/stream.jar", "name": f"ingest-{self.clock.now():.3f}", "args": args}
        self.wire.handle(post_of(body))

    def impostor(self, index: int) -> None:
        """Livy forgets all, its numbers begin again, and a copy of the database, at work elsewhere, posts one of ours.
        Name and number are the same: only the application tells it from ours (F2)."""
        with self.hands_off():
            row = self.row(index, state__in=FOLLOWED) if self.shape.yarn else None
        if row is None or not row.app_id or row.livy_id is None:
            return
        if self.shape.keeps or len(self.livys) > 1 or self.wire.blocked:
            return
        self.restart(False)
        for _ in range(min(row.livy_id, 9)):
            self.stranger(False)
        before = {start.seq for start in self.box.ledger.started()}
        self.wire.handle(post_of(json.loads(row.sent_payload)))
        self.oracle.not_ours |= {start.seq for start in self.box.ledger.started()} - before

    def turn(self) -> None:
        """The gateway goes on to its next Livy."""
        self._turn += 1

    def next_livy(self, request: Request) -> None:
        """Who gets this call."""
        self._turn += self.shape.balanced
        self.livy = self.livys[self._turn % len(self.livys)]
        self.box._knox._livy = self.livy

    # Looking

    def row(self, index: int, **only: Any) -> Recovery | None:
        """One of the recoveries that are so; the newest is 0."""
        rows = Recovery.objects.select_related("gateway", "profile").filter(**only).order_by("-pk")
        count = rows.count()
        return rows[index % count] if count else None

    def hands_off(self) -> HandsOff:
        return HandsOff(self.workers)

    # To the end

    def heal(self) -> None:
        """Nothing is broken any more."""
        self.livy_up()
        self.yarn("back")
        self.yarn("quick")
        self.edit_gateway("resume")
        self.edit_gateway("many")
        self.forward(200)

    def to_the_end(self) -> None:
        """All workers, from one due time to the next, until nothing is left to do. Every job comes to its end."""
        late = self.now() + timedelta(seconds=1500)
        for _ in range(150):
            for start in self.box.ledger.alive():
                self.finish(0, "dead" if start.seq % 3 == 0 else "success")
            self.work("sweep")
            live = Recovery.objects.filter(state__in=LIVE)
            for kind, states in _STATES.items():
                if live.filter(next_action_at__lte=self.now(), state__in=states).exists():
                    self.work(kind)
            if Recovery.objects.filter(log_due_at__lte=self.now()).exists():
                self.work("logs")
            if not live.exists() and not Recovery.objects.filter(cleanup_due=True, state=State.REFUSED).exists():
                break
            coming = self._next_due() or self.now()
            hop = (coming - self.now()).total_seconds()
            self.forward(max(hop, 10.0 if self.now() < late else HOUR))
        self.forward(200)
        self.work("sweep")  # a last look for what is lost

    def _next_due(self) -> datetime | None:
        rows = Recovery.objects.filter(Q(state__in=LIVE) | Q(cleanup_due=True) | Q(state=State.LOST))
        coming: datetime | None = rows.aggregate(first=Min("next_action_at"))["first"]
        log = rows.filter(state__in=LIVE).aggregate(first=Min("log_due_at"))["first"]
        coming = min(coming or log, log) if log else coming
        gateway = Gateway.objects.get(pk=self.gateway.pk)
        rest = [t for t in (gateway.next_try_at, gateway.submit_next_at) if t is not None and t > self.now()]
        if coming is not None and coming <= self.now() and rest:
            return min(rest)
        return coming


_TASKS: dict[str, Callable[..., int]] = {
    "submit": submission.submit_due,
    "settle": reconciliation.settle_due,
    "follow": following.follow_due,
    "logs": log_reading.read_due,
}
_STATES = {"submit": {State.QUEUED}, "settle": {State.UNCONFIRMED}, "follow": FOLLOWED}
