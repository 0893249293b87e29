"""S1 to S5 and C4: how a doubt is settled, and when it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from recovery.domain.states import State
from recovery.domain.verdicts import Outcome
from recovery.models import Gateway, Recovery
from recovery.services import attempts, cancelling, reconciliation
from recovery.services.gateways import open_client
from sandbox import Fault
from tests.factories import make_user
from tests.services.conftest import ANSWER_LOST, Portal


def test_s1_looks_by_name_with_growing_pauses(portal: Portal) -> None:
    row = portal.doubt()
    pauses = []
    for _ in range(6):
        row = portal.row(row)
        assert row.next_action_at is not None
        portal.clock.time = row.next_action_at
        portal.settle()
        after = portal.row(row)
        assert after.next_action_at is not None
        pauses.append(round((after.next_action_at - portal.clock()).total_seconds()))
    assert pauses[:5] == [2, 5, 10, 20, 40]
    assert portal.row(row).looks == 6
    assert len(portal.posts()) == 1


def test_s1_found_with_a_real_shape_is_adopted(portal: Portal) -> None:
    row = portal.doubt(ANSWER_LOST, "--sleep 100000")
    portal.clock.forward(3)
    portal.settle()
    row = portal.row(row)
    assert (row.state, row.livy_id) == (State.RUNNING, 0)
    assert portal.started(row) == 1


def test_s2_a_phantom_shape_is_not_deleted_on_a_doubt_alone(portal: Portal) -> None:
    row = portal.phantom()
    for _ in range(12):
        portal.clock.forward(10)
        portal.settle()
    assert portal.sandbox.batch(row.batch_name) is not None
    assert not [r for r in portal.sandbox.requests if r.method == "DELETE"]
    assert len(portal.posts()) == 2  # ours, and the one of this test


def test_s2_a_phantom_is_probed_deleted_and_the_next_try_runs_it(portal: Portal) -> None:
    row = portal.phantom()
    row = portal.run(row, seconds=900)
    assert row.state == State.SUCCEEDED
    assert portal.started(row) == 1
    kinds = portal.kinds(row)
    assert kinds.index("phantom_seen") < kinds.index("phantom_removed")
    assert row.may_have_started is True
    assert row.in_doubt is False


def test_s2_after_the_phantom_is_gone_the_next_tries_refusal_counts(portal: Portal) -> None:
    row = portal.phantom()
    Recovery.objects.filter(pk=row.pk).update(
        sent_payload=row.sent_payload.replace("hdfs:///user/sddesigner/recovery.jar", "relative.jar")
    )
    row = portal.run(row, seconds=900)
    assert row.state == State.REFUSED
    assert "is not absolute" in row.outcome_words
    assert portal.started(row) == 0
    assert portal.sandbox.batch(row.batch_name) is None


def test_s2_a_start_in_progress_is_not_taken_for_a_phantom(portal: Portal) -> None:
    row = portal.doubt(Fault(route="POST /batches", action="late_accept", seconds=0.5, times=1), "--sleep 100000")
    row = portal.run(row, seconds=400, step=10)
    assert row.state == State.RUNNING
    assert portal.started(row) == 1


def test_s2_where_logs_are_withheld_a_phantom_is_never_proved(portal: Portal) -> None:
    row = portal.phantom()
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}/log", action="status", code=403, body="empty"))
    row = portal.run(row, seconds=3600, step=120)
    assert row.state == State.UNCONFIRMED
    assert portal.sandbox.batch(row.batch_name) is not None
    row = portal.run(row, seconds=24 * 3600, step=1800)
    assert row.state == State.LOST


def test_s2_a_delete_that_fails_is_repeated(portal: Portal) -> None:
    row = portal.phantom()
    portal.sandbox.add_fault(Fault(route="DELETE /batches/{x}", action="knox_500", when="before", times=2))
    row = portal.run(row, seconds=1200)
    assert row.state == State.SUCCEEDED
    assert portal.started(row) == 1


def test_s2_a_phantom_that_vanishes_starts_the_doubt_again(portal: Portal) -> None:
    row = portal.phantom()
    portal.clock.forward(5)
    portal.settle()
    assert portal.row(row).phantom_id is not None
    with open_client(portal.gateway) as client:
        client.delete(row.batch_name)
    portal.clock.forward(60)
    portal.settle()
    row = portal.row(row)
    assert row.phantom_id is None
    assert row.state == State.UNCONFIRMED


def test_s3_a_404_proves_nothing_before_the_settle_time(portal: Portal) -> None:
    row = portal.doubt(livy_recovery=True)
    for _ in range(17):
        portal.clock.forward(10)
        portal.settle()
    assert portal.row(row).state == State.UNCONFIRMED
    assert len(portal.posts()) == 1


def test_s3a_with_recovery_on_the_same_name_is_posted_again(portal: Portal) -> None:
    row = portal.run(portal.doubt(livy_recovery=True), seconds=400)
    assert row.state == State.SUCCEEDED
    assert row.tries == 2
    assert {p.body for p in portal.posts()} == {row.sent_payload.encode()}  # the same name, the same bytes
    assert portal.started(row) == 1


def test_s3a_a_batch_seen_before_the_try_and_still_there_is_a_witness(portal: Portal) -> None:
    other = portal.running()
    portal.clock.forward(30)
    portal.follow()
    row = portal.run(portal.doubt(), seconds=400)
    assert row.state == State.SUCCEEDED
    assert row.tries == 2
    assert portal.row(other).state == State.RUNNING


def test_s3_without_a_witness_or_recovery_it_is_lost(portal: Portal) -> None:
    row = portal.run(portal.doubt(), seconds=400)
    assert (row.state, row.outcome) == (State.LOST, Outcome.DOUBT_UNSETTLED)
    assert len(portal.posts()) == 1


def test_s3_a_restarted_livy_is_no_witness(portal: Portal) -> None:
    """Ids begin at 0 again: the other batch's name is unknown, so nothing is proved and nothing is sent again."""
    portal.running()
    portal.clock.forward(30)
    portal.follow()
    row = portal.doubt(ANSWER_LOST, "--sleep 100000")
    portal.sandbox.restart()
    row = portal.run(row, seconds=400)
    assert row.state == State.LOST
    assert portal.started(row) == 1


