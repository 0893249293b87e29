"""The way from the portal to the sandbox without a socket: what `Transport` would have said, and every trouble on it.

One thread, one clock that only the test moves. What takes long is kept aside instead of waited for: a POST on its way
(`late`), a start that stands still inside Livy (`stuck`), and what waits behind that for Livy's lock.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from recovery.domain.gateways import Condition
from recovery.gateway.endpoint import Endpoint
from recovery.gateway.errors import Ambiguous, NotSent
from recovery.gateway.transport import Answer, Call
from sandbox.answers import Answer as Raw
from sandbox.answers import Delivery, knox_failure
from sandbox.clock import SandboxClosed
from sandbox.knox import with_proxy_user
from sandbox.livy import BackendGone
from sandbox.request import Request
from tests.machine.troubles import LIES, Trouble, comes_to_livy, faults_of

if TYPE_CHECKING:
    from tests.machine.world import World

KNOX_GIVES_UP = 20.0
ON_ITS_WAY = 60.0
"""A POST arrives, and a start ends, at most so much later: the settle time is for that (S3)."""
USER, PASSWORD = "svc_portal", "svc-password"


@dataclass(kw_only=True, slots=True)
class Flight:
    """Something that Livy will do later, whatever its caller was told."""

    due: float
    name: str
    land: Callable[[], None]
    blocks: bool = False
    """A start that holds Livy's lock."""


class Wire:
    """One for each example; `Sender` of every client that the services open."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.flights: list[Flight] = []
        self.deleted: set[str] = set()
        """Names of which a DELETE came to Livy."""

    def sender(self, endpoint: Endpoint, **_timeouts: float) -> _Sender:
        """In place of `Transport`."""
        return _Sender(self, endpoint)

    def send(self, call: Call) -> Answer:
        """One call of the worker on top of the world's stack."""
        world, kind = self.world, kind_of(call)
        worker = world.workers[-1]
        trouble = worker.meets(kind)
        what = trouble.what if trouble else ""
        if what == "unreachable":
            raise NotSent("nobody there", condition=Condition.UNREACHABLE)
        if trouble and what == "meanwhile_before":
            world.meanwhile(trouble.acts)
        if call.last_act is not None:
            call.last_act()
        if what == "crash_before":
            worker.kill()
        if kind == "POST":
            world.oracle.sees_post(call.body or b"")
        if trouble and what == "stalls":
            world.oracle.stalls(call.body or b"")
            world.meanwhile(trouble.acts)
        before = world.clock.now()
        raw = self._played(kind, call, trouble)
        if what == "slow":
            world.forward(KNOX_GIVES_UP - 1)
        elif world.clock.now() - before >= KNOX_GIVES_UP:
            raw = knox_failure(_path(call), "sandbox")  # a DELETE that waited for an application
        if trouble and what == "meanwhile_after":
            world.meanwhile(trouble.acts)
        if what == "crash_after":
            worker.kill()
        if trouble and what == "crash_then":
            worker.fuse = trouble.count
        answer = told(raw)
        if kind == "POST" and answer.status == 201:
            worker.hears_201(answer.body)
        return answer

    def _played(self, kind: str, call: Call, trouble: Trouble | None) -> Raw:
        world, what = self.world, trouble.what if trouble else ""
        request = _request(call)
        lost = Raw(status=0, delivery=Delivery(kind="drop"))
        if kind == "POST":
            name = world.oracle.name_in(request.body)
            if what == "late":
                self._fly(name, partial(self._arrive, request))
                return lost
            if self.blocked:
                self._fly(name, partial(self._arrive, request), due=self._unblocked())
                return self._cut(call)
            if what == "stuck":
                return self._stuck(name, call, request)
            # a gateway sent it again, and answers what the second one was answered; to two Livys, no name would help
            if what == "twice" and world.shape.livys == 1:
                self._arrive(request)
        if kind == "DELETE" and self.blocked:
            self._delete_waits(call)
            return self._cut(call)
        self.world.next_livy(request)
        forged = what == "wrong_name" and not _name(call, request, world)  # a list with other names in it
        if not forged and (what not in LIES or self._can_lie(what, kind, _name(call, request, world))):
            for fault in faults_of(trouble) if trouble else ():
                world.box.add_fault(fault)
        if kind == "DELETE" and comes_to_livy(what):
            self.deleted.add(_name(call, request, world))
        raw = world.box.handle(request)
        world.box.clear_faults()
        return raw

    def handle(self, request: Request) -> Raw:
        """By whichever Livy is next."""
        self.world.next_livy(request)
        return self.world.box.handle(request)

    def _can_lie(self, what: str, kind: str, name: str) -> bool:
        """Livy can be wrong about what runs, not about what never started; it can lose sight of YARN only."""
        if what in ("lost_sight", "lost_polling") and not self.world.shape.yarn:
            return False
        batch = self.world.livy.process.find(name) if name else None
        if kind != "POST" and (batch is None or batch.job is None):
            return False
        self.world.oracle.lies(what, name)
        return True

    # What takes long

    @property
    def blocked(self) -> bool:
        """A start holds Livy's lock."""
        return any(flight.blocks for flight in self.flights)

    def on_its_way(self, name: str) -> bool:
        """A POST of this name may still start something."""
        return any(flight.name == name for flight in self.flights)

    def _unblocked(self) -> float:
        return max(flight.due for flight in self.flights if flight.blocks) + 0.001

    def _fly(self, name: str, land: Callable[[], None], *, due: float | None = None, blocks: bool = False) -> None:
        when = self.world.clock.now() + ON_ITS_WAY if due is None else due
        self.flights.append(Flight(due=when, name=name, land=land, blocks=blocks))

    def _cut(self, call: Call) -> Raw:
        self.world.forward(KNOX_GIVES_UP)
        return knox_failure(_path(call), "sandbox")

    def _arrive(self, request: Request) -> None:
        self.handle(request)

    def _stuck(self, name: str, call: Call, request: Request) -> Raw:
        self.world.next_livy(request)
        try:
            start = self.world.livy.current().post_slowly(with_proxy_user(request.body, USER))
        except BackendGone:
            return knox_failure(_path(call), "sandbox")
        if start is not None:
            self._fly(name, start, blocks=True)
        return self._cut(call)

    def _delete_waits(self, call: Call) -> None:
        """It kills at once what runs, and forgets when it gets the lock: a start in progress runs on, unknown."""
        process, name = self.world.livy.process, unquote(_path(call).rsplit("/", 1)[-1])
        self.deleted.add(name)
        batch = process.find(name)
        if batch is None:
            return
        if batch.job is not None:
            process.cluster.jobs.kill(batch.job, "livy")
        self._fly("", lambda: void(process.forget(batch)), due=self._unblocked())

    def land(self, *, until: float) -> None:
        """Everything that is due by then, in order, each at its time."""
        while due := sorted((f for f in self.flights if f.due <= until), key=lambda f: f.due):
            flight = due[0]
            self.flights.remove(flight)
            self.world.clock.forward(max(0.0, flight.due - self.world.clock.now()))
            try:
                flight.land()
            except BackendGone:
                continue  # Livy was killed before the start

    def land_now(self) -> None:
        """What is on its way arrives at once."""
        for flight in self.flights:
            flight.due = min(flight.due, self.world.clock.now() + (0.001 if not flight.blocks else 0.0))
        self.land(until=self.world.clock.now() + 0.002)


