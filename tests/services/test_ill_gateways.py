"""A2 from outside: an ill gateway heals by itself, a pause keeps the order, one that hangs holds up nobody."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connections

from recovery.domain.gateways import Condition
from recovery.domain.states import Settlement, State
from recovery.gateway.errors import NotSent
from recovery.models import Gateway, Recovery, RecoveryEvent, SubjectType
from recovery.services import gateways, settling, submission
from sandbox import Fault, Sandbox
from tests.factories import make_gateway, make_profile, make_recovery, make_user
from tests.services.conftest import FakeClock, Portal


def test_a2_pauses_are_spread_and_never_longer_than_two_minutes(portal: Portal) -> None:
    """Many gateways behind one Knox that comes back are not all tried in the same second."""
    error = NotSent("down", condition=Condition.UNREACHABLE)
    rests: dict[float, list[float]] = {0.0: [], 0.5: [], 1.0: []}
    for jitter, seen in rests.items():
        gateway = make_gateway()
        for _ in range(10):
            gateways.record_condition(gateway, error, now=portal.clock(), jitter=lambda jitter=jitter: jitter)  # type: ignore[misc]
            assert gateway.next_try_at is not None
            seen.append((gateway.next_try_at - portal.clock()).total_seconds())
            portal.clock.forward(seen[-1])
        assert seen == sorted(seen)
        assert seen[-1] <= settings.RECOVERY_PACING.gateway_pause_most == 120
    assert rests[0.0][-1] < rests[0.5][-1] < rests[1.0][-1] == 120


def test_a2_down_for_an_hour_it_goes_on_by_itself_within_two_minutes(portal: Portal) -> None:
    portal.sandbox.livy_down()
    row = portal.file()
    end = portal.clock() + timedelta(hours=1)
    while portal.clock() < end:
        portal.sweep()
        portal.submit()
        portal.clock.forward(30)
    tried = len(portal.sandbox.requests)
    assert 30 <= tried <= 60  # about once in two minutes, plus the first ones
    portal.sandbox.livy_up()
    back = portal.clock()
    while portal.row(row).submitted_at is None and portal.clock() < back + timedelta(minutes=10):
        portal.submit()
        portal.clock.forward(5)
    submitted = portal.row(row).submitted_at
    assert submitted is not None
    assert submitted - back <= timedelta(minutes=2)
    kinds = RecoveryEvent.objects.of(SubjectType.GATEWAY, portal.gateway.pk).values_list("kind", flat=True)
    assert (list(kinds).count("condition"), list(kinds).count("healed")) == (1, 1)


def test_an_operators_pause_has_a_reason_and_the_order_outlives_it(portal: Portal) -> None:
    by = make_user()
    running = portal.running("--sleep 100000")
    rows = [portal.file("--sleep 100000") for _ in range(4)]
    assert gateways.pause(gateway_id=portal.gateway.pk, by=by, reason="Livy is being moved")
    portal.clock.forward(30)
    portal.sweep()
    assert (portal.submit(), portal.follow()) == (0, 1)  # what runs is followed on
    gateway = Gateway.objects.get(pk=portal.gateway.pk)
    assert (gateway.paused, gateway.paused_reason) == (True, "Livy is being moved")
    assert gateways.resume(gateway_id=portal.gateway.pk, by=by)
    assert portal.submit() == 4
    assert [portal.row(row).livy_id for row in [running, *rows]] == [0, 1, 2, 3, 4]
    events = RecoveryEvent.objects.of(SubjectType.GATEWAY, gateway.pk).filter(kind__in=("paused", "resumed"))
    assert [(event.kind, event.actor, event.facts.get("reason")) for event in events] == [
        ("paused", by, "Livy is being moved"),
        ("resumed", by, None),
    ]


def test_max_running_lets_the_next_one_in_by_order_when_one_has_ended(portal: Portal) -> None:
    Gateway.objects.filter(pk=portal.gateway.pk).update(max_running=2)
    rows = [portal.file("--sleep 100000") for _ in range(4)]
    portal.submit()
    assert [portal.row(row).livy_id for row in rows] == [0, 1, None, None]
    portal.sandbox.finish(rows[1].batch_name)
    assert portal.run(rows[1], seconds=60).state == State.SUCCEEDED
    portal.submit()
    assert [portal.row(row).livy_id for row in rows] == [0, 1, 2, None]


@pytest.mark.django_db(transaction=True)
def test_a_gateway_that_hangs_slows_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the worker of one waits for an answer that does not come, the other's recoveries are sent and run."""
    monkeypatch.setenv("SANDBOX_PASSWORD", "svc-password")
    clock = FakeClock()
    with Sandbox(post_cost=0.0, retain=100_000) as ill, Sandbox(post_cost=0.0, retain=100_000) as well:
        rows = []
        for box in (ill, well):
            gateway = make_gateway(base_url=box.url, user="svc_portal", secret_ref="env:SANDBOX_PASSWORD")
            profile = make_profile(gateway=gateway)
            rows.append([make_recovery(profile=profile, jar_args="--sleep 1000") for _ in range(3)])
        clock.forward(1)
        ill.pause()  # it takes connections and says nothing
        waiting, others = rows
        hanging = threading.Thread(target=_submit, args=(waiting[0].gateway_id, clock))
        hanging.start()
        try:
            while not ill.requests and hanging.is_alive():
                hanging.join(0.01)
            assert hanging.is_alive()
            assert submission.submit_due(gateway_id=others[0].gateway_id, clock=clock) == 3
            assert hanging.is_alive()  # it has not been answered all this time
            states = set(Recovery.objects.filter(gateway=others[0].gateway_id).values_list("state", flat=True))
            assert states <= {State.STARTING, State.RUNNING}
        finally:
            ill.resume()
            hanging.join(30)
        assert not hanging.is_alive()
        assert [len(ill.ledger.started(row.batch_name)) for row in waiting] == [1, 1, 1]
        assert [len(well.ledger.started(row.batch_name)) for row in others] == [1, 1, 1]


