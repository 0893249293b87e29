"""A5 to A7: answers in a doubt, answers that come back late, and names that are taken."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from recovery.domain.states import State
from recovery.domain.verdicts import Outcome
from recovery.gateway.livy import KnoxLivyClient
from recovery.models import Gateway, Recovery
from recovery.services import attempts
from recovery.services.gateways import open_client
from sandbox import Fault
from tests.services.conftest import Portal


def test_a5_too_many_sessions_in_a_doubt_leads_nowhere(portal: Portal) -> None:
    """It is tested before the duplicate name and would mask it."""
    row = _settled_404(portal)
    portal.sandbox.add_fault(Fault(route="POST /batches", action="too_many_sessions", times=1))
    portal.settle()
    row = portal.row(row)
    assert row.state == State.UNCONFIRMED
    row = portal.run(row, seconds=400)
    assert row.state == State.SUCCEEDED
    assert portal.started(row) == 1


def test_a5_a_refusal_in_a_doubt_counts_only_with_its_phantom(portal: Portal) -> None:
    row = _settled_404(portal)
    portal.sandbox.add_fault(Fault(route="POST /batches", action="phantom", times=1))
    portal.settle()
    row = portal.row(row)
    assert row.state == State.UNCONFIRMED
    portal.settle()
    row = portal.row(row)
    assert row.state == State.REFUSED  # the phantom was read, deleted and seen gone: evidence with an identity
    assert row.outcome_words
    assert portal.started(row) == 0


def test_a5_a_refusal_in_a_doubt_without_a_phantom_stays_in_doubt_and_ends_lost(portal: Portal) -> None:
    row = _settled_404(portal)
    portal.sandbox.add_fault(Fault(route="POST /batches", action="status", code=400, body="json"))
    row = portal.run(row, seconds=24 * 3600, step=120)
    assert row.state == State.LOST


def _settled_404(portal: Portal) -> Recovery:
    """A doubt whose POST never arrived, at the moment when it may be sent again (S3 a)."""
    Gateway.objects.filter(pk=portal.gateway.pk).update(livy_recovery=True)
    portal.sandbox.add_fault(Fault(route="POST /batches", action="drop", when="before", times=1))
    row = portal.file()
    portal.submit()
    assert portal.row(row).state == State.UNCONFIRMED
    portal.clock.forward(181)
    return portal.row(row)


def test_a6_a_late_201_for_a_row_in_doubt_is_adopted(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    row = portal.file("--sleep 100000")
    _lose_claim_during_post(portal, monkeypatch, partial(_sweep_later, portal))
    portal.submit()
    row = portal.row(row)
    assert row.state in (State.STARTING, State.RUNNING)
    assert portal.kinds(row)[-2:] == ["late_answer", "adopted"]
    assert portal.started(row) == 1


def test_a6_a_late_201_for_an_ended_row_is_stopped_and_alarms(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    row = portal.file("--sleep 100000")

    def parked() -> None:
        portal.clock.forward(80)
        portal.sweep()
        attempts.lose(row.pk, sources={State.UNCONFIRMED}, outcome=Outcome.DOUBT_UNSETTLED, now=portal.clock())

    _lose_claim_during_post(portal, monkeypatch, parked)
    portal.submit()
    row = portal.row(row)
    assert row.state == State.LOST
    assert portal.kinds(row)[-2:] == ["late_answer", "duplicate"]
    assert portal.sandbox.batch(row.batch_name) is None


def test_a6_a_late_answer_of_any_kind_leaves_evidence(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    for fault in ("phantom", "drop"):
        row = portal.file()
        portal.sandbox.add_fault(Fault(route="POST /batches", action=fault, times=1))
        _lose_claim_during_post(portal, monkeypatch, partial(_sweep_later, portal))
        portal.submit()
        assert portal.kinds(row)[-1] == "late_answer"
        monkeypatch.undo()
        monkeypatch.setenv("SANDBOX_PASSWORD", "svc-password")


def test_a6_a_late_201_that_was_adopted_is_only_evidence(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    row = portal.file("--sleep 100000")

    def adopted() -> None:
        portal.clock.forward(80)
        portal.sweep()
        portal.clock.forward(3)
        portal.settle()

    _lose_claim_during_post(portal, monkeypatch, adopted)
    portal.submit()
    assert portal.kinds(row)[-2:] == ["adopted", "late_answer"]
    assert portal.sandbox.batch(row.batch_name) is not None


def _sweep_later(portal: Portal) -> None:
    portal.clock.forward(80)
    portal.sweep()


def _lose_claim_during_post(portal: Portal, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]) -> None:
    """A worker that stood still between its first byte and the answer, while others went on."""
    real = KnoxLivyClient.create

    def slow(self: KnoxLivyClient, *args: object, **kwargs: object) -> object:
        try:
            return real(self, *args, **kwargs)  # type: ignore[arg-type]
        finally:
            monkeypatch.setattr(KnoxLivyClient, "create", real)
            meanwhile()

    monkeypatch.setattr(KnoxLivyClient, "create", slow)


def test_a7_a_duplicate_name_after_a_free_look_is_ours(portal: Portal) -> None:
    """The look of the same try had found the name free: a gateway sent our POST twice. It is adopted."""
    row = portal.file("--sleep 100000")
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}", action="status", code=404, body="json",
                                   message=f"Session '{row.batch_name}' not found.", times=1))  # fmt: skip
    with open_client(portal.gateway) as client:
        client.create(row.sent_payload, name=row.batch_name, deadline=5)
    portal.submit()
    assert portal.row(row).state == State.UNCONFIRMED
    row = portal.run(row, seconds=30)
    assert (row.state, row.livy_id) == (State.RUNNING, 0)
    assert portal.started(row) == 1


def test_a7_a_name_that_is_taken_before_the_first_post(portal: Portal) -> None:
    row = portal.file()
    with open_client(portal.gateway) as client:
        client.create(row.sent_payload, name=row.batch_name, deadline=5)
    portal.submit()
    assert portal.row(row).hold == "name_taken"
    assert len(portal.posts()) == 1
    portal.run(row, seconds=60)
    assert portal.row(row).state == State.UNCONFIRMED  # nobody touches it
    portal.clock.forward(24 * 3600 + 60)
    portal.sweep()
    row = portal.row(row)
    assert (row.state, row.outcome, row.livy_id) == (State.LOST, Outcome.NAME_TAKEN, None)
