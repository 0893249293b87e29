"""Interleavings that would start a second batch, or send what must not be sent."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from recovery.domain.states import Settlement, State
from recovery.domain.verdicts import Outcome
from recovery.gateway.errors import Ambiguous, NotFound
from recovery.gateway.wire import Batch
from recovery.models import Gateway, Recovery
from recovery.services import attempts, cancelling, instance, settling
from recovery.services.gateways import open_client
from sandbox import Fault, Sandbox
from tests.factories import make_gateway, make_user
from tests.services.conftest import ANSWER_LOST, NEVER_ARRIVED, Meddling, Portal


def test_s4_where_several_livys_stand_nothing_is_probed(portal: Portal) -> None:
    """The start is in progress in one Livy; a POST would reach another one, in which the name is free."""
    row = portal.phantom()
    Gateway.objects.filter(pk=portal.gateway.pk).update(single_livy=False)
    with Sandbox(post_cost=0.0, speed=50.0, retain=100_000) as other:
        second = make_gateway(base_url=other.url, user="svc_portal", secret_ref="env:SANDBOX_PASSWORD")

        def create(_create: object, body: str, **options: Any) -> Batch:
            with open_client(second) as client:
                return client.create(body, **options)

        for _ in range(60):
            portal.clock.forward(10)
            portal.settle(Meddling(create=create))
        assert not other.ledger.started(row.batch_name)


def test_s3_a_job_that_others_start_under_one_name_is_no_witness(portal: Portal) -> None:
    """Livy forgets all in a restart; then a stream is started again and has its old name and its old number."""

    def stream() -> None:
        body = {"file": "hdfs:///x/stream.jar", "name": "ingest-stream", "args": ["--sleep", "100000"]}
        portal.somebody_posts(json.dumps(body), name="ingest-stream")

    stream()
    portal.file("--sleep 1")
    portal.submit()  # sees the stream
    portal.clock.forward(30)
    row = portal.doubt(ANSWER_LOST, "--sleep 100000")
    portal.sandbox.restart()
    stream()
    row = portal.run(row, seconds=420)
    assert row.state == State.LOST
    assert portal.started(row) == 1


def test_s2_a_slow_settler_does_not_clear_a_newer_doubt(portal: Portal) -> None:
    """A has deleted a proved phantom and looks if it is gone. Longer than its lease later, B has cleared the row and
    the submitter has posted again and got no answer. Then A goes on with what it knows."""
    row = portal.phantom(answered_try=1)
    met: list[Recovery] = []

    def get(get: Any, name: str) -> Batch:
        try:
            return get(name)
        except NotFound:
            if not met:
                portal.clock.forward(200)
                portal.settle()  # B
                assert portal.row(row).state == State.QUEUED
                portal.sandbox.add_fault(ANSWER_LOST)
                portal.submit()
                met.append(portal.row(row))
            raise

    portal.clock.forward(3)
    portal.settle(Meddling(get=get))  # A
    assert [(r.state, r.tries) for r in met] == [(State.UNCONFIRMED, 2)]
    after = portal.row(row)
    assert (after.state, after.in_doubt) == (State.UNCONFIRMED, True)
    cancelling.request_cancel(recovery=after, by=make_user(), now=portal.clock())
    assert portal.row(row).state == State.UNCONFIRMED  # it runs: nobody says `cancelled` before Livy does
    assert portal.started(row) == 1


@pytest.mark.parametrize("restarts", [False, True])
def test_s3_a_slow_settler_does_not_post_on_what_it_saw_before_another_try(portal: Portal, restarts: bool) -> None:
    """A's 404 is slow. Meanwhile B posts again and gets no answer; Livy may then forget the batch, which lives on."""
    row = portal.doubt(NEVER_ARRIVED, "--sleep 100000", livy_recovery=True)
    portal.clock.forward(200)
    met: list[str] = []

    def get(get: Any, name: str) -> Batch:
        try:
            return get(name)
        except NotFound:
            if not met:
                met.append(name)
                portal.clock.forward(80)  # A's lease is over
                portal.sandbox.add_fault(ANSWER_LOST)
                portal.settle()  # B
                if restarts:
                    portal.clock.forward(5)
                    portal.sandbox.restart()
            raise

    portal.settle(Meddling(get=get))  # A
    assert met
    assert len(portal.posts()) == 2  # the first one, and B's
    assert portal.started(row) == 1
    assert portal.row(row).in_doubt


