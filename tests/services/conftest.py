"""Services against the sandbox, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from time import sleep
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from recovery.domain.states import State
from recovery.gateway.errors import Refused
from recovery.gateway.livy import KnoxLivyClient
from recovery.models import Gateway, LivyProfile, Recovery, RecoveryEvent, SubjectType
from recovery.services import following, log_reading, reconciliation, submission, sweeping
from recovery.services.gateways import ClientFactory, open_client
from sandbox import Fault, Sandbox
from tests.factories import make_gateway, make_profile, make_recovery

NEVER_ARRIVED = Fault(route="POST /batches", action="drop", when="before", times=1)
ANSWER_LOST = Fault(route="POST /batches", action="drop", when="after", times=1)


class FakeClock:
    """The database's clock, as far as the services know."""

    def __init__(self) -> None:
        self.time = timezone.now()

    def __call__(self) -> datetime:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Meddling:
    """Clients of which a test takes over some calls: `client_for=Meddling(get=f)`, where `f(get, name)` has the real
    call to make, before or after whatever happens meanwhile."""

    def __init__(self, **calls: Callable[..., Any]) -> None:
        self.calls = calls

    def __call__(self, gateway: Gateway) -> KnoxLivyClient:
        client = open_client(gateway)
        for name, call in self.calls.items():
            setattr(client, name, partial(call, getattr(client, name)))
        return client


@dataclass
class Portal:
    """A gateway on the sandbox, and the workers' services as a test calls them."""

    sandbox: Sandbox
    clock: FakeClock
    gateway: Gateway
    profile: LivyProfile
    names: list[str] = field(default_factory=list)

    def file(self, jar_args: str = "--date 20240101", **columns: Any) -> Recovery:
        row = make_recovery(profile=self.profile, jar_args=jar_args, **columns)
        Recovery.objects.filter(pk=row.pk).update(next_action_at=self.clock())
        return self.row(row)

    def row(self, recovery: Recovery) -> Recovery:
        return Recovery.objects.select_related("gateway").get(pk=recovery.pk)

    def submit(self, client_for: ClientFactory = open_client) -> int:
        return submission.submit_due(gateway_id=self.gateway.pk, clock=self.clock, client_for=client_for)

    def settle(self, client_for: ClientFactory = open_client) -> int:
        return reconciliation.settle_due(gateway_id=self.gateway.pk, clock=self.clock, client_for=client_for)

    def follow(self, client_for: ClientFactory = open_client) -> int:
        """The follower, and the reader of logs that it wakes."""
        seen = following.follow_due(gateway_id=self.gateway.pk, clock=self.clock, client_for=client_for)
        log_reading.read_due(gateway_id=self.gateway.pk, clock=self.clock, client_for=client_for)
        return seen

    def sweep(self) -> None:
        sweeping.sweep(clock=self.clock)

    def run(self, recovery: Recovery, *, seconds: float, step: float = 5.0) -> Recovery:
        """All workers, every `step` seconds of the fake clock, until it ends or `seconds` are over. While it is not due
        itself they look for other work only every 20 seconds."""
        end = self.clock() + timedelta(seconds=seconds)
        while self.clock() < end and not self.row(recovery).is_terminal:
            self.sweep()
            self.submit()
            self.settle()
            self.follow()
            due = min(self.row(recovery).next_action_at or self.clock(), self.clock() + timedelta(seconds=20), end)
            self.clock.forward(step)
            while self.clock() < due:
                self.clock.forward(step)
            sleep(0.02)  # the sandbox lives in real time
        return self.row(recovery)

    def kinds(self, recovery: Recovery) -> list[str]:
        events = RecoveryEvent.objects.of(SubjectType.RECOVERY, recovery.pk)
        return list(events.values_list("kind", flat=True))

    def started(self, recovery: Recovery) -> int:
        """How often the ledger says that a batch of this recovery really started."""
        return len(self.sandbox.ledger.started(recovery.batch_name))

    def posts(self) -> list[Any]:
        return [r for r in self.sandbox.requests if r.method == "POST" and r.path.endswith("/batches")]

    def running(self, jar_args: str = "--sleep 100000") -> Recovery:
        """A recovery whose batch runs."""
        row = self.file(jar_args)
        self.submit()
        self.clock.forward(6)
        self.follow()
        row = self.row(row)
        assert row.state in (State.STARTING, State.RUNNING)
        return row

    def doubt(self, fault: Fault = NEVER_ARRIVED, jar_args: str = "--date 20240101", **gateway: object) -> Recovery:
        """A recovery whose POST met `fault`: it may have started."""
        if gateway:
            Gateway.objects.filter(pk=self.gateway.pk).update(**gateway)
        self.sandbox.add_fault(fault)
        row = self.file(jar_args)
        self.submit()
        row = self.row(row)
        assert row.state == State.UNCONFIRMED
        return row

    def phantom(self, **columns: object) -> Recovery:
        """A doubt under whose name Livy has registered a batch that never started."""
        row = self.doubt()
        self.sandbox.add_fault(Fault(route="POST /batches", action="phantom", times=1))
        with pytest.raises(Refused):
            self.somebody_posts(row.sent_payload, name=row.batch_name)
        if columns:
            Recovery.objects.filter(pk=row.pk).update(**columns)
        return self.row(row)

    def somebody_posts(self, body: str, *, name: str) -> None:
        """A batch of that name is started behind the portal's back."""
        with open_client(self.gateway) as client:
            client.create(body, name=name, deadline=5)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(post_cost=0.0, speed=50.0, retain=100_000) as box:
        yield box


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def portal(db: None, sandbox: Sandbox, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Portal:
    monkeypatch.setenv("SANDBOX_PASSWORD", "svc-password")
    gateway = make_gateway(base_url=sandbox.url, user="svc_portal", secret_ref="env:SANDBOX_PASSWORD")
    return Portal(sandbox=sandbox, clock=clock, gateway=gateway, profile=make_profile(gateway=gateway))


@pytest.fixture
def quick_reads(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From its call on, real waits of two seconds at most: for tests in which a server never answers. What must succeed
    at once comes before it: on a machine with other work an honest answer may take as long."""

    def begin() -> None:
        pacing = replace(settings.RECOVERY_PACING, read_timeout=1.5, get_deadline=2.0, connect_timeout=1.5)
        monkeypatch.setattr(settings, "RECOVERY_PACING", pacing)

    return begin
