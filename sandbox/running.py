"""What really runs: Spark jobs, and on YARN their applications, with a life of their own.

A job belongs to no Livy: a crashed Livy leaves its jobs running (real-behaviour.md §g). Starts, ends and kills go
to the ledger here and nowhere else.
"""

import heapq
import threading
from bisect import bisect_right
from dataclasses import dataclass, field

from sandbox import jobs
from sandbox.clock import Clock
from sandbox.jobs import Fate
from sandbox.ledger import Ended, Ledger, Started


@dataclass(slots=True, kw_only=True)
class Job:
    started: Started
    began: float
    fate: Fate
    app_id: str
    tags: tuple[str, ...]
    ends_at: float
    end_state: str
    #: Words that replace the fate's diagnostics after a kill or a forced end.
    epitaph: str = ""
    ended: bool = False
    _lines: list[jobs.Line] = field(default_factory=list)
    _moments: list[float] = field(default_factory=list)

    @property
    def on_yarn(self) -> bool:
        return self.fate.mode == "yarn"

    def over(self, now: float) -> bool:
        return now >= self.ends_at

    def app_exists(self, now: float) -> bool:
        """Does the ResourceManager know it? Not if spark-submit was killed before it got there."""
        born = self.began + jobs.APP_EXISTS
        return self.fate.reaches_yarn and born <= now and born <= self.ends_at

    def app_id_known(self, now: float) -> bool:
        known = self.began + jobs.APP_ID_KNOWN
        return self.fate.reaches_yarn and (known <= now or (self.over(now) and self.app_exists(now)))

    def submitting(self, now: float) -> bool:
        """Is its spark-submit alive? In local mode the job itself is that process (§k)."""
        return not self.over(now) and (not self.on_yarn or now < self.began + jobs.APP_ID_KNOWN)

    def state(self, now: float) -> str:
        """The state that a Livy which sees everything would show."""
        if self.over(now):
            return self.end_state
        if self.on_yarn and (not self.fate.reaches_yarn or now < self.began + jobs.APP_RUNS):
            return "starting"
        return "running"

    def diagnostics(self, now: float) -> str:
        if not self.on_yarn or not self.over(now):
            return ""
        return self.epitaph or self.fate.diagnostics(self.app_id)

    def output(self, now: float, keep: int) -> list[str]:
        """The last `keep` lines written so far."""
        if not self._lines:
            lines = jobs.timeline(self.fate, self.app_id)
            self._moments = [moment for moment, _ in lines]
            self._lines = lines
        elapsed = min(now, self.ends_at) - self.began
        if self.end_state == "success" and self.over(now):
            elapsed = float("inf")
        count = bisect_right(self._moments, elapsed)
        return [text for _, text in self._lines[max(0, count - keep) : count]]


class Jobs:
    """All jobs ever started. `tick` writes down the ends that have come."""

    def __init__(self, clock: Clock, ledger: Ledger) -> None:
        self._clock = clock
        self._ledger = ledger
        self._lock = threading.RLock()
        self._ends: list[tuple[float, int, Job]] = []
        self.by_seq: dict[int, Job] = {}
        #: Virtual seconds that spark-submit needs more than usual.
        self.lag = 0.0

    def start(
        self,
        *,
        name: str | None,
        batch_id: int,
        tags: tuple[str, ...],
        fate: Fate,
        generation: int,
        app_id: str,
        age: float = 0.0,
    ) -> Job:
        """`age`: it began so many virtual seconds ago (`Sandbox.seed`)."""
        with self._lock:
            now = self._clock.now() - age
            record = Started(
                seq=self._ledger.next_seq(),
                at=self._clock.wall(now),
                name=name,
                batch_id=batch_id,
                tags=tags,
                file=fate.work.file,
                args=fate.work.args,
                conf=dict(fate.work.conf),
                generation=generation,
                app_id=app_id if fate.reaches_yarn else None,
                user=fate.work.user,
            )
            job = Job(
                started=record,
                began=now + self.lag,
                fate=fate,
                app_id=app_id,
                tags=tags,
                ends_at=now + self.lag + fate.seconds,
                end_state=fate.state,
            )
            self.by_seq[record.seq] = job
            heapq.heappush(self._ends, (job.ends_at, record.seq, job))
            self._ledger.append(record)
            return job

    def stop(self, job: Job, state: str, epitaph: str = "", *, kind: str = "killed") -> bool:
        """End it now. False if it had ended already: then nothing changes."""
        with self._lock:
            now = self._clock.now()
            if job.over(now):
                return False
            job.epitaph = epitaph
            job.end_state = state
            job.ends_at = now
            self._write_end(job, kind)
            return True

    def kill(self, job: Job, by: str) -> bool:
        return self.stop(job, "killed", f"Application {job.app_id} was killed by user {by}")

    def tick(self, now: float) -> None:
        with self._lock:
            while self._ends and self._ends[0][0] <= now:
                self._write_end(heapq.heappop(self._ends)[2], "ended")

    def _write_end(self, job: Job, kind: str) -> None:
        if job.ended:
            return
        job.ended = True
        start = job.started
        self._ledger.append(
            Ended(
                seq=start.seq,
                at=self._clock.wall(job.ends_at),
                name=start.name,
                batch_id=start.batch_id,
                state=job.end_state,
                kind=kind,
            )
        )
