"""The sweep needs no message of the broker (invariant 2); H5; leases and wake-ups."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from celery import current_app
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from recovery.domain.states import Settlement, State
from recovery.domain.verdicts import Outcome
from recovery.gateway.wire import Batch
from recovery.models import Gateway, Instance, Lease, Recovery, RecoveryEvent, SubjectType
from recovery.services import (
    attempts,
    cancelling,
    gateways,
    instance,
    leases,
    settling,
    sweeping,
    transitions,
    wake,
)
from sandbox import Fault
from tests.factories import make_user
from tests.services.conftest import Meddling, Portal


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    messages: list[tuple[str, int]] = []
    monkeypatch.setattr(sweeping, "send", lambda task, gateway_id: messages.append((task, gateway_id)))
    return messages


def test_the_sweep_wakes_each_kind_of_due_work(portal: Portal, sent: list[tuple[str, int]]) -> None:
    running = portal.running()
    doubt = portal.file()
    portal.sandbox.add_fault(Fault(route="POST /batches", action="drop", when="before", times=1))
    portal.submit()
    portal.file()
    Recovery.objects.filter(pk__in=(running.pk, doubt.pk)).update(next_action_at=portal.clock())
    portal.sweep()
    pk = portal.gateway.pk
    assert sent == [(wake.FOLLOW, pk), (wake.SETTLE, pk), (wake.SUBMIT, pk)]


def test_a_resting_gateway_is_not_woken_for(portal: Portal, sent: list[tuple[str, int]]) -> None:
    portal.file()
    portal.sandbox.livy_down()
    portal.submit()
    portal.sweep()
    assert sent == []
    portal.clock.forward(10)
    portal.sweep()
    assert sent == [(wake.SUBMIT, portal.gateway.pk)]


def test_two_sweeps_at_once_do_no_harm(portal: Portal, sent: list[tuple[str, int]]) -> None:
    portal.file()
    with leases.held("sweep", lasting=30, clock=portal.clock) as holder:
        assert holder is not None
        portal.sweep()
    assert sent == []


def test_rows_to_tidy_wait_for_a_resting_gateway(portal: Portal) -> None:
    row = portal.file()
    portal.sandbox.add_fault(Fault(route="POST /batches", action="phantom", times=1))
    portal.sandbox.add_fault(Fault(route="DELETE /batches/{x}", action="status", code=401, body="empty", times=1))
    portal.submit()
    assert portal.row(row).cleanup_due is True
    assert Gateway.objects.get(pk=portal.gateway.pk).condition == "credentials"
    Recovery.objects.filter(pk=row.pk).update(next_action_at=portal.clock())
    portal.sweep()
    assert portal.row(row).cleanup_due is True
    portal.clock.forward(60)
    portal.sweep()
    assert portal.row(row).cleanup_due is False


def test_tidying_an_ill_gateway_shows_its_condition(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    row = portal.file()
    portal.sandbox.add_fault(Fault(route="POST /batches", action="phantom", times=1))
    portal.sandbox.add_fault(Fault(route="DELETE /batches/{x}", action="drop", when="before", times=1))
    portal.submit()
    assert portal.row(row).cleanup_due is True
    monkeypatch.delenv("SANDBOX_PASSWORD")
    portal.clock.forward(60)
    portal.sweep()
    assert Gateway.objects.get(pk=portal.gateway.pk).condition == "secret"


def test_tidying_has_a_time_limit(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    row = portal.file()
    portal.sandbox.add_fault(Fault(route="POST /batches", action="phantom", times=1))
    portal.sandbox.add_fault(Fault(route="DELETE /batches/{x}", action="drop", when="before", times=1))
    portal.submit()
    portal.clock.forward(60)
    ticks = iter([0.0, 1e9])
    monkeypatch.setattr(sweeping, "monotonic", lambda: next(ticks))
    assert sweeping.tidy(clock=portal.clock, client_for=gateways.open_client) == 0
    assert portal.row(row).cleanup_due is True


def test_a_gateway_that_hangs_while_it_is_tidied_holds_up_no_wake_up(
    portal: Portal, sent: list[tuple[str, int]]
) -> None:
    row = portal.file()
    portal.sandbox.add_fault(Fault(route="POST /batches", action="phantom", times=1))
    portal.sandbox.add_fault(Fault(route="DELETE /batches/{x}", action="drop", when="before", times=1))
    portal.submit()
    assert portal.row(row).cleanup_due is True
    portal.clock.forward(60)
    seen: list[list[tuple[str, int]]] = []

    def hangs(get: Callable[[str], Batch], name: str) -> Batch:
        """It takes its time; meanwhile the next tick comes, with new work."""
        if not seen:
            sent.clear()
            portal.file()
            portal.sweep()
            seen.append(list(sent))
        return get(name)

    sweeping.sweep(clock=portal.clock, client_for=Meddling(get=hangs))
    assert seen == [[(wake.SUBMIT, portal.gateway.pk)]]
    assert portal.row(row).cleanup_due is False


def test_a_cancelled_queued_row_is_found_by_the_sweep(portal: Portal) -> None:
    row = portal.file()
    Recovery.objects.filter(pk=row.pk).update(cancel_requested_at=portal.clock())
    portal.sweep()
    assert portal.row(row).state == State.CANCELLED


def test_h5_a_copied_database_neither_posts_nor_deletes(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    running = portal.running()
    queued = portal.file()
    instance.current()
    monkeypatch.setattr(settings, "PORTAL_ID", "other")
    assert "adopt_database" in instance.pause_reason()
    cancelling.request_cancel(recovery=running, by=make_user(), now=portal.clock())
    portal.run(running, seconds=60)
    assert portal.row(queued).state == State.QUEUED
    assert portal.sandbox.batch(running.batch_name) is not None
    assert instance.adopt(how="moved", now=portal.clock()) == 0
    assert instance.pause_reason() == ""
    assert Instance.objects.get().epoch == 2
    assert portal.run(running, seconds=60).state == State.CANCELLED


def test_h5_restored_rows_are_looked_up_before_their_first_post(portal: Portal) -> None:
    """The backup is older than the submission: the batch runs, and the restored row says `queued`."""
    row = portal.running("--sleep 100000")
    Recovery.objects.filter(pk=row.pk).update(
        state=State.QUEUED, livy_id=None, tries=0, submitted_at=None, started_at=None, next_action_at=portal.clock()
    )
    assert instance.adopt(how="restored", now=portal.clock()) == 1
    row = portal.run(row, seconds=30)
    assert (row.state, row.livy_id) == (State.RUNNING, 0)
    assert portal.started(row) == 1


def test_h5_in_a_copy_everything_ends_as_lost(portal: Portal) -> None:
    running, queued, waiting, submitting = portal.running(), portal.file(), portal.file(), portal.file()
    Recovery.objects.filter(pk=waiting.pk).update(state=State.AWAITING_APPROVAL)
    assert attempts.claim(submitting.pk, source=State.QUEUED, now=portal.clock())
    assert instance.adopt(how="copy", now=portal.clock()) == 4
    assert portal.row(running).state == State.LOST
    assert portal.row(submitting).state == State.LOST
    assert portal.row(queued).state == State.LOST
    assert portal.row(waiting).state == State.CANCELLED
    assert portal.sandbox.batch(running.batch_name) is not None


def test_h5_a_phantom_in_a_copied_database_is_left_alone(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    row = portal.file()
    portal.sandbox.add_fault(Fault(route="POST /batches", action="phantom", times=1))
    portal.sandbox.add_fault(Fault(route="DELETE /batches/{x}", action="drop", when="before", times=1))
    portal.submit()
    monkeypatch.setattr(settings, "PORTAL_ID", "other")
    portal.clock.forward(60)
    portal.sweep()
    assert portal.row(row).cleanup_due is True


def test_h1_an_operator_settles_what_is_lost(portal: Portal, django_user_model: type[User]) -> None:
    row = portal.running()
    by = make_user()
    assert not settling.settle(recovery=row, settled_as=Settlement.FAILED, reason="x", by=by, now=portal.clock())
    attempts.lose(row.pk, sources={State.RUNNING, State.STARTING}, outcome=Outcome.GONE, now=portal.clock())
    row = portal.row(row)
    with pytest.raises(ValueError, match="reason"):
        settling.settle(recovery=row, settled_as=Settlement.FAILED, reason=" ", by=by, now=portal.clock())
    assert settling.settle(
        recovery=row, settled_as=Settlement.SUCCEEDED, reason="data is there", by=by, now=portal.clock()
    )
    row = portal.row(row)
    assert (row.state, row.settled_as, row.settled_by) == (State.LOST, "succeeded", by)
    assert portal.kinds(row)[-1] == "settled"
    assert not settling.settle(recovery=row, settled_as=Settlement.FAILED, reason="y", by=by, now=portal.clock())


def test_h1_a_gateway_unseen_for_hours_lets_its_rows_be_settled(portal: Portal) -> None:
    row = portal.running()
    portal.clock.forward(7 * 3600)
    assert settling.can_be_settled(portal.row(row), portal.clock())
    Gateway.objects.filter(pk=portal.gateway.pk).update(last_seen_at=None)
    assert settling.can_be_settled(portal.row(row), portal.clock())


def test_h6_a_lease_is_compared_in_the_update_and_its_token_rises(portal: Portal) -> None:
    first = leases.acquire("x", lasting=10, now=portal.clock())
    assert first is not None
    assert leases.acquire("x", lasting=10, now=portal.clock()) is None
    portal.clock.forward(11)
    second = leases.acquire("x", lasting=10, now=portal.clock())
    assert second is not None
    assert not leases.renew("x", first, lasting=10, now=portal.clock())
    leases.release("x", first)  # not ours any more: no effect
    row = Lease.objects.get(name="x")
    assert (row.holder, row.token) == (second, 2)


@pytest.mark.django_db
def test_a_dead_broker_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def dead(*args: object, **kwargs: object) -> None:
        raise OSError("no broker")

    monkeypatch.setattr(current_app, "send_task", dead)
    assert wake.send(wake.SUBMIT, 1) is False


def test_invariant_5_history_is_append_only(portal: Portal) -> None:
    from recovery.models.base import HistoryIsAppendOnly

    row = portal.file()
    event = RecoveryEvent.objects.of(SubjectType.RECOVERY, row.pk).get()
    event.kind = "other"
    for change in (
        event.save,
        event.delete,
        RecoveryEvent.objects.all().delete,
        lambda: RecoveryEvent.objects.update(kind="other"),
        row.delete,
        Recovery.objects.all().delete,
    ):
        with pytest.raises(HistoryIsAppendOnly):
            change()


def test_an_illegal_move_is_a_mistake_in_the_code(portal: Portal) -> None:
    row = portal.file()
    with pytest.raises(transitions.IllegalMove):
        transitions.advance(row.pk, State.RUNNING, kind="running", sources={State.QUEUED})
    assert not transitions.note(row.pk + 1000, "evidence", changes={"looks": 1})


@pytest.mark.django_db(transaction=True)
def test_no_call_to_a_gateway_inside_a_transaction() -> None:
    from recovery.services.gateways import open_client
    from tests.factories import make_gateway

    gateway = make_gateway(secret_ref="")
    open_client(gateway).close()
    with transaction.atomic(), pytest.raises(RuntimeError):
        open_client(gateway)
