"""Livy 0.7.1: one process with its batches. What a restart makes of it: `livy_service`.

Order is the point here (contract §2, §3.4): a POST first asks for room, then parses, burns an id, registers, and
only then starts; all under one lock that GETs do not take.
"""

import random
import string
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from sandbox import jobs, payload_rules
from sandbox.answers import Answer, backend_json, livy_message, livy_string
from sandbox.batches import Batch, no_application
from sandbox.clock import Clock
from sandbox.faults import Effects
from sandbox.payload_rules import BatchRequest, Refused
from sandbox.running import Job, Jobs
from sandbox.settings import Settings
from sandbox.yarn import Yarn

_TAG_LETTERS = string.ascii_lowercase + string.digits
TOO_MANY = "Rejected, too many sessions are being created!"
POLLING_FAILED = "java.io.IOException: Failed on local exception: Connection reset by peer"


class BackendGone(Exception):
    """The process died, or the way to it is cut: nobody will answer this call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What Livy stands on; outlives every Livy process."""

    clock: Clock
    jobs: Jobs
    yarn: Yarn
    settings: Settings
    #: Tells why a file cannot be had, or None (`sandbox.webhdfs`).
    file_trouble: Callable[[str, str], str | None]


class LivyProcess:
    def __init__(self, cluster: Cluster, generation: int, front: str) -> None:
        self.cluster = cluster
        self.generation = generation
        self.front = front
        self.next_id = 0
        self.batches: dict[int, Batch] = {}
        self.by_name: dict[str, Batch] = {}
        self.last_gc = cluster.clock.now()
        self.lock = threading.RLock()
        self._servlet = threading.Lock()
        self._manager = threading.Lock()
        self._children: list[Job] = []
        self._gone = threading.Event()
        self._awake = threading.Event()
        self._awake.set()

    @property
    def paused(self) -> bool:
        return not self._awake.is_set()

    def pause(self) -> None:
        self._awake.clear()

    def resume(self) -> None:
        self._awake.set()

    def die(self) -> None:
        """Every call inside ends at once with BackendGone."""
        with self.lock:
            self._gone.set()
        self._awake.set()

    def enter(self) -> None:
        """Wait while the process is stopped (SIGSTOP); the caller's request stays in its socket."""
        self._awake.wait()
        if self._gone.is_set():
            raise BackendGone

    def sleep(self, seconds: float) -> None:
        self.cluster.clock.sleep(seconds, self._gone)
        self.enter()

    def find(self, id_or_name: str) -> Batch | None:
        """By id if all digits, else by name. Raises ValueError beyond Java's int."""
        with self.lock:
            if id_or_name.isascii() and id_or_name.isdigit():
                number = int(id_or_name)
                if number >= 2**31:
                    raise ValueError(f'For input string: "{id_or_name}"')
                return self.batches.get(number)
            return self.by_name.get(id_or_name)

    def all(self) -> list[Batch]:
        with self.lock:
            return list(self.batches.values())

    def post(self, body: Mapping[str, object], effects: Effects) -> Answer:
        with self._servlet:
            self.enter()
            if effects.has("too_many_sessions") or self._starting() >= self.cluster.settings.max_creation:
                return livy_message(400, TOO_MANY)
            try:
                request = payload_rules.read_request(body)
                batch = self._create(request)
            except Refused as refused:
                return refused.answer
            with self._manager:
                duplicate = self.register(batch)
                if duplicate is not None:
                    return duplicate
                self.spoil(batch, effects)
                slow = effects.get("slow_start")
                self.sleep(slow.seconds if slow else self.cluster.settings.post_cost)
                if effects.has("phantom"):
                    return livy_message(400, "requirement failed: start was refused.")
                refusal = payload_rules.start_refusal(request, self.cluster.settings)
                if refusal is not None:
                    return refusal
                self._start(batch, request)
            now = self.cluster.clock.now()
            return backend_json(batch.describe(now), 201, Location=f"/batches/{batch.id}")

    def post_slowly(self, body: Mapping[str, object]) -> Callable[[], None] | None:
        """A POST whose start takes long: the batch is registered now, and the returned call starts it, or raises
        BackendGone. None: it is refused. Keeping other POSTs and DELETEs waiting meanwhile is the caller's part.
        """
        try:
            request = payload_rules.read_request(body)
            batch = self._create(request)
        except Refused:
            return None
        return partial(self._start, batch, request) if self.register(batch) is None else None

    def _create(self, request: BatchRequest) -> Batch:
        """The constructor: what fails here burns an id and leaves nothing else."""
        settings = self.cluster.settings
        with self.lock:
            batch_id = self.next_id
            self.next_id += 1
        if request.has_null_collection:
            # The request's own toString, for Livy's log, trips over it.
            raise Refused(livy_string(500, "java.lang.NullPointerException"))
        refusal = payload_rules.name_refusal(request.name)
        if refusal is not None:
            raise Refused(refusal)
        proxy_user = request.texts.get("proxyUser") if settings.impersonation else None
        return Batch(
            id=batch_id,
            name=request.name,
            proxy_user=proxy_user,
            tag=f"livy-batch-{batch_id}-{_letters()}",
            mode=settings.mode,
            log_lines=settings.log_lines,
            app_lookup=settings.app_lookup,
            front=self.front,
        )

    def register(self, batch: Batch) -> Answer | None:
        with self.lock:
            if batch.name is not None:
                if batch.name in self.by_name:
                    # The id in the message is the refused one's, not the holder's (fact 4).
                    return livy_message(400, f"Duplicate session name: Some({batch.name}) for session {batch.id}")
                self.by_name[batch.name] = batch
            self.batches[batch.id] = batch
            return None

    def seed(self, body: Mapping[str, object], age: float) -> Batch:
        """A batch as if it had been POSTed `age` virtual seconds ago; takes no lock of the servlet and no time."""
        try:
            request = payload_rules.read_request(body)
            batch = self._create(request)
        except Refused as refused:
            raise ValueError(f"Livy would refuse it: {refused.answer.body!r}") from refused
        if self.register(batch) is not None:
            raise ValueError(f"the name {batch.name!r} is taken")
        self._start(batch, request, age)
        return batch

    def _start(self, batch: Batch, request: BatchRequest, age: float = 0.0) -> None:
        cluster = self.cluster
        settings = cluster.settings
        user = batch.proxy_user or "livy"
        uri = payload_rules.resolve(request.file or "", settings)
        conf = {key: value for key, value in request.conf.items() if value is not None}
        memory = (request.texts.get("driverMemory"), request.texts.get("executorMemory"))
        work = jobs.Work(
            file=uri,
            args=request.args,
            conf=conf,
            memories=tuple(text for text in memory if text),
            cores=tuple(number for number in request.numbers.values() if isinstance(number, int)),
            queue=request.texts.get("queue"),
            file_trouble=cluster.file_trouble(uri, user),
            user=user,
        )
        own = [tag.strip().lower() for tag in conf.get("spark.yarn.tags", "").split(",")]
        with self.lock:
            # Killed between the check and the start: spark-submit was never launched.
            if self._gone.is_set():
                raise BackendGone
            job = cluster.jobs.start(
                name=batch.name,
                batch_id=batch.id,
                tags=(batch.tag, *(tag for tag in own if tag)),
                fate=jobs.decide(work, settings.mode, settings.queues),
                generation=self.generation,
                app_id=cluster.yarn.next_id(),
                age=age,
            )
            cluster.yarn.add(job)
            self._children.append(job)
            batch.job = job

    def _starting(self) -> int:
        """Live spark-submit children: in local mode every running batch is one (§k)."""
        now = self.cluster.clock.now()
        with self.lock:
            self._children = [job for job in self._children if job.submitting(now)]
            return len(self._children)

    def delete(self, batch: Batch, effects: Effects) -> Answer:
        """Kill, then forget. On YARN it waits for the application id first (§e)."""
        clock = self.cluster.clock
        job = batch.job
        if job is not None and batch.lost_at is None and not effects.has("delete_lies"):
            deadline = clock.now() + batch.app_lookup
            while job.on_yarn and not job.over(clock.now()) and not job.app_id_known(clock.now()):
                if clock.now() >= deadline:
                    break
                self.sleep(0.02)
            self.cluster.jobs.kill(job, "livy")
        # Removal takes the lock that a start holds: a batch deleted in the middle of its start runs on, unknown.
        with self._manager:
            if not self.forget(batch):
                return livy_message(404, f"Session '{batch.id}' not found.")
        return backend_json({"msg": "deleted"})

    def forget(self, batch: Batch) -> bool:
        with self.lock:
            if self.batches.get(batch.id) is not batch:
                return False
            del self.batches[batch.id]
            if batch.name is not None and self.by_name.get(batch.name) is batch:
                del self.by_name[batch.name]
            return True

    def collect(self, now: float, retain: float) -> int:
        """The garbage collector: ended batches only; a phantom stays for ever (§c)."""
        gone = 0
        for batch in self.all():
            ended = batch.ended_at(now)
            if ended is not None and now - ended > retain:
                gone += self.forget(batch)
        return gone

    def spoil(self, batch: Batch, effects: Effects) -> None:
        """Faults that stay with a batch: what Livy says of it is wrong from now on."""
        if effects.has("flip"):
            batch.flips = True
            batch.forget_settled()
        lost = effects.get("dead_but_alive")
        if lost is not None:
            polling = lost.variant == "polling"
            reason = POLLING_FAILED if polling else no_application(batch.tag, batch.app_lookup)
            batch.forget_settled()
            batch.lose_sight(self.cluster.clock.now(), reason, keep_app_id=polling)


def _letters() -> str:
    return "".join(random.choices(_TAG_LETTERS, k=8))  # noqa: S311  # unlikely to repeat is enough