def test_s3_what_a_slow_settler_found_is_evidence_when_another_has_adopted_it(portal: Portal) -> None:
    row = portal.doubt(ANSWER_LOST, "--sleep 100000")
    portal.clock.forward(3)

    def get(get: Any, name: str) -> Batch:
        batch: Batch = get(name)
        portal.clock.forward(80)
        portal.settle()
        return batch

    portal.settle(Meddling(get=get))
    assert portal.row(row).state == State.RUNNING
    assert portal.kinds(row)[-2:] == ["adopted", "evidence"]


def test_s2_a_proof_survives_a_delete_whose_answer_was_cut(portal: Portal) -> None:
    """The DELETE worked and its answer was lost, so the next look finds nothing; the proof was stored before it."""
    row = portal.phantom()
    deleted: list[str] = []

    def delete(delete: Any, name: str) -> None:
        delete(name)
        deleted.append(name)
        raise Ambiguous("no answer: cut")

    for _ in range(60):
        portal.clock.forward(10)
        portal.settle(Meddling(delete=delete))
        portal.sweep()
        if portal.row(row).state != State.UNCONFIRMED:
            break
    assert deleted
    assert portal.row(row).state == State.QUEUED


_CUT = Fault(
    route="POST /batches", action="status", code=503, body="html", when="after", times=1,
    message="upstream connect error or disconnect/reset before headers. reset reason: connection termination",
)  # fmt: skip


@pytest.mark.parametrize("restarts", [False, True])
def test_a4_a_503_of_a_proxy_that_was_cut_is_a_doubt(portal: Portal, restarts: bool) -> None:
    """Livy has started the batch when the proxy says so; that Livy died may be why it says so."""
    portal.sandbox.add_fault(_CUT)
    row = portal.file("--sleep 100000")
    portal.submit()
    assert portal.row(row).state == State.UNCONFIRMED
    if restarts:
        portal.sandbox.restart()
    row = portal.run(row, seconds=60)
    assert row.state == (State.UNCONFIRMED if restarts else State.RUNNING)
    assert portal.started(row) == 1


def test_s5_a_fresh_doubt_is_looked_at_before_it_is_lost(portal: Portal) -> None:
    """`submit_by` passes just after the answer was lost."""
    portal.sandbox.add_fault(ANSWER_LOST)
    row = portal.file("--sleep 100000")
    Recovery.objects.filter(pk=row.pk).update(submit_by=portal.clock() + timedelta(seconds=1))
    portal.submit()
    portal.clock.forward(2)
    assert portal.run(row, seconds=60).state == State.RUNNING


def test_h1_what_a_person_settled_is_never_posted(portal: Portal) -> None:
    row = portal.file("--sleep 100000")
    Gateway.objects.filter(pk=portal.gateway.pk).update(last_seen_at=portal.clock() - timedelta(hours=7))
    by = make_user()
    assert settling.settle(
        recovery=portal.row(row), settled_as=Settlement.NEVER_RAN, reason="by hand", by=by, now=portal.clock()
    )
    portal.submit()
    row = portal.row(row)
    assert (row.state, row.outcome) == (State.REFUSED, Outcome.NEVER_SUBMITTED)
    assert not portal.posts()


def test_h1_nothing_is_sent_after_a_person_has_settled_it(portal: Portal) -> None:
    """The gateway was away for hours. It is back, and the settler has claimed the row, when a person decides."""
    row = portal.doubt(NEVER_ARRIVED, livy_recovery=True)
    away = portal.clock() - timedelta(seconds=settings.RECOVERY_PACING.unseen_for)
    portal.clock.forward(181)
    Gateway.objects.filter(pk=portal.gateway.pk).update(last_seen_at=away)

    def get(get: Any, name: str) -> Batch:
        read: Recovery = portal.row(row)
        if read.state == State.SUBMITTING:
            assert settling.settle(
                recovery=read, settled_as=Settlement.NEVER_RAN, reason="by hand", by=make_user(), now=portal.clock()
            )
        batch: Batch = get(name)
        return batch

    portal.settle(Meddling(get=get))
    assert portal.row(row).settled_as == Settlement.NEVER_RAN
    assert portal.started(row) == 0
    assert portal.run(row, seconds=400).state == State.LOST
    assert portal.started(row) == 0


