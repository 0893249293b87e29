"""Between the last reading and a DELETE: what must not be deleted, and by whom."""

from __future__ import annotations

from typing import Any

import pytest

from recovery.domain.states import State
from recovery.domain.verdicts import Outcome
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import Batch, LogPage
from recovery.models import Gateway, Recovery
from recovery.services import cancelling, leases
from recovery.services.gateways import open_client
from sandbox import Fault
from tests.factories import make_user
from tests.services.conftest import Meddling, Portal


def _deletes(portal: Portal) -> int:
    return len([r for r in portal.sandbox.requests if r.method == "DELETE"])


def _sleeping(row: Recovery) -> str:
    """What is sent, for a batch that does not end by itself."""
    assert "--date 20240101" in row.sent_payload
    return row.sent_payload.replace("--date 20240101", "--sleep 100000")


def test_s2_a_batch_that_takes_the_place_of_a_proved_phantom_is_not_deleted(portal: Portal) -> None:
    """Between the two readings somebody removes the phantom and the name gets a batch that runs."""
    row = portal.phantom(answered_try=1)
    seen: list[Batch] = []

    def get(get: Any, name: str) -> Batch:
        seen.append(get(name))
        if len(seen) == 1:
            with open_client(portal.gateway) as client:
                client.delete(name)
            portal.somebody_posts(_sleeping(row), name=name)
        return seen[-1]

    portal.clock.forward(3)
    portal.settle(Meddling(get=get))
    assert [batch.phantom_shape for batch in seen] == [True, False]
    assert _deletes(portal) == 1  # somebody's
    assert portal.run(row, seconds=30).state == State.RUNNING


def test_s2_a_proved_phantom_that_is_gone_at_the_second_reading_is_looked_for_again(portal: Portal) -> None:
    """Not seen gone after a DELETE of ours: it was not stored as proved, and the doubt goes on."""
    row = portal.phantom(answered_try=1)
    seen: list[Batch] = []

    def get(get: Any, name: str) -> Batch:
        seen.append(get(name))
        with open_client(portal.gateway) as client:
            client.delete(name)
        return seen[-1]

    portal.clock.forward(3)
    portal.settle(Meddling(get=get))
    row = portal.row(row)
    assert (row.state, row.in_doubt, row.cleanup_due) == (State.UNCONFIRMED, True, False)


def test_s2_a_slow_settler_deletes_nothing_once_another_has_gone_on(portal: Portal) -> None:
    """A has read the empty log of a phantom. B removes it, and the next try starts a batch under the name."""
    row = portal.phantom(answered_try=1)
    Recovery.objects.filter(pk=row.pk).update(sent_payload=_sleeping(row))
    met: list[str] = []

    def log(log: Any, name: str, **window: int) -> LogPage:
        page: LogPage = log(name, **window)
        if not met:
            met.append(name)
            portal.clock.forward(80)
            portal.settle()  # B
            portal.submit()
            assert portal.started(row) == 1
        return page

    portal.clock.forward(3)
    portal.settle(Meddling(log=log))  # A
    assert met
    assert _deletes(portal) == 1  # B's, of the phantom
    assert portal.row(row).state in (State.STARTING, State.RUNNING)
    assert portal.sandbox.batch(row.batch_name) is not None


def test_c2_a_batch_that_is_gone_just_before_the_delete_is_not_deleted(portal: Portal) -> None:
    """Livy restarts between the reading and the cancel: a 404 without a DELETE of ours is no cancel."""
    row = portal.running()
    cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())

    def get(get: Any, name: str) -> Batch:
        batch: Batch = get(name)
        portal.sandbox.restart()
        return batch

    portal.follow(Meddling(get=get))
    assert portal.row(row).delete_sent_at is None
    row = portal.run(row, seconds=300)
    assert (row.state, row.outcome) == (State.LOST, Outcome.GONE)
    assert _deletes(portal) == 0
    assert portal.sandbox.ledger.alive(row.batch_name)


def test_c2_a_follower_that_lost_its_lease_cancels_nothing(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time ran out while it read; who has the lease now will see to the cancel."""
    row = portal.running()
    cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    renewed = iter([True, False])
    monkeypatch.setattr(leases, "renew", lambda *args, **kwargs: next(renewed))
    assert portal.follow() == 1
    assert _deletes(portal) == 0
    assert portal.row(row).delete_sent_at is None


def test_a2_a_password_that_is_refused_ends_the_pass_at_once(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each further call with it could lock the account."""
    rows = [portal.running() for _ in range(3)]
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}", action="status", code=401, body="empty"))
    monkeypatch.setattr(KnoxLivyClient, "version", lambda self: pytest.fail("no further call"))
    portal.clock.forward(60)
    before = len(portal.sandbox.requests)
    assert portal.follow() == 0
    assert len(portal.sandbox.requests) - before == 1
    assert Gateway.objects.get(pk=portal.gateway.pk).condition == "credentials"
    assert all(portal.row(row).state in (State.STARTING, State.RUNNING) for row in rows)