def _submit(gateway_id: int, clock: FakeClock) -> None:
    try:
        submission.submit_due(gateway_id=gateway_id, clock=clock)
    finally:
        connections.close_all()


def test_a4_a_try_that_hung_says_for_how_long(portal: Portal) -> None:
    portal.sandbox.add_fault(Fault(route="POST /batches", action="hang", when="after", seconds=2.0, times=1))
    row = portal.file("--sleep 100000")
    portal.submit()
    assert portal.row(row).state == State.UNCONFIRMED
    event = RecoveryEvent.objects.of(SubjectType.RECOVERY, row.pk).get(kind="answer_lost")
    assert event.facts["after"] >= 2
    portal.run(row, seconds=10)
    assert portal.row(row).state in (State.STARTING, State.RUNNING)
    assert portal.started(row) == 1


def test_h1_what_runs_on_a_gateway_unseen_for_hours_is_settled_and_followed_on(portal: Portal) -> None:
    """The decision stands beside the state; once the gateway is back, what is found there does beside the decision."""
    row = portal.running()
    portal.sandbox.livy_down()
    by, settled = make_user(), Settlement.FAILED
    portal.clock.forward(5 * 3600)
    assert not settling.settle(recovery=portal.row(row), settled_as=settled, reason="x", by=by, now=portal.clock())
    portal.clock.forward(3600)
    assert settling.settle(recovery=portal.row(row), settled_as=settled, reason="x", by=by, now=portal.clock())
    now = portal.row(row)
    assert (now.state, now.settled_as, now.settled_by) == (row.state, settled, by)
    portal.sandbox.livy_up()
    portal.sandbox.finish(row.batch_name)
    now = portal.run(row, seconds=300)
    assert (now.state, now.settled_as) == (State.SUCCEEDED, settled)
    assert portal.started(row) == 1


def test_a2_what_two_workers_see_healed_is_told_once(portal: Portal) -> None:
    gateways.record_submit_condition(portal.gateway, NotSent("no", condition=Condition.THROTTLED), now=portal.clock())
    another = Gateway.objects.get(pk=portal.gateway.pk)
    gateways.record_submitted(portal.gateway)
    gateways.record_submitted(another)
    assert another.submit_condition == ""
    assert RecoveryEvent.objects.of(SubjectType.GATEWAY, another.pk).filter(kind="healed").count() == 1
