"""YARN as the second witness: S3 (b), F5 to F7 and C3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from time import sleep

import pytest

from recovery.domain import verdicts
from recovery.domain.states import FOLLOWED, State
from recovery.domain.verdicts import Outcome
from recovery.gateway.yarn import Application
from recovery.models import Gateway, Recovery, RecoveryLog
from recovery.services import attempts, cancelling, gateways, testimony, witnesses
from recovery.services.testimony import Says
from sandbox import Fault, Sandbox
from tests.factories import make_user
from tests.services.conftest import FakeClock, Portal

LOST_BEFORE = Fault(route="POST /batches", action="drop", when="before", times=1)
LOST_AFTER = Fault(route="POST /batches", action="drop", when="after", times=1)
YARN = "resourcemanager/v1/cluster"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(mode="yarn", post_cost=0.0, speed=50.0, retain=100_000) as box:
        yield box


@pytest.fixture
def clock() -> FakeClock:
    """Well after the start of the ResourceManager."""
    clock = FakeClock()
    clock.forward(3600)
    return clock


@pytest.fixture(autouse=True)
def with_yarn(portal: Portal) -> None:
    Gateway.objects.filter(pk=portal.gateway.pk).update(yarn_path=YARN)


def _running(portal: Portal, jar_args: str = "--sleep 100000") -> Recovery:
    row = portal.file(jar_args)
    portal.submit()
    for _ in range(100):
        portal.clock.forward(6)
        portal.follow()
        if portal.row(row).app_id:
            return portal.row(row)
        sleep(0.02)
    raise AssertionError("no application id")


def _doubt(portal: Portal, fault: Fault, jar_args: str = "--sleep 100000") -> Recovery:
    portal.sandbox.add_fault(fault)
    row = portal.file(jar_args)
    portal.submit()
    row = portal.row(row)
    assert row.state == State.UNCONFIRMED
    return row


def test_f4_yarns_final_status_ends_it_at_once(portal: Portal) -> None:
    row = _running(portal)
    portal.sandbox.finish(row.batch_name, "success")
    sleep(0.1)
    portal.clock.forward(120)
    portal.follow()
    row = portal.row(row)
    assert (row.state, row.outcome) == (State.SUCCEEDED, Outcome.SUCCESS)
    assert RecoveryLog.objects.get(recovery=row).final is True


@pytest.mark.parametrize("variant", ["no_application", "polling"])
def test_f5_dead_in_livy_and_alive_in_yarn_is_alive(portal: Portal, variant: str) -> None:
    row = _running(portal)
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}", action="dead_but_alive", variant=variant))
    row = portal.run(row, seconds=300, step=30)
    assert row.state in (State.STARTING, State.RUNNING)
    assert portal.kinds(row).count("seen_in_yarn") == 1
    portal.sandbox.clear_faults()
    portal.sandbox.finish(row.batch_name, "success")
    row = portal.run(row, seconds=120)
    assert row.state == State.SUCCEEDED


def test_f5_yarn_that_said_alive_and_is_silent_for_a_while_is_asked_again(portal: Portal) -> None:
    """Found by chaos (seed 109): long after Livy's `dead` one look at YARN without an answer ended it as lost, while
    its application was alive and its kill on the way."""
    row = _running(portal)
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}", action="dead_but_alive", variant="polling"))
    portal.sandbox.yarn_down()
    portal.follow()
    portal.clock.forward(30)
    portal.follow()
    assert portal.row(row).terminal_word == "dead"
    portal.sandbox.yarn_up()
    portal.run(row, seconds=90, step=30)
    cancelling.request_cancel(recovery=portal.row(row), by=make_user(), now=portal.clock())
    portal.sandbox.yarn_down()
    portal.run(row, seconds=50)
    portal.sandbox.yarn_up()
    row = portal.run(row, seconds=120)
    assert (row.state, row.outcome) == (State.CANCELLED, Outcome.CANCELLED_VERIFIED)


def test_f5_a_job_that_threw_is_failed_with_yarns_words(portal: Portal) -> None:
    row = portal.run(portal.file("--throw"), seconds=600)
    assert (row.state, row.outcome) == (State.FAILED, Outcome.JOB_FAILED)
    assert "IllegalStateException" in RecoveryLog.objects.get(recovery=row).diagnostics


def test_f5_without_an_answer_of_yarn_livys_words_decide(portal: Portal) -> None:
    row = _running(portal, "--date 1")
    portal.sandbox.yarn_down()
    row = portal.run(row, seconds=600)
    assert row.state == State.SUCCEEDED


def test_f6_forgotten_by_livy_and_followed_in_yarn(portal: Portal) -> None:
    rows = [_running(portal) for _ in range(3)]
    portal.sandbox.restart()
    for row in rows:
        portal.run(row, seconds=150)
        assert portal.row(row).state in FOLLOWED
    ends = (("success", State.SUCCEEDED), ("dead", State.FAILED), ("killed", State.FAILED))
    for row, (word, _state) in zip(rows, ends, strict=True):
        _finish_in_yarn(portal, row, word)
    for row, (_word, state) in zip(rows, ends, strict=True):
        assert portal.run(row, seconds=200).state == state
        assert portal.started(row) == 1


def _finish_in_yarn(portal: Portal, row: Recovery, word: str) -> None:
    portal.sandbox.finish(row.batch_name, word)


def test_f6_yarn_is_silent_and_is_asked_again(portal: Portal) -> None:
    row = _running(portal)
    portal.sandbox.restart()
    portal.sandbox.yarn_down()
    row = portal.run(row, seconds=300)
    assert row.state in FOLLOWED
    row = portal.run(row, seconds=7 * 3600, step=600)
    assert (row.state, row.outcome) == (State.LOST, Outcome.GONE)


def test_f6_a_restarted_resource_manager_has_forgotten(portal: Portal) -> None:
    row = _running(portal)
    portal.sandbox.restart()
    portal.sandbox.yarn_restart()
    assert testimony.hear(portal.row(row), since=None).says is Says.FORGOT
    row = portal.run(row, seconds=300)
    assert (row.state, row.outcome) == (State.LOST, Outcome.GONE)


def test_f7_more_than_one_application_is_an_alarm(portal: Portal) -> None:
    row = _running(portal)
    with gateways.open_client(portal.gateway) as client:
        portal.sandbox.restart()
        client.create(row.sent_payload, name=row.batch_name, deadline=5)
    sleep(0.3)
    portal.sandbox.restart()
    row = portal.run(row, seconds=300)
    assert (row.state, row.outcome) == (State.LOST, Outcome.DUPLICATE)
    assert "duplicate" in portal.kinds(row)


def test_s3b_none_in_yarn_twice_at_a_distance_and_it_is_sent_again(portal: Portal) -> None:
    Gateway.objects.filter(pk=portal.gateway.pk).update(single_livy=False)  # S4: (b) is the only way there
    row = _doubt(portal, LOST_BEFORE, "--date 1")
    portal.clock.forward(181)
    portal.settle()
    row = portal.row(row)
    assert (row.state, row.yarn_none_at) == (State.UNCONFIRMED, portal.clock())
    assert len(portal.posts()) == 1
    row = portal.run(row, seconds=600)
    assert (row.state, row.tries) == (State.SUCCEEDED, 2)
    assert portal.started(row) == 1


def test_s3b_found_in_yarn_by_its_tag_and_followed_there(portal: Portal) -> None:
    row = _doubt(portal, LOST_AFTER)
    sleep(0.3)
    portal.sandbox.restart()
    row = portal.run(row, seconds=300)
    assert row.state == State.STARTING
    assert (row.livy_id, bool(row.app_id)) == (None, True)
    portal.sandbox.finish(row.batch_name, "success")
    row = portal.run(row, seconds=300)
    assert row.state == State.SUCCEEDED
    assert portal.started(row) == 1


def test_s3b_a_resource_manager_restarted_since_the_try_proves_nothing(portal: Portal) -> None:
    row = _doubt(portal, LOST_BEFORE)
    Recovery.objects.filter(pk=row.pk).update(doubt_since=portal.clock() - timedelta(days=1))
    row = portal.run(row, seconds=300)
    assert (row.state, row.outcome) == (State.LOST, Outcome.DOUBT_UNSETTLED)
    assert len(portal.posts()) == 1


def test_s3b_while_yarn_is_silent_it_stays_in_doubt(portal: Portal) -> None:
    row = _doubt(portal, LOST_BEFORE)
    portal.sandbox.yarn_down()
    row = portal.run(row, seconds=600, step=60)
    assert row.state == State.UNCONFIRMED
    portal.sandbox.yarn_up()
    row = portal.run(row, seconds=400, step=10)
    assert row.state in (State.STARTING, State.RUNNING)
    assert portal.started(row) == 1


def test_s3b_two_applications_in_a_doubt_are_lost_for_a_person(portal: Portal) -> None:
    row = _doubt(portal, LOST_AFTER)
    sleep(0.3)
    portal.sandbox.restart()
    with gateways.open_client(portal.gateway) as client:
        client.create(row.sent_payload, name=row.batch_name, deadline=5)
    sleep(0.3)
    portal.sandbox.restart()
    row = portal.run(row, seconds=300)
    assert (row.state, row.outcome) == (State.LOST, Outcome.DUPLICATE)


@pytest.mark.parametrize("says", [Says.SILENT, Says.ALIVE])
def test_s3b_yarn_changes_its_mind_before_the_second_post(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, says: Says
) -> None:
    """It reached YARN between the second asking and the POST."""
    row = _doubt(portal, LOST_BEFORE)
    portal.clock.forward(181)
    portal.settle()
    portal.clock.forward(61)
    real, calls = testimony.hear, []

    def hear(recovery: Recovery, **kwargs: object) -> testimony.Testimony:
        calls.append(recovery.pk)
        heard = real(recovery, **kwargs)  # type: ignore[arg-type]
        return heard if len(calls) == 1 else replace(heard, says=says)

    Gateway.objects.filter(pk=portal.gateway.pk).update(livy_recovery=says is Says.ALIVE)
    monkeypatch.setattr(testimony, "hear", hear)
    portal.settle()
    assert portal.row(row).state == State.UNCONFIRMED
    assert len(portal.posts()) == 1


def test_s2_a_phantom_shape_is_not_probed_while_yarn_knows_an_application(portal: Portal) -> None:
    row = _doubt(portal, LOST_BEFORE)
    portal.sandbox.add_fault(Fault(route="POST /batches", action="phantom", times=1))
    with gateways.open_client(portal.gateway) as client, pytest.raises(Exception):  # noqa: B017
        client.create(row.sent_payload, name=row.batch_name, deadline=5)
    portal.sandbox.yarn_down()
    row = portal.run(row, seconds=600, step=60)
    assert row.state == State.UNCONFIRMED
    assert len(portal.posts()) == 2
    portal.sandbox.yarn_up()
    row = portal.run(row, seconds=900, step=20)
    assert "phantom_removed" in portal.kinds(row)


def test_c3_cancelled_is_verified_with_yarn(portal: Portal) -> None:
    row = _running(portal)
    cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    row = portal.run(row, seconds=120)
    assert (row.state, row.outcome) == (State.CANCELLED, Outcome.CANCELLED_VERIFIED)


def test_c3_a_delete_that_lies_is_followed_by_a_kill(portal: Portal) -> None:
    row = _running(portal)
    portal.sandbox.add_fault(Fault(route="DELETE /batches/{x}", action="delete_lies"))
    cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    row = portal.run(row, seconds=200)
    assert (row.state, row.outcome) == (State.CANCELLED, Outcome.CANCELLED_VERIFIED)
    assert "kill_sent" in portal.kinds(row)
    assert portal.sandbox.ledger.alive(row.batch_name) == []


def test_c3_a_kill_that_fails_is_told_and_repeated(portal: Portal) -> None:
    row = _running(portal)
    portal.sandbox.add_fault(Fault(route="DELETE /batches/{x}", action="delete_lies"))
    portal.sandbox.add_fault(
        Fault(route="PUT /resourcemanager/v1/cluster/apps/{x}/state", action="knox_500", when="before", times=1)
    )
    cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    row = portal.run(row, seconds=200)
    assert row.state == State.CANCELLED
    assert "delete_failed" in portal.kinds(row)


def test_c3_a_job_that_succeeded_while_it_was_stopped_has_succeeded(portal: Portal) -> None:
    row = _running(portal)
    cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    portal.sandbox.add_fault(Fault(route="DELETE /batches/{x}", action="delete_lies"))
    portal.follow()
    portal.sandbox.finish(row.batch_name, "success")
    row = portal.run(row, seconds=120)
    assert row.state == State.SUCCEEDED


def test_an_application_that_ended_in_several_ways_is_for_a_person() -> None:
    assert verdicts.of_yarn("ENDED", cancel_sent=False).state is State.LOST


def test_diagnostics_of_livy_are_not_replaced(portal: Portal) -> None:
    from recovery.services import logs

    row = _running(portal)
    logs.keep_diagnostics(row, "first", now=portal.clock())
    logs.keep_diagnostics(row, "second", now=portal.clock())
    assert RecoveryLog.objects.get(recovery=row).diagnostics == "first"
    assert not attempts.take_over_in_yarn(row, Application(id="x", state="", final_status="KILLED"), now=portal.clock())


def test_s3a_a_witness_with_another_application_is_another_batch(portal: Portal) -> None:
    row = _running(portal)
    portal.gateway.livy_version = "0.7.1"
    old = "2020-01-01T00:00:00+00:00"
    with gateways.open_client(portal.gateway) as client:
        for app, there in ((row.app_id, True), ("application_1_0001", False)):
            portal.gateway.witnesses = [
                {"name": row.batch_name, "id": row.livy_id, "app": app, "since": old, "seen": old}
            ]
            assert witnesses.still_there(portal.gateway, client, before=portal.clock(), but="") is there
