"""Logs are read apart from following: the last one of what has ended first, then a few of what runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from recovery.domain.states import State
from recovery.domain.verdicts import Outcome
from recovery.gateway.livy import KnoxLivyClient
from recovery.models import Gateway, Recovery, RecoveryLog
from recovery.services import cancelling, following, leases, log_reading, observing, sweeping, wake
from recovery.services.gateways import open_client
from sandbox import Fault
from tests.factories import make_user
from tests.services.conftest import Portal


def _running(portal: Portal, count: int) -> list[Recovery]:
    rows = [portal.file("--sleep 100000") for _ in range(count)]
    portal.submit()
    portal.clock.forward(6)
    _follow(portal)
    return [portal.row(row) for row in rows]


def _follow(portal: Portal) -> None:
    """The follower alone, without the reader of logs."""
    following.follow_due(gateway_id=portal.gateway.pk, clock=portal.clock)


def _read(portal: Portal) -> int:
    return log_reading.read_due(gateway_id=portal.gateway.pk, clock=portal.clock)


def _watch(portal: Portal, row: Recovery) -> bool:
    return log_reading.watch(recovery=portal.row(row), now=portal.clock())


def _end(portal: Portal, rows: list[Recovery], word: str = "success") -> None:
    for row in rows:
        portal.sandbox.finish(row.batch_name, word)
    portal.clock.forward(6)
    _follow(portal)


def test_a_few_logs_of_running_batches_are_read_in_turn(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reading, "OF_RUNNING", 2)
    rows = _running(portal, 5)
    assert [_read(portal) for _ in range(4)] == [2, 2, 1, 0]
    assert RecoveryLog.objects.filter(recovery__in=rows, final=False).count() == 5


def test_the_logs_of_what_has_ended_come_first(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reading, "OF_RUNNING", 1)
    rows = _running(portal, 5)
    _end(portal, rows[2:])
    assert _read(portal) == 3 + 1
    assert set(RecoveryLog.objects.filter(final=True).values_list("recovery_id", flat=True)) == {r.pk for r in rows[2:]}


def test_success_ends_without_waiting_for_its_log_which_comes_later(portal: Portal) -> None:
    [row] = _running(portal, 1)
    _end(portal, [row])
    portal.clock.forward(6)
    _follow(portal)
    assert portal.row(row).state == State.SUCCEEDED
    assert not RecoveryLog.objects.filter(recovery=row).exists()
    assert log_reading.due(portal.clock()) == [portal.gateway.pk]
    assert _read(portal) == 1
    kept = RecoveryLog.objects.get(recovery=row)
    assert kept.final is True
    assert kept.output
    assert log_reading.due(portal.clock()) == []


def test_f5_the_verdict_on_dead_waits_for_a_reader_that_is_behind(portal: Portal) -> None:
    """Ten thousand ended at once: until its log was tried for, nobody says `lost` where the log says `failed`."""
    [row] = _running(portal, 1)
    _end(portal, [row], "dead")
    for _ in range(20):
        portal.clock.forward(15)
        _follow(portal)
    assert portal.row(row).state == State.RUNNING
    _read(portal)
    portal.clock.forward(15)
    _follow(portal)
    assert (portal.row(row).state, portal.row(row).outcome) == (State.FAILED, Outcome.JOB_FAILED)


def test_f5_the_verdict_does_not_wait_beyond_livys_memory(portal: Portal) -> None:
    [row] = _running(portal, 1)
    _end(portal, [row], "dead")
    portal.clock.forward(560)
    _follow(portal)
    assert portal.row(row).state == State.LOST


def test_f5_a_log_that_cannot_be_read_is_waited_for_a_minute(portal: Portal) -> None:
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}/log", action="knox_500", when="before"))
    [row] = _running(portal, 1)
    _end(portal, [row], "dead")
    assert _read(portal) == 0
    portal.clock.forward(30)
    _follow(portal)
    assert portal.row(row).state == State.RUNNING
    _read(portal)
    portal.clock.forward(40)
    _follow(portal)
    assert portal.row(row).state == State.LOST


def test_a_log_that_livy_has_forgotten_is_not_asked_for_again(portal: Portal) -> None:
    [row] = _running(portal, 1)
    _end(portal, [row])
    portal.clock.forward(6)
    _follow(portal)
    with open_client(portal.gateway) as client:
        client.delete(row.batch_name)
    assert _read(portal) == 0
    assert portal.row(row).log_due_at is None


def test_a_log_that_never_comes_is_given_up_with_livys_memory(portal: Portal) -> None:
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}/log", action="wrong_json_types"))
    [row] = _running(portal, 1)
    _end(portal, [row])
    portal.clock.forward(6)
    _follow(portal)
    assert _read(portal) == 0
    assert portal.row(row).log_due_at == portal.clock() + timedelta(seconds=5)
    portal.clock.forward(601)
    assert _read(portal) == 0
    assert portal.row(row).log_due_at is None


def test_a_log_that_is_withheld_is_marked_and_done_with(portal: Portal) -> None:
    [row] = _running(portal, 1)
    _end(portal, [row])
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}/log", action="status", code=403, body="empty"))
    assert _read(portal) == 1
    assert RecoveryLog.objects.get(recovery=row).withheld is True
    assert portal.row(row).log_due_at is None


def test_one_log_that_breaks_the_gateway_rests_it(portal: Portal) -> None:
    rows = _running(portal, 2)
    portal.sandbox.livy_down()
    assert _read(portal) == 0
    assert Gateway.objects.get(pk=portal.gateway.pk).condition
    assert _read(portal) == 0  # it rests
    assert all(portal.row(row).log_due_at == row.log_due_at for row in rows)


def test_a_word_that_changed_meanwhile_is_read_again(portal: Portal) -> None:
    """The follower saw the end while the log of the running batch was on its way."""
    [row] = _running(portal, 1)
    real = KnoxLivyClient.log

    def slow(client: KnoxLivyClient, name: str, *, size: int = -1) -> object:
        _end(portal, [row])
        return real(client, name, size=size)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(KnoxLivyClient, "log", slow)
        _read(portal)
    assert portal.row(row).terminal_word == "success"
    assert _read(portal) == 1
    assert RecoveryLog.objects.get(recovery=row).final is True


def test_a_reader_that_lost_its_lease_stops(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    _running(portal, 2)
    monkeypatch.setattr(leases, "renew", lambda *args, **kwargs: False)
    assert _read(portal) == 0


def test_one_reader_at_a_time(portal: Portal) -> None:
    _running(portal, 1)
    assert leases.acquire(f"logs:{portal.gateway.pk}", lasting=30, now=portal.clock())
    assert _read(portal) == 0


def test_the_sweep_wakes_the_reader(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    _running(portal, 1)
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(sweeping, "send", lambda task, gateway_id: sent.append((task, gateway_id)))
    portal.sweep()
    assert (wake.LOGS, portal.gateway.pk) in sent


def test_what_is_seen_to_have_ended_wakes_the_reader(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = _running(portal, 1)
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(following, "send", lambda task, gateway_id: sent.append((task, gateway_id)))
    _end(portal, rows)
    assert sent == [(wake.LOGS, portal.gateway.pk)]


def test_f4_the_log_of_a_word_that_was_taken_back_is_read_on(portal: Portal) -> None:
    [row] = _running(portal, 1)
    with open_client(portal.gateway) as client:
        alive = client.get(row.batch_name)
        observing.observe(recovery=row, batch=replace(alive, state="success"), client=client, clock=portal.clock)
        assert _read(portal) == 1
        assert RecoveryLog.objects.get(recovery=row).final is True
        observing.observe(recovery=portal.row(row), batch=alive, client=client, clock=portal.clock)
    assert _read(portal) == 1
    assert RecoveryLog.objects.get(recovery=row).final is False


@pytest.mark.parametrize("code", [400, 500])
def test_c2_a_log_that_cannot_be_read_does_not_hold_up_a_cancel(portal: Portal, code: int) -> None:
    [row] = _running(portal, 1)
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}/log", action="status", code=code, body="json"))
    cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    assert portal.run(row, seconds=60).state == State.CANCELLED


# ── somebody looks at it ────────────────────────────────────────────────────────────────────────────────────────


def test_a_log_that_somebody_looks_at_is_read_first_and_not_too_often(portal: Portal) -> None:
    rows = _running(portal, log_reading.OF_RUNNING + 2)
    assert _read(portal) == log_reading.OF_RUNNING
    last = portal.row(rows[-1])
    assert _watch(portal, last), "it waits for its turn"
    assert not _watch(portal, last), "it is ahead already"
    assert _read(portal) == 2
    assert RecoveryLog.objects.filter(recovery=last).exists()
    assert not _watch(portal, last), "it was read just now"
    portal.clock.forward(4)
    assert _watch(portal, last)
    assert _read(portal) == 1
    assert portal.row(last).log_due_at == portal.clock() + timedelta(seconds=15)


def test_watched_logs_leave_room_for_the_others(portal: Portal) -> None:
    rows = _running(portal, log_reading.OF_RUNNING + 2)
    for row in rows[1:]:
        assert _watch(portal, row)
    Recovery.objects.filter(pk=rows[0].pk).update(log_due_at=portal.clock())
    assert _read(portal) == log_reading.OF_WATCHED + 1
    assert RecoveryLog.objects.filter(recovery=rows[0]).exists()


def test_nothing_that_is_over_or_not_followed_is_put_ahead(portal: Portal) -> None:
    [row] = _running(portal, 1)
    Recovery.objects.filter(pk=row.pk).update(terminal_word="success")
    assert not _watch(portal, row)
    assert not _watch(portal, portal.file())


def test_a_row_that_moved_since_it_was_read_is_left_alone(portal: Portal) -> None:
    [row] = _running(portal, 1)
    _end(portal, [row])
    assert not log_reading.watch(recovery=row, now=portal.clock())
    assert portal.row(row).terminal_word == "success"
