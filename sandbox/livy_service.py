"""Livy as a service: the process that answers now, and what a restart keeps of it (real-behaviour.md §g)."""

import random
import threading

from sandbox.batches import Batch
from sandbox.livy import BackendGone, Cluster, LivyProcess


class Livy:
    """The service: which process answers now, and what a restart keeps."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.recovery = cluster.settings.recovery
        self.reachable = True
        self._ready_at = 0.0
        self._lock = threading.Lock()
        self.process = LivyProcess(cluster, 1, "")

    def current(self) -> LivyProcess:
        """The process that a new connection reaches, or BackendGone (refused)."""
        with self._lock:
            if not self.reachable or self.cluster.clock.now() < self._ready_at:
                raise BackendGone
            return self.process

    def restart(self, *, recovery: bool | None, graceful: bool, downtime: float) -> None:
        """real-behaviour.md §g. With recovery: same ids and names, arbitrary order, logs lost."""
        if recovery and self.cluster.settings.mode != "yarn":
            raise ValueError("Session recovery requires YARN.")
        with self._lock:
            if recovery is not None:
                self.recovery = recovery
            old = self.process
            old.die()
            now = self.cluster.clock.now()
            new = LivyProcess(self.cluster, old.generation + 1, old.front)
            if self.recovery:
                new.next_id = old.next_id
                batches = old.all()
                random.Random(new.generation).shuffle(batches)  # noqa: S311  # "arbitrary", but repeatable
                for batch in batches:
                    new.register(_recovered(batch, now))
            elif graceful:
                for batch in old.all():
                    if batch.job is not None and batch.lost_at is None:
                        self.cluster.jobs.kill(batch.job, "livy")
            self.process = new
            self._ready_at = now + downtime * self.cluster.clock.speed

    def tick(self, now: float) -> None:
        process, settings = self.process, self.cluster.settings
        if now - process.last_gc >= settings.gc_interval:
            process.last_gc = now
            if not process.paused:
                process.collect(now, settings.retain)


def _recovered(batch: Batch, now: float) -> Batch:
    return Batch(
        id=batch.id,
        name=batch.name,
        proxy_user=batch.proxy_user,
        tag=batch.tag,
        mode=batch.mode,
        log_lines=batch.log_lines,
        app_lookup=batch.app_lookup,
        front=batch.front,
        job=batch.job,
        recovered_at=now,
    )
