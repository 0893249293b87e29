"""One bad batch, one bad answer or one ill gateway, and everybody else's turn."""

from __future__ import annotations

from datetime import timedelta

import pytest

from recovery.domain.gateways import Condition
from recovery.domain.states import State
from recovery.gateway.errors import Ambiguous
from recovery.models import Gateway, Recovery, RecoveryEvent, SubjectType
from recovery.services import cancelling
from sandbox import Fault
from tests.factories import make_gateway, make_profile, make_recovery, make_user
from tests.services.conftest import ANSWER_LOST, Meddling, Portal


def _sick(row: Recovery) -> Fault:
    """Livy cannot show this one batch."""
    return Fault(
        route=f"GET /batches/{row.batch_name}", action="status", code=500, body="json",
        message="java.lang.IllegalStateException",
    )  # fmt: skip


def test_f1_a_batch_that_livy_cannot_show_starves_no_other(portal: Portal) -> None:
    sick, other = portal.file("--sleep 100000"), portal.file("--date 1")
    portal.submit()
    portal.sandbox.add_fault(_sick(sick))
    assert portal.run(other, seconds=900).state == State.SUCCEEDED


def test_s1_a_doubt_that_livy_cannot_show_starves_no_other(portal: Portal) -> None:
    sick = portal.doubt(ANSWER_LOST, "--sleep 100000")
    other = portal.doubt(ANSWER_LOST, "--date 1")
    portal.sandbox.add_fault(_sick(sick))
    assert portal.run(other, seconds=600).state == State.SUCCEEDED


_HUGE_LIST = Fault(route="GET /batches", action="big_body", size=17 * 1024 * 1024)


def test_p1_a_list_that_cannot_be_read_stops_no_submission(portal: Portal) -> None:
    """One foreign batch whose lines of log make the page larger than the cap."""
    portal.sandbox.add_fault(_HUGE_LIST)
    assert portal.run(portal.file("--date 1"), seconds=120).state == State.SUCCEEDED


def test_f1_a_list_that_cannot_be_read_is_replaced_by_single_reads(portal: Portal) -> None:
    rows = [portal.file("--sleep 100000") for _ in range(6)]
    portal.submit()
    portal.sandbox.add_fault(_HUGE_LIST)
    portal.clock.forward(6)
    assert portal.follow() == 6
    assert {portal.row(row).state for row in rows} == {State.RUNNING}
    assert Gateway.objects.get(pk=portal.gateway.pk).condition == ""


def test_a2_too_many_sessions_rests_submissions_and_nothing_else(portal: Portal) -> None:
    """For half an hour Livy answers every POST so: the pauses grow, what runs is seen every two minutes as before."""
    running = portal.running("--sleep 100000")
    portal.sandbox.add_fault(Fault(route="POST /batches", action="too_many_sessions"))
    waiting, before = portal.file(), len(portal.posts())
    end, unseen = portal.clock() + timedelta(minutes=30), 0.0
    while portal.clock() < end:
        portal.sweep()
        portal.submit()
        portal.follow()
        seen = portal.row(running).seen_at
        assert seen is not None
        unseen = max(unseen, (portal.clock() - seen).total_seconds())
        portal.clock.forward(10)
    assert unseen <= 120
    assert len(portal.posts()) - before < 30
    row, gateway = portal.row(waiting), Gateway.objects.get(pk=portal.gateway.pk)
    assert (row.state, row.tries) == (State.QUEUED, 0)
    assert (gateway.condition, gateway.submit_condition) == ("", "too_many_sessions")
    kinds = RecoveryEvent.objects.of(SubjectType.GATEWAY, gateway.pk).values_list("kind", flat=True)
    assert list(kinds).count("condition") == 1


def test_s2_leftovers_of_an_ill_gateway_do_not_hold_up_the_tidying_of_others(portal: Portal) -> None:
    """As many as one pass takes are due on a gateway that is away for a day."""
    ill = make_gateway(condition=Condition.UNREACHABLE.value, next_try_at=portal.clock() + timedelta(days=1))
    profile, due = make_profile(gateway=ill), portal.clock() - timedelta(minutes=5)
    for _ in range(20):
        make_recovery(profile=profile, state=State.LOST, finished_at=portal.clock(), next_action_at=due)
    row = _uncleaned(portal)
    portal.clock.forward(31)
    portal.sweep()
    assert portal.row(row).cleanup_due is False


def _uncleaned(portal: Portal) -> Recovery:
    """A refused one whose phantom could not be removed at once."""
    portal.sandbox.add_fault(Fault(route="POST /batches", action="phantom", times=1))
    portal.sandbox.add_fault(Fault(route="DELETE /batches/{x}", action="knox_500", when="before", times=1))
    row = portal.file()
    portal.submit()
    row = portal.row(row)
    assert row.cleanup_due is True
    return row


def test_s2_a_clean_up_that_cannot_succeed_is_given_up_after_a_day(portal: Portal) -> None:
    """Logs are withheld, so a phantom is never proved to be empty."""
    portal.sandbox.add_fault(Fault(route="POST /batches", action="phantom", times=1))
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}/log", action="status", code=403, body="empty"))
    row = portal.file()
    portal.submit()
    for _ in range(50):
        portal.clock.forward(1800)
        portal.sweep()
    row = portal.row(row)
    assert (row.cleanup_due, row.next_action_at) == (False, None)
    assert portal.kinds(row)[-1] == "cleanup_failed"
    assert portal.sandbox.batch(row.batch_name) is not None


def test_c2_many_cancels_whose_deletes_hang_do_not_leave_the_others_unseen(portal: Portal) -> None:
    """Each DELETE takes the 20 s after which Knox cuts it."""
    others = [portal.file("--sleep 100000") for _ in range(3)]
    cancelled = [portal.file("--sleep 100000") for _ in range(40)]
    portal.submit()
    portal.submit()
    portal.clock.forward(6)
    portal.follow()
    by = make_user()
    for row in cancelled:
        assert cancelling.request_cancel(recovery=portal.row(row), by=by, now=portal.clock())

    def delete(_delete: object, _name: str) -> None:
        portal.clock.forward(20)
        raise Ambiguous("knox 500", status=500)

    for _ in range(4):
        portal.follow(Meddling(delete=delete))
        for row in others:
            seen = portal.row(row).seen_at
            assert seen is not None
            assert (portal.clock() - seen).total_seconds() <= 120
        portal.clock.forward(5)


@pytest.mark.parametrize(("asked", "rests"), [("60", 60), ("86400", 120)])
def test_a2_the_pause_that_a_gateway_asks_for_is_kept(portal: Portal, asked: str, rests: float) -> None:
    """429 with Retry-After to a GET; never longer than our own longest pause."""
    portal.sandbox.add_fault(
        Fault(route="GET /version", action="status", code=429, body="html", headers={"Retry-After": asked})
    )
    portal.file()
    portal.submit()
    gateway = Gateway.objects.get(pk=portal.gateway.pk)
    assert gateway.next_try_at is not None
    assert (gateway.next_try_at - portal.clock()).total_seconds() == rests