class _Sender:
    def __init__(self, wire: Wire, endpoint: Endpoint) -> None:
        self._wire = wire
        self._endpoint = endpoint

    def send(self, call: Call) -> Answer:
        return self._wire.send(call)

    def close(self) -> None:
        """Nothing is kept."""


class AtOnce(Executor):
    """Knox's calls to Livy, in the only thread that there is."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(call(*args, **kwargs))
        except (BackendGone, SandboxClosed) as error:
            future.set_exception(error)
        return future


def void(_value: object) -> None:
    """For a callable whose result nobody wants."""


def kind_of(call: Call) -> str:
    """GET, LOG, POST, DELETE or YARN."""
    path = _path(call)
    if "/resourcemanager/" in path:
        return "YARN"
    return "LOG" if path.endswith("/log") else call.method


def told(raw: Raw) -> Answer:
    """What the transport makes of the bytes, or of their absence."""
    if raw.delivery.kind != "whole":
        raise Ambiguous("no answer: cut", status=raw.status or None)
    retry = dict(raw.headers).get("Retry-After", "")
    return Answer(
        status=raw.status,
        content_type=(raw.content_type or "").split(";")[0].strip().lower(),
        body=raw.body,
        retry_after=float(retry) if re.fullmatch("[0-9]{1,9}", retry) else None,
    )


def _path(call: Call) -> str:
    return urlsplit(call.url).path


_HEADERS = {
    "accept": "application/json",
    "authorization": f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}",
    "content-type": "application/json",
}


def _request(call: Call) -> Request:
    parts = urlsplit(call.url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return Request(method=call.method, target=target, headers=_HEADERS, body=call.body or b"")


def post_of(body: dict[str, Any]) -> Request:
    """Somebody else's POST."""
    target = "/gateway/sandbox/livy/v1/batches"
    return Request(method="POST", target=target, headers=_HEADERS, body=json.dumps(body).encode())


def _name(call: Call, request: Request, world: World) -> str:
    if request.body and call.method == "POST":
        return world.oracle.name_in(request.body)
    parts = _path(call).split("/batches/")
    return unquote(parts[1].split("/")[0]) if len(parts) == 2 else ""
