"""A restart of Livy is told once, with what proves it; nothing else is taken for one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from time import sleep
from typing import Any

import pytest

from recovery.domain.states import State
from recovery.models import Gateway, Recovery, RecoveryEvent, SubjectType
from recovery.services import sweeping, witnesses
from recovery.services.gateways import open_client
from sandbox import Sandbox
from tests.services.conftest import Meddling, Portal


def told(portal: Portal) -> list[RecoveryEvent]:
    events = RecoveryEvent.objects.of(SubjectType.GATEWAY, portal.gateway.pk)
    return list(events.filter(kind="livy_restarted"))


def fresh(portal: Portal) -> Gateway:
    return Gateway.objects.get(pk=portal.gateway.pk)


def live_on(portal: Portal, *, seconds: float) -> None:
    """Every worker, for a while."""
    step, end = 5.0, seconds
    while end > 0:
        portal.sweep()
        portal.submit()
        portal.settle()
        portal.follow()
        portal.clock.forward(step)
        end -= step


def somebodys(portal: Portal, name: str) -> None:
    body = {"file": "hdfs:///a.jar", "name": name, "args": ["--sleep", "100000"]}
    portal.somebody_posts(json.dumps(body), name=name)


def test_all_that_ran_is_gone_at_once(portal: Portal) -> None:
    rows = [portal.running() for _ in range(3)]
    portal.sandbox.restart()
    live_on(portal, seconds=40)
    (event,) = told(portal)
    assert (event.cause, event.facts["found"]) == ("batches_gone", 0)
    assert all(row.batch_name in event.facts["looked_for"] for row in rows)
    at = fresh(portal).livy_restarted_at
    assert at is not None
    live_on(portal, seconds=400)
    portal.file("--sleep 100000")  # it gets a number that was given before the restart
    live_on(portal, seconds=60)
    assert len(told(portal)) == 1
    assert fresh(portal).livy_restarted_at == at


def test_a_number_that_was_given_before(portal: Portal) -> None:
    """Everything had ended and been forgotten: the next number tells."""
    portal.run(portal.file("--date 1"), seconds=200)
    portal.file("--date 2")
    live_on(portal, seconds=60)
    portal.sandbox.restart()
    portal.clock.forward(60)
    portal.file("--sleep 100000")
    portal.submit()
    (event,) = told(portal)
    assert event.cause == "ids_began_again"
    assert event.facts["found"] == 0
    assert event.facts["looked_for"] >= 0
    live_on(portal, seconds=60)
    assert len(told(portal)) == 1


def test_another_batch_stands_under_a_known_number(portal: Portal) -> None:
    somebodys(portal, "hers")
    portal.running()
    portal.sandbox.restart()
    somebodys(portal, "his")
    portal.file("--sleep 100000")
    portal.clock.forward(30)
    portal.submit()
    (event,) = told(portal)
    assert (event.cause, event.facts["looked_for"], event.facts["found"]) == ("id_reused", "0: hers", "0: his")
    live_on(portal, seconds=120)
    assert len(told(portal)) == 1


class TestRecoveryMode:
    """Nothing is forgotten, and numbers go on."""

    @pytest.fixture
    def sandbox(self) -> Iterator[Sandbox]:
        with Sandbox(mode="yarn", post_cost=0.0, speed=50.0, retain=100_000, recovery=True) as box:
            yield box

    @pytest.fixture
    def rows(self, portal: Portal) -> list[Recovery]:
        Gateway.objects.filter(pk=portal.gateway.pk).update(livy_recovery=True)
        rows = [portal.running() for _ in range(3)]
        for _ in range(100):
            portal.clock.forward(30)
            portal.follow()
            if sum(w["lines"] and w["state"] == "running" for w in fresh(portal).witnesses) == 3:
                return rows
            sleep(0.02)
        raise AssertionError("no lines")

    def test_logs_that_have_lost_their_lines(self, portal: Portal, rows: list[Recovery]) -> None:
        portal.sandbox.restart(recovery=True)
        sleep(0.1)  # past `recovering`
        live_on(portal, seconds=300)
        (event,) = told(portal)
        assert event.cause == "log_lost"
        assert {portal.row(row).state for row in rows} == {State.RUNNING}

    def test_batches_that_livy_takes_up_again(self, portal: Portal, rows: list[Recovery]) -> None:
        """All three say so, one after the other; it is told once."""

        def again(get: Any, name: str) -> Any:
            return replace(get(name), state="recovering")

        for _ in rows:
            portal.clock.forward(30)
            portal.follow(client_for=Meddling(get=again))
        (event,) = told(portal)
        assert event.cause == "recovering"
        live_on(portal, seconds=100)
        assert len(told(portal)) == 1
        assert {portal.row(row).state for row in rows} == {State.RUNNING}


def test_two_restarts_are_two_events(portal: Portal) -> None:
    for number in (1, 2):
        for _ in range(2):
            portal.running()
        portal.sandbox.restart()
        live_on(portal, seconds=400)
        assert len(told(portal)) == number


# ── what is no restart ──────────────────────────────────────────────────────────────────────────────────────────────


def test_one_batch_that_somebody_deleted_is_no_restart(portal: Portal) -> None:
    row, other = portal.running(), portal.running()
    with open_client(portal.gateway) as client:
        client.delete(row.batch_name)
    live_on(portal, seconds=200)
    assert portal.row(row).state == State.LOST
    assert portal.row(other).state in (State.STARTING, State.RUNNING)
    assert told(portal) == []


def test_the_only_batch_that_is_gone_is_no_proof(portal: Portal) -> None:
    """Somebody may have deleted it; the next number will tell."""
    portal.running()
    portal.sandbox.restart()
    live_on(portal, seconds=200)
    assert told(portal) == []
    portal.file("--sleep 100000")
    live_on(portal, seconds=10)
    assert [event.cause for event in told(portal)] == ["ids_began_again"]


def test_a_batch_seen_before_and_after_its_application_was_known_is_one(portal: Portal) -> None:
    row = portal.running()
    gateway = fresh(portal)
    (witness,) = gateway.witnesses
    Gateway.objects.update(witnesses=[{**witness, "app": "application_1_1"}, witness])
    with open_client(portal.gateway) as client:
        client.delete(row.batch_name)
        witnesses.look_for_gone(fresh(portal), client, clock=portal.clock)
    assert told(portal) == []


def test_the_only_batch_that_is_gone_after_livy_was_away(portal: Portal) -> None:
    portal.running()
    portal.sandbox.livy_down()
    portal.clock.forward(30)
    portal.follow()
    assert fresh(portal).condition == "server_error"
    portal.sandbox.restart()
    portal.sandbox.livy_up()
    portal.clock.forward(30)
    live_on(portal, seconds=60)
    assert [event.cause for event in told(portal)] == ["batches_gone"]


def test_ended_batches_that_livy_has_forgotten_are_no_restart(portal: Portal) -> None:
    rows = [portal.running() for _ in range(2)]
    for row in rows:
        portal.sandbox.finish(row.batch_name)
    live_on(portal, seconds=60)
    portal.clock.forward(fresh(portal).retention_seconds)
    with open_client(portal.gateway) as client:
        for row in rows:
            client.delete(row.batch_name)
        witnesses.look_for_gone(fresh(portal), client, clock=portal.clock)
    assert told(portal) == []


def test_batches_that_the_portal_has_stopped_are_no_restart(portal: Portal) -> None:
    rows = [portal.running() for _ in range(3)]
    with open_client(portal.gateway) as client:
        for row in rows:
            client.delete(row.batch_name)
        Recovery.objects.filter(pk__in=[row.pk for row in rows[:2]]).update(delete_sent_at=portal.clock())
        Recovery.objects.filter(pk=rows[2].pk).update(livy_id=99)  # a second batch, deleted after a late answer (A6)
        witnesses.look_for_gone(fresh(portal), client, clock=portal.clock)
    assert told(portal) == []


def test_livy_that_has_gone_on_counting_was_not_restarted(portal: Portal) -> None:
    rows = [portal.running() for _ in range(2)]
    with open_client(portal.gateway) as client:
        for row in rows:
            client.delete(row.batch_name)
        somebodys(portal, "next")
        witnesses.look_for_gone(fresh(portal), client, clock=portal.clock)
    assert told(portal) == []


@pytest.mark.parametrize("columns", [{"single_livy": False}, {"livy_recovery": True}])
def test_where_nothing_can_be_concluded_nothing_is(portal: Portal, columns: dict[str, Any]) -> None:
    """Several Livys: a 404 may be the other one's. Recovery mode: a restart forgets nothing."""
    Gateway.objects.filter(pk=portal.gateway.pk).update(**columns)
    for _ in range(2):
        portal.running()
    portal.sandbox.restart()
    live_on(portal, seconds=100)
    with open_client(portal.gateway) as client:
        witnesses.look_for_gone(fresh(portal), client, clock=portal.clock)
    assert told(portal) == []


