"""P1 to P4, A1 to A4, S5 and C1 through the services, on the sandbox's wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery.domain.gateways import Condition
from recovery.domain.states import State
from recovery.domain.verdicts import Outcome
from recovery.gateway.errors import NotSent
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import Version
from recovery.models import Gateway, Recovery, RecoveryEvent, SubjectType
from recovery.services import attempts, cancelling, gateways, submission
from recovery.services.gateways import open_client
from sandbox import Fault
from tests.factories import make_user
from tests.services.conftest import Portal

A_SUBMISSION = 16
"""Statements of one submission, without those of the clock: the next row, the claim, the last act, the answer; and
three pairs for savepoints, of which one alone is there outside of a test."""


def test_a1_what_was_shown_is_what_was_sent_and_one_batch_starts(portal: Portal) -> None:
    row = portal.file("--date 20240101 --table splio.active")
    assert portal.submit() == 1
    row = portal.row(row)
    assert row.state in (State.STARTING, State.RUNNING)
    assert portal.posts()[0].body.decode() == row.sent_payload  # preview == row == bytes on the wire
    assert row.livy_id == 0
    assert row.submitted_at == portal.clock()
    assert portal.started(row) == 1
    assert json.loads(row.sent_payload)["conf"]["spark.yarn.tags"] == row.batch_name  # N2
    assert portal.kinds(row) == ["filed", "claimed", "started"]


def test_a_submission_costs_few_statements(portal: Portal) -> None:
    def statements(rows: int) -> list[str]:
        for _ in range(rows):
            portal.file()
        with CaptureQueriesContext(connection) as seen:
            assert portal.submit() == rows
        return [query["sql"] for query in seen.captured_queries]

    statements(1)  # what is written once: the lease, the version
    statements(1)  # and what the first batch brings: its witness
    one, three = statements(1), statements(3)
    assert len(three) - len(one) <= 2 * A_SUBMISSION, "\n".join(one)


def test_p3_no_post_without_a_404_in_livys_own_words(portal: Portal) -> None:
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}", action="status", code=500, body="html"))
    row = portal.file()
    portal.submit()
    row = portal.row(row)
    assert row.state == State.QUEUED
    assert row.tries == 0  # nothing was sent: the try does not count
    assert not portal.posts()
    gateway = Gateway.objects.get(pk=portal.gateway.pk)
    assert gateway.condition == "server_error"
    assert gateway.next_try_at is not None


def test_a2_the_gateway_heals_by_itself_and_the_row_goes_on(portal: Portal) -> None:
    portal.sandbox.livy_down()
    row = portal.file()
    portal.submit()
    assert portal.row(row).state == State.QUEUED
    assert portal.submit() == 0  # it rests
    portal.sandbox.livy_up()
    portal.clock.forward(10)
    portal.submit()
    assert portal.row(row).state in (State.STARTING, State.RUNNING)
    gateway = Gateway.objects.get(pk=portal.gateway.pk)
    assert gateway.condition == ""
    kinds = [e.kind for e in RecoveryEvent.objects.of(SubjectType.GATEWAY, gateway.pk)]
    assert kinds.count("condition") == 1
    assert kinds.count("healed") == 1


def test_a2_pauses_grow_up_to_two_minutes(portal: Portal) -> None:
    portal.sandbox.livy_down()
    portal.file()
    pauses = []
    for _ in range(8):
        portal.submit()
        gateway = Gateway.objects.get(pk=portal.gateway.pk)
        assert gateway.next_try_at is not None
        pauses.append((gateway.next_try_at - portal.clock()).total_seconds())
        portal.clock.forward(pauses[-1] + 0.1)
    assert pauses[0] <= 5
    assert pauses[2] > pauses[0]
    assert max(pauses) <= 120


def test_a2_workers_that_meet_one_failure_at_the_same_moment_count_it_once(portal: Portal) -> None:
    """A follower and a settler, each with the gateway as it was when its call began."""
    gone = NotSent("refused", condition=Condition.UNREACHABLE)
    for seen in [Gateway.objects.get(pk=portal.gateway.pk) for _ in range(2)]:
        gateways.record_condition(seen, gone, now=portal.clock(), jitter=lambda: 1)
    gateway = Gateway.objects.get(pk=portal.gateway.pk)
    assert gateway.failures == 1
    assert gateway.next_try_at == portal.clock() + timedelta(seconds=settings.RECOVERY_PACING.gateway_pause_first)
    kinds = [e.kind for e in RecoveryEvent.objects.of(SubjectType.GATEWAY, gateway.pk)]
    assert kinds.count("condition") == 1


@pytest.mark.parametrize(
    ("fault", "condition"),
    [
        (Fault(route="POST /batches", action="status", code=401, body="empty"), "credentials"),
        (Fault(route="POST /batches", action="status", code=403, body="html"), "forbidden"),
        (Fault(route="POST /batches", action="status", code=404, body="html"), "no_route"),
        (
            Fault(route="POST /batches", action="status", code=503, body="html", message="Service Unavailable"),
            "inactive",
        ),
        (
            Fault(route="POST /batches", action="status", code=429, body="html", headers={"Retry-After": "60"}),
            "throttled",
        ),
        (Fault(route="POST /batches", action="redirect"), "redirect"),
        (Fault(route="POST /batches", action="too_many_sessions"), "too_many_sessions"),
    ],
)  # fmt: skip
def test_a2_a_condition_answer_to_the_post_keeps_the_row_queued(portal: Portal, fault: Fault, condition: str) -> None:
    portal.sandbox.add_fault(replace(fault, times=1))
    row = portal.file()
    portal.submit()
    row = portal.row(row)
    assert (row.state, row.may_have_started, row.tries) == (State.QUEUED, False, 0)
    assert Gateway.objects.get(pk=portal.gateway.pk).submit_condition == condition
    row = portal.run(row, seconds=300)
    assert Gateway.objects.get(pk=portal.gateway.pk).seen_condition == ""
    assert row.state == State.SUCCEEDED
    assert portal.started(row) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a4_a_login_page_instead_of_201_is_a_doubt(portal: Portal, when: str) -> None:
    """The look of this very try was let in, so the page may have come after Livy had taken the POST."""
    Gateway.objects.update(livy_recovery=True)
    portal.sandbox.add_fault(Fault(route="POST /batches", action="login_page_200", when=when, times=1))
    row = portal.file()
    portal.submit()
    row = portal.row(row)
    assert (row.state, row.may_have_started) == (State.UNCONFIRMED, True)
    assert portal.run(row, seconds=400).state == State.SUCCEEDED
    assert portal.started(row) == 1


def test_a2_wrong_password_is_the_gateways_condition(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_PASSWORD", "wrong")
    row = portal.file()
    portal.submit()
    assert portal.row(row).state == State.QUEUED
    assert Gateway.objects.get(pk=portal.gateway.pk).condition == "credentials"
    monkeypatch.delenv("SANDBOX_PASSWORD")
    portal.clock.forward(10)
    portal.submit()
    assert Gateway.objects.get(pk=portal.gateway.pk).condition == "secret"
    monkeypatch.setenv("SANDBOX_PASSWORD", "svc-password")
    portal.clock.forward(30)
    portal.submit()
    assert portal.row(row).livy_id == 0


def test_a3_livy_refuses_in_its_own_words_and_the_phantom_is_cleaned(portal: Portal) -> None:
    row = portal.file()
    portal.sandbox.add_fault(Fault(route="POST /batches", action="phantom", times=1))
    portal.submit()
    row = portal.row(row)
    assert row.state == State.REFUSED
    assert row.outcome == Outcome.REFUSED_BY_SERVER
    assert row.outcome_words
    assert row.cleanup_due is False
    assert portal.sandbox.batch(row.batch_name) is None  # S2: after Livy's own answer
    assert portal.started(row) == 0
    assert "phantom_removed" in portal.kinds(row)


def test_s2_cleanup_survives_a_killed_worker(portal: Portal) -> None:
    row = portal.file()
    portal.sandbox.add_fault(Fault(route="POST /batches", action="phantom", times=1))
    portal.sandbox.add_fault(Fault(route="DELETE /batches/{x}", action="knox_500", when="before", times=1))
    portal.submit()
    row = portal.row(row)
    assert (row.state, row.cleanup_due) == (State.REFUSED, True)
    portal.clock.forward(31)
    portal.sweep()
    row = portal.row(row)
    assert (row.state, row.cleanup_due) == (State.REFUSED, False)
    assert portal.sandbox.batch(row.batch_name) is None


def test_a3_a_real_batch_speaks_against_a_refusal_and_is_followed(portal: Portal) -> None:
    row = portal.file("--sleep 100000")
    portal.sandbox.add_fault(Fault(route="POST /batches", action="status", code=413, body="html", when="after"))
    row = portal.run(row, seconds=30)
    assert row.state == State.RUNNING
    assert portal.started(row) == 1


def test_a3_a_real_batch_found_after_a_refusal_is_never_deleted(portal: Portal) -> None:
    """The look after the refusal had no answer; the clean-up finds a batch that runs."""
    row = portal.file("--sleep 100000")
    portal.sandbox.add_fault(Fault(route="POST /batches", action="status", code=413, body="html", when="after"))
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}", action="knox_500", when="before", nth=[2, 3]))
    portal.submit()
    portal.clock.forward(60)
    portal.sweep()
    row = portal.row(row)
    assert row.state == State.REFUSED
    assert portal.sandbox.batch(row.batch_name) is not None
    assert "contradiction" in portal.kinds(row)
    assert row.cleanup_due is False


@pytest.mark.parametrize(
    "fault",
    [
        Fault(route="POST /batches", action="knox_500", when="after"),
        Fault(route="POST /batches", action="drop", when="after"),
        Fault(route="POST /batches", action="reset", when="after"),
        Fault(route="POST /batches", action="empty_200", when="after"),
        Fault(route="POST /batches", action="half_body", when="after"),
        Fault(route="POST /batches", action="invalid_utf8", when="after"),
        Fault(route="POST /batches", action="wrong_json_types", when="after"),
        Fault(route="POST /batches", action="wrong_name", when="after"),
        Fault(route="POST /batches", action="status", code=502, body="html", when="after"),
        Fault(route="POST /batches", action="status", code=504, body="html", when="after"),
    ],
    ids=lambda fault: f"{fault.action}{fault.code}",
)
def test_a4_a_lost_answer_is_a_doubt_that_is_settled_by_name(portal: Portal, fault: Fault) -> None:
    portal.sandbox.add_fault(replace(fault, times=1))
    row = portal.file()
    portal.submit()
    row = portal.row(row)
    assert (row.state, row.may_have_started) == (State.UNCONFIRMED, True)
    row = portal.run(row, seconds=120)
    assert row.state == State.SUCCEEDED
    assert row.may_have_started is True  # A5: never cleared
    assert portal.started(row) == 1
    assert "adopted" in portal.kinds(row)


def test_a4_no_answer_within_the_read_timeout_is_a_doubt(portal: Portal, quick_reads: Callable[[], None]) -> None:
    quick_reads()
    portal.sandbox.add_fault(Fault(route="POST /batches", action="hang", when="after", seconds=5, times=1))
    row = portal.file()
    portal.submit()
    assert portal.row(row).state == State.UNCONFIRMED
    assert portal.run(row, seconds=60).state == State.SUCCEEDED
    assert portal.started(row) == 1


def test_a4_lease_run_out_while_submitting_is_a_doubt(portal: Portal) -> None:
    """A worker was killed after its claim; nobody knows how far it came."""
    row = portal.file()
    attempt = attempts.claim(row.pk, source=State.QUEUED, now=portal.clock())
    assert attempt is not None
    attempt.last_act(portal.clock)
    with open_client(portal.gateway) as client:
        client.create(row.sent_payload, name=row.batch_name, deadline=5)
    portal.sweep()
    assert portal.row(row).state == State.SUBMITTING
    portal.clock.forward(76)
    portal.sweep()
    assert portal.row(row).state == State.UNCONFIRMED
    row = portal.run(row, seconds=60)
    assert row.state == State.SUCCEEDED
    assert portal.started(row) == 1
    assert "worker_lost" in portal.kinds(row)


def test_p1_an_old_or_odd_livy_gets_no_post(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    row = portal.file()
    for version, accepted, goes in (("0.5.0", False, False), ("cdp-7", False, False), ("cdp-7", True, True)):
        Gateway.objects.filter(pk=portal.gateway.pk).update(version_accepted=accepted)
        monkeypatch.setattr(KnoxLivyClient, "version", lambda self, said=version: Version(text=said))
        portal.clock.forward(130)
        portal.submit()
        assert (portal.row(row).livy_id is not None) is goes


def test_p2_the_claim_is_won_once(portal: Portal) -> None:
    row = portal.file()
    first = attempts.claim(row.pk, source=State.QUEUED, now=portal.clock())
    assert first is not None
    assert attempts.claim(row.pk, source=State.QUEUED, now=portal.clock()) is None
    assert portal.row(row).lease_until == portal.clock() + timedelta(seconds=75)


def test_p2_a_claim_that_was_lost_before_the_first_byte_sends_nothing(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = portal.file()
    real = submission.look

    def look_and_lose(client: KnoxLivyClient, name: str) -> object:
        monkeypatch.setattr(submission, "look", lambda *args: pytest.fail("one look is enough"))
        portal.clock.forward(76)
        portal.sweep()
        Recovery.objects.filter(pk=row.pk).update(next_action_at=portal.clock() + timedelta(seconds=60))
        return real(client, name)

    monkeypatch.setattr(submission, "look", look_and_lose)
    portal.submit()
    assert portal.row(row).state == State.QUEUED  # nothing had been sent: no doubt
    assert not portal.posts()


def test_p2_a_try_whose_deadline_is_over_sends_nothing_and_does_not_count(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = portal.file()
    real = attempts.claim

    def over(*args: object, **kwargs: object) -> object:
        attempt = real(*args, **kwargs)  # type: ignore[arg-type]
        return attempt and replace(attempt, ends=attempt.ends - 1000)

    monkeypatch.setattr(attempts, "claim", over)
    with open_client(portal.gateway) as client:
        submission.submit_one(recovery_id=row.pk, gateway=portal.gateway, client=client, clock=portal.clock)
    row = portal.row(row)
    assert (row.state, row.tries) == (State.QUEUED, 0)
    assert not portal.posts()


def test_p4_the_post_has_a_connection_of_its_own_and_no_cookies(portal: Portal) -> None:
    portal.file()
    portal.submit()
    assert all("Cookie" not in r.headers for r in portal.sandbox.requests)


def test_c1_cancel_before_anything_was_sent(portal: Portal) -> None:
    row = portal.file()
    assert cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    row = portal.row(row)
    assert (row.state, row.outcome) == (State.CANCELLED, Outcome.CANCELLED_BEFORE_START)
    assert not cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    assert portal.submit() == 0
    assert not portal.sandbox.requests


def test_c1_cancel_while_submitting_waits_for_the_answer(portal: Portal) -> None:
    row = portal.file("--sleep 100000")
    attempt = attempts.claim(row.pk, source=State.QUEUED, now=portal.clock())
    assert attempt is not None
    cancelling.request_cancel(recovery=portal.row(row), by=make_user(), now=portal.clock())
    assert portal.row(row).state == State.SUBMITTING
    with open_client(portal.gateway) as client:
        submission.post(attempt, portal.gateway, client, portal.clock)
    row = portal.run(row, seconds=60)
    assert (row.state, row.outcome) == (State.CANCELLED, Outcome.CANCELLED_UNVERIFIED)
    assert portal.sandbox.batch(row.batch_name) is None


def test_c1_cancel_while_submitting_and_nothing_was_sent(portal: Portal) -> None:
    row = portal.file()
    attempt = attempts.claim(row.pk, source=State.QUEUED, now=portal.clock())
    assert attempt is not None
    cancelling.request_cancel(recovery=portal.row(row), by=make_user(), now=portal.clock())
    portal.sandbox.add_fault(Fault(route="POST /batches", action="too_many_sessions"))
    with open_client(portal.gateway) as client:
        submission.post(attempt, portal.gateway, client, portal.clock)
    assert portal.row(row).state == State.CANCELLED


def test_s5_what_was_not_submitted_in_time_is_refused(portal: Portal) -> None:
    portal.sandbox.livy_down()
    row = portal.file()
    portal.submit()
    portal.clock.forward(24 * 3600 + 1)
    portal.sweep()
    row = portal.row(row)
    assert (row.state, row.outcome) == (State.REFUSED, Outcome.NEVER_SUBMITTED)


def test_s5_a_poison_row_is_parked(portal: Portal) -> None:
    """Its worker dies at each try, before anything can be recorded."""
    row = portal.file()
    Recovery.objects.filter(pk=row.pk).update(tries=8)
    portal.sweep()
    row = portal.row(row)
    assert (row.state, row.outcome) == (State.REFUSED, Outcome.TOO_MANY_TRIES)


def test_s5_in_a_doubt_the_bounds_end_in_lost(portal: Portal) -> None:
    row = portal.file()
    Recovery.objects.filter(pk=row.pk).update(tries=8, may_have_started=True, doubt_try=8)
    portal.sweep()
    assert portal.row(row).state == State.LOST


def test_max_running_is_respected_and_rows_wait_in_order(portal: Portal) -> None:
    Gateway.objects.filter(pk=portal.gateway.pk).update(max_running=1)
    rows = [portal.file("--sleep 100000"), portal.file("--sleep 1000")]
    portal.submit()
    assert [portal.row(r).livy_id for r in rows] == [0, None]


def test_a_paused_gateway_gets_no_post(portal: Portal) -> None:
    row = portal.file()
    by = make_user()
    assert gateways.pause(gateway_id=portal.gateway.pk, by=by, reason="maintenance")
    assert not gateways.pause(gateway_id=portal.gateway.pk, by=by, reason="again")
    assert portal.submit() == 0
    assert gateways.resume(gateway_id=portal.gateway.pk, by=by)
    assert not gateways.resume(gateway_id=portal.gateway.pk, by=by)
    assert portal.submit() == 1
    assert portal.row(row).livy_id == 0


def test_two_workers_on_one_gateway_the_second_goes_away(portal: Portal) -> None:
    from recovery.services import leases

    portal.file()
    with leases.held(f"submit:{portal.gateway.pk}", lasting=75, clock=portal.clock):
        assert portal.submit() == 0