def test_s3_not_beyond_livys_memory(portal: Portal) -> None:
    """An ended batch is forgotten after the retention time: a 404 then says nothing about the try."""
    row = portal.doubt(livy_recovery=True)
    portal.clock.forward(545)
    portal.settle()
    assert portal.row(row).state == State.LOST
    assert len(portal.posts()) == 1


def test_s4_several_livys_have_no_memory_in_common(portal: Portal) -> None:
    row = portal.run(portal.doubt(livy_recovery=True, single_livy=False), seconds=400)
    assert row.state == State.LOST
    assert len(portal.posts()) == 1


def test_s3_a_second_lost_answer_is_a_doubt_again(portal: Portal) -> None:
    row = portal.doubt(livy_recovery=True)
    portal.clock.forward(181)
    portal.sandbox.add_fault(ANSWER_LOST)
    portal.settle()
    row = portal.row(row)
    assert (row.state, row.tries, row.doubt_try) == (State.UNCONFIRMED, 2, 2)
    assert portal.run(row, seconds=60).state == State.SUCCEEDED
    assert portal.started(row) == 1


def test_s3_found_by_the_look_before_the_second_post(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """It arrived between the settled 404 and the second POST."""
    row = portal.doubt(livy_recovery=True, jar_args="--sleep 100000")
    portal.clock.forward(181)
    real = attempts.claim

    def arrives(*args: Any, **kwargs: Any) -> object:
        with open_client(portal.gateway) as client:
            client.create(row.sent_payload, name=row.batch_name, deadline=5)
        return real(*args, **kwargs)

    monkeypatch.setattr(attempts, "claim", arrives)
    portal.settle()
    assert portal.row(row).state == State.RUNNING
    assert portal.started(row) == 1


def test_s3_duplicate_name_on_the_second_post_is_ours(portal: Portal) -> None:
    """A7 after a doubt: found, adopted."""
    row = portal.doubt(ANSWER_LOST, "--sleep 100000", livy_recovery=True)
    portal.clock.forward(181)
    not_found = Fault(route="GET /batches/{x}", action="status", code=404, body="json",
                      message=f"Session '{row.batch_name}' not found.", times=2)  # fmt: skip
    portal.sandbox.add_fault(not_found)
    portal.settle()
    row = portal.row(row)
    assert (row.state, row.hold) == (State.UNCONFIRMED, "")
    portal.settle()
    assert portal.row(row).state == State.RUNNING
    assert portal.started(row) == 1


def test_s3_an_ill_gateway_during_the_second_try_gives_the_try_back(portal: Portal) -> None:
    row = portal.doubt(livy_recovery=True)
    portal.clock.forward(181)
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}", action="knox_500", nth=2, when="before"))
    portal.settle()
    row = portal.row(row)
    assert (row.state, row.tries) == (State.UNCONFIRMED, 1)
    assert portal.run(row, seconds=300).state == State.SUCCEEDED