# ── once, whoever sees it ───────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_read_before_the_event_and_told_after_it_is_left_out(portal: Portal) -> None:
    """A follower holds a page of the old Livy while the submitter tells the restart."""
    rows = [portal.running() for _ in range(2)]
    stale = fresh(portal)
    with open_client(portal.gateway) as client:
        old = client.list().batches
        portal.sandbox.restart()
        somebodys(portal, "next")
        witnesses.look_for_gone(fresh(portal), client, clock=portal.clock)
        assert len(told(portal)) == 1
        witnesses.remember(stale, old, now=portal.clock())
        assert not {w["name"] for w in fresh(portal).witnesses} & {row.batch_name for row in rows}
        live_on(portal, seconds=60)
    assert len(told(portal)) == 1


def test_two_workers_that_see_it_at_once_tell_it_once(portal: Portal) -> None:
    for _ in range(2):
        portal.running()
    portal.sandbox.restart()
    one, two = fresh(portal), fresh(portal)

    def meanwhile(list_: Any, **where: Any) -> Any:
        page = list_(**where)
        with open_client(portal.gateway) as other:
            witnesses.look_for_gone(two, other, clock=portal.clock)
        return page

    with Meddling(list=meanwhile)(one) as client:
        witnesses.look_for_gone(one, client, clock=portal.clock)
    assert len(told(portal)) == 1


