"""F1 to F6, C2, C3 and H1: following by identity to an honest end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from recovery.domain.states import State
from recovery.domain.verdicts import Outcome
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import Batch
from recovery.models import Gateway, Recovery, RecoveryEvent, RecoveryLog, SubjectType
from recovery.services import cancelling, following, leases, listing, logs, observing, stopping
from recovery.services.gateways import open_client
from sandbox import Fault, Sandbox
from tests.factories import make_user
from tests.services.conftest import Portal


def _seen(portal: Portal, row: Recovery) -> Recovery:
    portal.clock.forward(6)
    portal.follow()
    return portal.row(row)


def test_f1_many_are_followed_by_list_and_few_by_name(portal: Portal) -> None:
    rows = [portal.file("--sleep 100000") for _ in range(8)]
    portal.submit()
    before = len(portal.sandbox.requests)
    portal.clock.forward(6)
    assert portal.follow() == 8
    paths = [r.path for r in portal.sandbox.requests[before:] if r.method == "GET"]
    assert sum(path.split("?")[0].endswith("/batches") for path in paths) == 1
    assert not [p for p in paths if not p.split("?")[0].endswith(("/batches", "/log"))]
    assert {portal.row(row).state for row in rows} == {State.RUNNING}


def test_f1_one_follower_per_gateway(portal: Portal) -> None:
    portal.running()
    portal.clock.forward(60)
    with leases.held(f"follow:{portal.gateway.pk}", lasting=30, clock=portal.clock):
        assert portal.follow() == 0
    assert portal.follow() == 1


def test_f1_a_follower_that_lost_its_lease_stops(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    portal.running()
    portal.clock.forward(60)
    monkeypatch.setattr(leases, "renew", lambda *args, **kwargs: False)
    assert portal.follow() == 0


def test_f2_ids_reused_after_a_restart_are_never_taken_for_ours(portal: Portal) -> None:
    row = portal.running()
    portal.sandbox.restart()
    other = portal.file("--fail")
    portal.submit()
    assert portal.row(other).livy_id == row.livy_id == 0  # the same number, another batch
    row = portal.run(row, seconds=300)
    assert (row.state, row.outcome) == (State.LOST, Outcome.GONE)
    assert portal.started(row) == 1


def test_f2_another_batch_under_our_name_is_an_alarm(portal: Portal) -> None:
    row = portal.running()
    portal.sandbox.restart()
    with open_client(portal.gateway) as client:
        for name in ("stranger-1", "stranger-2", row.batch_name):
            client.create(row.sent_payload.replace(row.batch_name, name), name=name, deadline=5)
    row = _seen(portal, row)
    assert (row.state, row.outcome) == (State.LOST, Outcome.IDENTITY)


def test_f2_the_application_id_is_the_identity_once_known() -> None:
    row = Recovery(batch_name="p-x-1", livy_id=4, app_id="application_1_0001")
    ours = Batch(id=4, name="p-x-1", state="running", app_id="application_1_0001")
    assert stopping.is_ours(row, ours)
    assert stopping.is_ours(row, replace(ours, id=9))
    assert not stopping.is_ours(row, replace(ours, app_id="application_1_0002"))
    assert not stopping.is_ours(row, replace(ours, name="p-x-2"))
    assert not stopping.is_ours(row, replace(ours, id=9, app_id=None))


@pytest.mark.parametrize("word", ["recovering", "busy", "some_new_word"])
def test_f3_unknown_words_are_alive(portal: Portal, word: str) -> None:
    row = portal.running()
    with open_client(portal.gateway) as client:
        batch = replace(client.get(row.batch_name), state=word)
        observing.observe(recovery=row, batch=batch, client=client, clock=portal.clock)
    row = portal.row(row)
    assert row.state in (State.STARTING, State.RUNNING)
    assert row.livy_state == word


def test_f3_every_live_row_is_looked_at_within_two_minutes(portal: Portal) -> None:
    row = portal.running()
    portal.clock.forward(24 * 3600)
    portal.follow()
    row = portal.row(row)
    assert row.next_action_at is not None
    assert 0 < (row.next_action_at - portal.clock()).total_seconds() <= 120


def test_f4_the_end_needs_a_second_equal_reading(portal: Portal) -> None:
    row = portal.running("--sleep 100000")
    portal.sandbox.finish(row.batch_name, "success")
    row = _seen(portal, row)
    assert (row.state, row.terminal_word) == (State.RUNNING, "success")
    portal.clock.forward(2)
    Recovery.objects.filter(pk=row.pk).update(next_action_at=portal.clock())
    portal.follow()
    assert portal.row(row).state == State.RUNNING  # too early
    row = _seen(portal, row)
    assert (row.state, row.outcome) == (State.SUCCEEDED, Outcome.SUCCESS)
    assert portal.kinds(row)[-2:] == ["terminal_seen", "ended"]


def test_f4_success_that_flips_to_dead_is_a_failure(portal: Portal) -> None:
    row = portal.running()
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}", action="flip"))
    portal.sandbox.finish(row.batch_name, "success")
    row = portal.run(row, seconds=60)
    assert row.state == State.FAILED


def test_f4_a_terminal_word_that_is_taken_back(portal: Portal) -> None:
    row = portal.running()
    with open_client(portal.gateway) as client:
        alive = client.get(row.batch_name)
        observing.observe(recovery=row, batch=replace(alive, state="success"), client=client, clock=portal.clock)
        row = portal.row(row)
        assert row.terminal_word == "success"
        observing.observe(recovery=row, batch=alive, client=client, clock=portal.clock)
    row = portal.row(row)
    assert (row.state, row.terminal_word) == (State.RUNNING, "")
    assert portal.kinds(row)[-1] == "reappeared"


def test_f5_a_failing_job_fails_with_its_log_kept(portal: Portal) -> None:
    row = portal.run(portal.file("--date 20240101 --fail 3"), seconds=60)
    assert (row.state, row.outcome) == (State.FAILED, Outcome.JOB_FAILED)
    kept = RecoveryLog.objects.get(recovery=row)
    assert "RECOVERY argv[0]=<--date 20240101 --fail 3>" in kept.output
    assert kept.final is True


def test_f5_dead_because_livy_lost_sight_is_lost(portal: Portal) -> None:
    with Sandbox(mode="yarn", speed=50.0, post_cost=0.0, retain=100_000) as yarn:
        Gateway.objects.filter(pk=portal.gateway.pk).update(base_url=yarn.url)
        row = portal.file("--sleep 100000")
        portal.submit()
        yarn.add_fault(Fault(route="GET /batches/{x}", action="dead_but_alive"))
        yarn.add_fault(Fault(route="GET /batches/{x}/log", action="dead_but_alive"))
        row = portal.run(row, seconds=60)
        assert (row.state, row.outcome) == (State.LOST, Outcome.LIVY_LOST_SIGHT)


def test_killed_from_outside_is_a_failure_that_says_so(portal: Portal) -> None:
    row = portal.running()
    portal.sandbox.finish(row.batch_name, "killed")
    row = portal.run(row, seconds=60)
    assert (row.state, row.outcome) == (State.FAILED, Outcome.KILLED_OUTSIDE)


def test_f6_gone_needs_three_404s_over_a_minute(portal: Portal) -> None:
    row = portal.running()
    portal.sandbox.restart()
    row = _seen(portal, row)
    assert (row.state, row.gone_looks) == (State.RUNNING, 1)
    portal.clock.forward(31)
    portal.follow()
    assert portal.row(row).state == State.RUNNING
    portal.clock.forward(31)
    portal.follow()
    row = portal.row(row)
    assert (row.state, row.outcome) == (State.LOST, Outcome.GONE)
    assert len(portal.posts()) == 1  # nothing is relaunched


def test_f6_a_404_without_livys_words_is_not_gone(portal: Portal) -> None:
    row = portal.running()
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}", action="status", code=404, body="html"))
    row = _seen(portal, row)
    assert (row.state, row.gone_looks) == (State.RUNNING, 0)
    portal.clock.forward(31)
    portal.sandbox.add_fault(Fault(route="GET /version", action="status", code=404, body="html"))
    portal.follow()
    assert Gateway.objects.get(pk=portal.gateway.pk).condition == "no_route"


def test_f6_gone_and_back_again(portal: Portal) -> None:
    row = portal.running()
    not_found = Fault(route="GET /batches/{x}", action="status", code=404, body="json",
                      message=f"Session '{row.batch_name}' not found.", times=1)  # fmt: skip
    portal.sandbox.add_fault(not_found)
    row = _seen(portal, row)
    assert row.gone_looks == 1
    portal.clock.forward(31)
    portal.follow()
    row = portal.row(row)
    assert (row.state, row.gone_looks) == (State.RUNNING, 0)


def test_f6_lost_rows_are_looked_up_and_what_is_found_is_evidence(portal: Portal) -> None:
    row = portal.running()
    not_found = Fault(route="GET /batches/{x}", action="status", code=404, body="json",
                      message=f"Session '{row.batch_name}' not found.")  # fmt: skip
    portal.sandbox.add_fault(not_found)
    row = portal.run(row, seconds=200)
    assert row.state == State.LOST
    portal.clock.forward(121)
    portal.sweep()
    assert portal.kinds(row)[-1] == "lost"
    portal.sandbox.clear_faults()
    portal.sandbox.finish(row.batch_name, "success")
    portal.clock.forward(121)
    portal.sweep()
    row = portal.row(row)
    assert row.state == State.LOST  # a person settles it
    event = RecoveryEvent.objects.of(SubjectType.RECOVERY, row.pk).last()
    assert event is not None
    assert (event.kind, event.facts["livy_state"]) == ("evidence", "success")
    portal.clock.forward(1000)
    portal.sweep()
    assert portal.row(row).next_action_at is None  # Livy's memory is over


def test_f6_a_second_batch_found_later_is_a_duplicate(portal: Portal) -> None:
    row = portal.running()
    portal.sandbox.restart()
    row = portal.run(row, seconds=200)
    assert row.state == State.LOST
    with open_client(portal.gateway) as client:
        for name in ("stranger-1", row.batch_name):
            client.create(row.sent_payload.replace(row.batch_name, name), name=name, deadline=5)
    portal.clock.forward(121)
    portal.sweep()
    assert portal.kinds(row)[-2:] == ["evidence", "duplicate"]


def test_c2_cancel_of_a_running_batch(portal: Portal) -> None:
    row = portal.running("--lines 5 --sleep 100000")
    by = make_user()
    assert cancelling.request_cancel(recovery=row, by=by, now=portal.clock())
    portal.follow()
    row = portal.row(row)
    assert row.delete_sent_at is not None
    portal.follow()
    row = portal.row(row)
    assert (row.state, row.outcome) == (State.CANCELLED, Outcome.CANCELLED_UNVERIFIED)
    assert row.cancel_requested_by == by
    assert "RECOVERY line 4" in RecoveryLog.objects.get(recovery=row).output  # read before it vanished
    assert portal.sandbox.batch(row.batch_name) is None


def test_c2_a_success_wins_over_a_cancel(portal: Portal) -> None:
    row = portal.running()
    portal.sandbox.finish(row.batch_name, "success")
    cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    row = portal.run(row, seconds=60)
    assert row.state == State.SUCCEEDED
    assert not [r for r in portal.sandbox.requests if r.method == "DELETE"]


@pytest.mark.parametrize("action", ["knox_500", "hang", "drop"])
def test_c2_a_delete_that_is_cut_is_retried(portal: Portal, quick_reads: Callable[[], None], action: str) -> None:
    row = portal.running()
    quick_reads()
    portal.sandbox.add_fault(Fault(route="DELETE /batches/{x}", action=action, when="before", seconds=4, times=2))
    cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    row = portal.run(row, seconds=120)
    assert row.state == State.CANCELLED
    assert portal.sandbox.batch(row.batch_name) is None


def test_c2_a_delete_that_was_certainly_not_sent_does_not_turn_a_later_404_into_a_cancel(portal: Portal) -> None:
    row = portal.running()
    portal.sandbox.add_fault(Fault(route="DELETE /batches/{x}", action="status", code=401, body="empty"))
    cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    portal.follow()
    row = portal.row(row)
    assert row.delete_sent_at is None
    portal.sandbox.restart()
    row = portal.run(row, seconds=300)
    assert (row.state, row.outcome) == (State.LOST, Outcome.GONE)


def test_c2_a_batch_that_vanishes_while_we_stop_it(portal: Portal) -> None:
    row = portal.running()
    cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    portal.sandbox.add_fault(Fault(route="DELETE /batches/{x}", action="status", code=404, body="json",
                                   message=f"Session '{row.batch_name}' not found.", times=1))  # fmt: skip
    row = portal.run(row, seconds=60)
    assert row.state == State.CANCELLED


def test_the_log_is_kept_beyond_livys_ring(portal: Portal) -> None:
    row = portal.run(portal.file("--lines 30"), seconds=60)
    output = RecoveryLog.objects.get(recovery=row).output
    assert output.count("RECOVERY line ") == 30
    assert "stdout: " not in output


def test_a_withheld_log_is_said_to_be_withheld(portal: Portal) -> None:
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}/log", action="status", code=403, body="empty"))
    row = portal.run(portal.file(), seconds=60)
    assert row.state == State.SUCCEEDED
    assert RecoveryLog.objects.get(recovery=row).withheld is True
    assert logs.evidence(row) is None


def test_secrets_are_taken_out_of_the_log(portal: Portal) -> None:
    row = portal.run(portal.file("--table svc-password --date password=hunter2"), seconds=60)
    output = RecoveryLog.objects.get(recovery=row).output
    assert "svc-password" not in output
    assert "hunter2" not in output


def test_an_ill_gateway_stops_the_pass_and_nothing_is_concluded(portal: Portal) -> None:
    row = portal.running()
    portal.sandbox.livy_down()
    row = _seen(portal, row)
    assert row.state == State.RUNNING
    assert portal.follow() == 0  # it rests
    portal.sandbox.livy_up()
    portal.clock.forward(10)
    assert portal.follow() == 1


def test_a_gateway_whose_secret_is_gone(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    portal.running()
    monkeypatch.delenv("SANDBOX_PASSWORD")
    portal.clock.forward(60)
    assert portal.follow() == 0
    assert Gateway.objects.get(pk=portal.gateway.pk).condition == "secret"


def test_a_list_in_several_pages(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "FIRST", 3)
    monkeypatch.setattr(listing, "MOST", 3)
    rows = [portal.file("--sleep 100000") for _ in range(7)]
    portal.submit()
    portal.clock.forward(6)
    assert portal.follow() == 7
    assert all(portal.row(row).seen_at == portal.clock() for row in rows)


def test_the_client_is_made_anew_for_each_pass_and_closed(portal: Portal) -> None:
    portal.running()
    opened: list[KnoxLivyClient] = []

    def factory(gateway: Gateway) -> KnoxLivyClient:
        opened.append(open_client(gateway))
        return opened[-1]

    portal.clock.forward(60)
    following.follow_due(gateway_id=portal.gateway.pk, clock=portal.clock, client_for=factory)
    assert len(opened) == 1