def test_s5_tries_are_bounded(portal: Portal) -> None:
    row = portal.doubt(livy_recovery=True)
    Recovery.objects.filter(pk=row.pk).update(tries=settings.RECOVERY_PACING.max_tries)
    portal.clock.forward(181)
    portal.settle()
    row = portal.row(row)
    assert (row.state, row.outcome) == (State.LOST, Outcome.TOO_MANY_TRIES)


def test_paused_gateway_in_a_doubt_is_looked_at_and_not_posted_to(portal: Portal) -> None:
    row = portal.doubt(livy_recovery=True, paused=False)
    Gateway.objects.filter(pk=portal.gateway.pk).update(paused=True)
    portal.clock.forward(181)
    portal.settle()
    row = portal.row(row)
    assert row.state == State.UNCONFIRMED
    assert len(portal.posts()) == 1


def test_c4_cancel_in_a_doubt_waits_and_deletes_what_arrives_late(portal: Portal) -> None:
    row = portal.doubt(ANSWER_LOST, "--sleep 100000")
    cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    assert portal.row(row).state == State.UNCONFIRMED
    row = portal.run(row, seconds=100)
    assert row.state == State.CANCELLED
    assert portal.sandbox.batch(row.batch_name) is None
    assert portal.started(row) == 1


def test_c4_cancel_in_a_doubt_that_never_arrived(portal: Portal) -> None:
    row = portal.doubt(livy_recovery=True)
    cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    portal.clock.forward(170)
    portal.settle()
    assert portal.row(row).state == State.UNCONFIRMED
    portal.clock.forward(60)
    portal.settle()
    assert portal.row(row).state == State.CANCELLED
    assert len(portal.posts()) == 1


def test_c4_cancel_with_a_phantom(portal: Portal) -> None:
    row = portal.phantom()
    cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    row = portal.run(row, seconds=900)
    assert row.state == State.CANCELLED
    assert portal.started(row) == 0
    assert portal.sandbox.batch(row.batch_name) is None


def test_an_ill_gateway_leaves_the_doubt_due(portal: Portal) -> None:
    row = portal.doubt()
    portal.clock.forward(5)
    portal.sandbox.livy_down()
    portal.settle()
    row = portal.row(row)
    assert row.looks == 0
    assert Gateway.objects.get(pk=portal.gateway.pk).condition == "server_error"


def test_a_row_that_somebody_else_settled_is_left_alone(portal: Portal) -> None:
    row = portal.running()
    with open_client(portal.gateway) as client:
        assert not reconciliation.settle_one(
            recovery_id=row.pk, gateway=portal.gateway, client=client, clock=portal.clock
        )