def test_h1_of_two_people_who_settle_at_once_the_first_counts(portal: Portal) -> None:
    """Both have read the row when the first one decides."""
    row = portal.running()
    attempts.lose(row.pk, sources={State.RUNNING, State.STARTING}, outcome=Outcome.GONE, now=portal.clock())
    read = portal.row(row), portal.row(row)
    words = Settlement.SUCCEEDED, Settlement.FAILED
    by, now = make_user(), portal.clock()
    done = [
        settling.settle(recovery=one, settled_as=word, reason="seen", by=by, now=now)
        for one, word in zip(read, words, strict=True)
    ]
    assert done == [True, False]
    assert portal.row(row).settled_as == Settlement.SUCCEEDED


def test_a7_a_taken_name_can_be_settled_and_does_not_fill_the_gateway(portal: Portal) -> None:
    Gateway.objects.filter(pk=portal.gateway.pk).update(max_running=1)
    row = portal.file("--sleep 100000")
    portal.somebody_posts(row.sent_payload, name=row.batch_name)
    portal.submit()
    assert portal.row(row).hold == "name_taken"
    other = portal.run(portal.file("--date 1"), seconds=600, step=30)
    assert other.state == State.SUCCEEDED
    row = portal.row(row)
    assert settling.can_be_settled(row, portal.clock())
    assert settling.settle(
        recovery=row, settled_as=Settlement.NEVER_RAN, reason="not ours", by=make_user(), now=portal.clock()
    )
    assert portal.row(row).state == State.LOST


def test_a7_a_cancel_of_a_taken_name_ends_it_and_deletes_nothing(portal: Portal) -> None:
    row = portal.file("--sleep 100000")
    portal.somebody_posts(row.sent_payload, name=row.batch_name)
    portal.submit()
    cancelling.request_cancel(recovery=portal.row(row), by=make_user(), now=portal.clock())
    assert portal.run(row, seconds=60).state == State.CANCELLED
    assert portal.sandbox.batch(row.batch_name) is not None


def test_p2_a_worker_killed_between_its_claim_and_its_post_costs_nothing(portal: Portal) -> None:
    row = portal.file()
    assert attempts.claim(row.pk, source=State.QUEUED, now=portal.clock())
    row = portal.run(row, seconds=600)
    assert row.state == State.SUCCEEDED
    assert row.may_have_started is False
    assert portal.started(row) == 1


@pytest.mark.parametrize("state", [State.UNCONFIRMED, State.SUBMITTING])
def test_h5_what_was_restored_in_a_try_is_not_posted_again(portal: Portal, state: State) -> None:
    """After the backup was taken the batch was adopted, cancelled and deleted: Livy's 404 proves nothing."""
    row = portal.doubt(ANSWER_LOST, "--sleep 100000", livy_recovery=True)
    lease = portal.clock() + timedelta(seconds=75) if state is State.SUBMITTING else None
    Recovery.objects.filter(pk=row.pk).update(state=state, lease_until=lease)
    with open_client(portal.gateway) as client:
        client.delete(row.batch_name)
    assert instance.adopt(how="restored", now=portal.clock()) == 1
    row = portal.run(row, seconds=400)
    assert (row.state, row.outcome) == (State.LOST, Outcome.DOUBT_UNSETTLED)
    assert portal.started(row) == 1


def test_h5_a_late_201_in_a_copied_database_deletes_nothing(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the POST was on its way the row was lost, and the database turned out to be another portal's."""
    row = portal.file("--sleep 100000")
    instance.current()

    def create(create: Any, *args: Any, **options: Any) -> Batch:
        batch: Batch = create(*args, **options)
        attempts.doubt(row, kind="worker_lost", cause="lease", now=portal.clock(), only_if=attempts.NO_DOUBT)
        attempts.lose(row.pk, sources={State.UNCONFIRMED}, outcome=Outcome.DOUBT_UNSETTLED, now=portal.clock())
        monkeypatch.setattr(settings, "PORTAL_ID", "other")
        return batch

    portal.submit(Meddling(create=create))
    assert portal.kinds(row)[-2:] == ["late_answer", "duplicate"]
    assert portal.sandbox.batch(row.batch_name) is not None