def test_one_told_between_the_looks_is_not_told_again(portal: Portal) -> None:
    for _ in range(2):
        portal.running()
    portal.sandbox.restart()
    one, two = fresh(portal), fresh(portal)
    met: list[str] = []

    def meanwhile(get: Any, name: str) -> Any:
        if not met:
            met.append(name)
            with open_client(portal.gateway) as other:
                witnesses.look_for_gone(two, other, clock=portal.clock)
        return get(name)

    with Meddling(get=meanwhile)(one) as client:
        witnesses.look_for_gone(one, client, clock=portal.clock)
    assert met
    assert len(told(portal)) == 1


def test_witnesses_seen_meanwhile_are_no_proof(portal: Portal) -> None:
    """Another worker has just seen them alive."""
    for _ in range(2):
        portal.running()
    with open_client(portal.gateway) as client:
        page = client.list().batches
    portal.sandbox.restart()

    def meanwhile(get: Any, name: str) -> Any:
        portal.clock.forward(1)
        witnesses.remember(fresh(portal), page, now=portal.clock())
        return get(name)

    with Meddling(get=meanwhile)(portal.gateway) as client:
        witnesses.look_for_gone(fresh(portal), client, clock=portal.clock)
    assert told(portal) == []


def test_a_witness_that_was_not_looked_for_is_no_proof(portal: Portal) -> None:
    """Another worker has kept it since this one loaded the gateway."""
    portal.running()
    loaded = fresh(portal)
    portal.running()
    portal.sandbox.restart()
    with open_client(portal.gateway) as client:
        witnesses.look_for_gone(loaded, client, clock=portal.clock)
    assert told(portal) == []


def test_looking_for_restarts_heeds_ill_gateways_and_time(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        portal.running()
    portal.sandbox.restart()
    portal.clock.forward(30)
    portal.follow()
    opened: list[int] = []

    def counting(gateway: Gateway) -> Any:
        opened.append(gateway.pk)
        return open_client(gateway)

    ticks = iter([0.0, 1e9])
    with monkeypatch.context() as patched:
        patched.setattr(sweeping, "monotonic", lambda: next(ticks))
        sweeping.look_for_restarts(clock=portal.clock, client_for=counting)
    assert opened == []
    portal.sandbox.livy_down()
    sweeping.look_for_restarts(clock=portal.clock, client_for=counting)
    assert fresh(portal).condition == "server_error"
    sweeping.look_for_restarts(clock=portal.clock, client_for=counting)  # it rests
    assert len(opened) == 1
    portal.sandbox.livy_up()
    portal.clock.forward(30)
    sweeping.look_for_restarts(clock=portal.clock, client_for=counting)
    assert len(told(portal)) == 1
