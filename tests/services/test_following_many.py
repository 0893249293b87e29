"""Following many batches of one gateway (F1, F3): pages of the list, and what they cost."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain, repeat
from typing import Any

import pytest
from django.conf import settings

from recovery.domain.states import State
from recovery.gateway.livy import KnoxLivyClient
from recovery.models import Gateway, Recovery
from recovery.services import cancelling, following, leases, listing, sweeping, wake
from recovery.services.gateways import open_client
from sandbox import Fault
from tests.factories import make_user
from tests.services.conftest import Portal


def _many(portal: Portal, count: int, jar_args: str = "--sleep 100000") -> list[Recovery]:
    """Recoveries whose batches run, seen as running, in the gateway's list mode."""
    rows = [portal.file(jar_args) for _ in range(count)]
    portal.submit()
    for _ in range(2):
        portal.clock.forward(6)
        portal.follow()
    rows = [portal.row(row) for row in rows]
    assert {row.state for row in rows} == {State.RUNNING}
    return rows


def _list_at(portal: Portal) -> float | None:
    at = Gateway.objects.get(pk=portal.gateway.pk).next_list_at
    return None if at is None else (at - portal.clock()).total_seconds()


def _asked(portal: Portal, *, after: int) -> list[str]:
    """Paths of the requests after the first `after`, without logs."""
    return [r.path for r in portal.sandbox.requests[after:] if r.method == "GET" and "/log" not in r.path]


def test_f1_what_just_goes_on_costs_one_page_and_no_write(portal: Portal) -> None:
    rows = _many(portal, 8)
    before = len(portal.sandbox.requests)
    portal.clock.forward(5)
    assert portal.follow() == 8
    assert len(_asked(portal, after=before)) == 1
    for row in rows:
        assert portal.row(row).seen_at == row.seen_at


def _looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of which a row is read, from now on."""
    names: list[str] = []
    real = following._known

    def known(gateway: Gateway, some: list[str]) -> Any:
        names.extend(some)
        return real(gateway, some)

    monkeypatch.setattr(following, "_known", known)
    return names


def test_f1_what_says_the_same_is_not_read_again(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for the few that prove that Livy was not restarted, and those that are to be written."""
    rows = _many(portal, 20)
    portal.clock.forward(5)
    portal.follow()
    names = _looked_up(monkeypatch)
    witnesses = {witness["name"] for witness in Gateway.objects.get(pk=portal.gateway.pk).witnesses}
    portal.clock.forward(5)
    assert portal.follow() == 20
    assert set(names) == witnesses
    other = next(row for row in rows if row.batch_name not in witnesses)
    portal.sandbox.finish(other.batch_name, "success")
    portal.clock.forward(5)
    portal.follow()
    assert portal.row(other).terminal_word == "success"
    assert set(names) == witnesses | {other.batch_name}
    for _ in range(12):
        portal.clock.forward(5)
        portal.follow()
    assert {row.batch_name for row in rows} == set(names), "each row is compared within two minutes"


def test_f1_a_row_that_somebody_changed_is_compared_though_its_batch_says_the_same(portal: Portal) -> None:
    rows = _many(portal, 20)
    portal.clock.forward(5)
    portal.follow()
    changed = rows[0]
    Recovery.objects.filter(pk=changed.pk).update(state=State.STARTING, next_action_at=portal.clock())
    portal.clock.forward(5)
    portal.follow()
    assert portal.row(changed).state == State.RUNNING


def test_f3_each_row_of_a_list_is_written_within_two_minutes(portal: Portal) -> None:
    rows = _many(portal, 6)
    for _ in range(25):
        portal.clock.forward(5)
        portal.follow()
        for row in rows:
            seen = portal.row(row).seen_at
            assert seen is not None
            assert portal.clock() - seen <= timedelta(seconds=120)


def test_f1_the_list_is_read_at_the_pace_of_the_youngest(portal: Portal) -> None:
    rows = _many(portal, 6)
    young = _list_at(portal)
    assert young is not None
    assert 0 < young <= 5
    portal.clock.forward(700)
    portal.follow()
    old = _list_at(portal)
    assert old is not None
    assert 20 < old <= 30
    Recovery.objects.filter(pk=rows[0].pk).update(submitted_at=portal.clock())
    portal.clock.forward(30)
    portal.follow()
    assert _list_at(portal) == young


def test_f1_the_end_of_one_is_seen_at_the_next_list(portal: Portal) -> None:
    rows = _many(portal, 6)
    portal.sandbox.finish(rows[3].batch_name, "success")
    portal.clock.forward(5)
    portal.follow()
    assert portal.row(rows[3]).terminal_word == "success"
    assert portal.run(rows[3], seconds=30).state == State.SUCCEEDED


def test_f1_the_last_few_are_read_one_by_one_and_soon(portal: Portal) -> None:
    rows = _many(portal, 6)
    for row in rows[:4]:
        portal.sandbox.finish(row.batch_name, "success")
    for _ in range(4):
        portal.clock.forward(6)
        portal.follow()
    assert _list_at(portal) is None
    for row in rows[4:]:
        later = portal.row(row).next_action_at
        assert later is not None
        assert later - portal.clock() <= timedelta(seconds=settings.RECOVERY_PACING.poll_young)


def test_f1_a_few_due_among_many_are_read_singly(portal: Portal) -> None:
    rows = _many(portal, 8)
    before = len(portal.sandbox.requests)
    Gateway.objects.update(next_list_at=portal.clock() + timedelta(seconds=30))
    Recovery.objects.filter(pk=rows[0].pk).update(next_action_at=portal.clock())
    assert portal.follow() == 1
    assert [path.rsplit("/", 1)[-1] for path in _asked(portal, after=before)] == [rows[0].batch_name]


def test_c2_a_cancel_among_many_does_not_wait_for_the_list(portal: Portal) -> None:
    rows = _many(portal, 8)
    cancelling.request_cancel(recovery=rows[2], by=make_user(), now=portal.clock())
    portal.follow()
    assert portal.run(rows[2], seconds=120).state == State.CANCELLED
    assert portal.started(rows[2]) == 1


def test_f1_the_sweep_wakes_the_follower_for_the_list(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    _many(portal, 6)
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(sweeping, "send", lambda task, gateway_id: sent.append((task, gateway_id)))
    portal.sweep()
    assert (wake.FOLLOW, portal.gateway.pk) not in sent
    portal.clock.forward(5)
    portal.sweep()
    assert (wake.FOLLOW, portal.gateway.pk) in sent


@pytest.mark.parametrize("vanish", [1, 6])
def test_f6_what_is_missing_in_the_list_is_looked_up_by_name(portal: Portal, vanish: int) -> None:
    """A missing one proves nothing: it is asked for by its name, and only Livy's own 404 counts."""
    rows = _many(portal, 6)
    with open_client(portal.gateway) as client:
        for row in rows[:vanish]:
            client.delete(row.batch_name)  # somebody else does
    ended = portal.run(rows[0], seconds=300)
    assert (ended.state, ended.outcome) == (State.LOST, "gone")
    assert all(portal.row(row).state == State.RUNNING for row in rows[vanish:])


def _pages(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    asked: list[tuple[int, int]] = []
    real = KnoxLivyClient.list

    def listed(client: KnoxLivyClient, *, start: int = 0, size: int = 100, **more: Any) -> object:
        asked.append((start, size))
        return real(client, start=start, size=size, **more)

    monkeypatch.setattr(KnoxLivyClient, "list", listed)
    return asked


def test_pages_grow_while_they_come_quickly(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    _many(portal, 9)
    monkeypatch.setattr(listing, "FIRST", 1)
    asked = _pages(portal, monkeypatch)
    portal.clock.forward(5)
    assert portal.follow() == 9
    assert asked == [(0, 1), (1, 4), (5, 16)]


def test_pages_stay_small_while_they_come_slowly(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    _many(portal, 6)
    monkeypatch.setattr(listing, "FIRST", 3)
    monkeypatch.setattr(listing, "QUICK", 0.0)
    asked = _pages(portal, monkeypatch)
    portal.clock.forward(5)
    assert portal.follow() == 6
    assert asked == [(0, 3), (3, 3)]


def test_a_page_that_cannot_be_read_is_asked_for_in_smaller_ones(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    _many(portal, 12)
    portal.sandbox.add_fault(Fault(route="GET /batches", action="invalid_utf8", nth=1))
    asked = _pages(portal, monkeypatch)
    portal.clock.forward(5)
    assert portal.follow() == 12
    assert asked == [(0, 250), (0, 50)]


def test_a_list_that_can_never_be_read_leaves_single_reads(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = _many(portal, 6)
    portal.sandbox.add_fault(Fault(route="GET /batches", action="invalid_utf8"))
    asked = _pages(portal, monkeypatch)
    portal.sandbox.finish(rows[0].batch_name, "success")
    ended = portal.run(rows[0], seconds=180)
    assert ended.state == State.SUCCEEDED
    assert asked[:5] == [(0, 250), (0, 50), (0, 10), (10, 10), (20, 10)]


def test_the_budget_of_single_reads_is_kept_and_nobody_is_left_out(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = _many(portal, 9)
    portal.sandbox.add_fault(Fault(route="GET /batches", action="invalid_utf8"))
    monkeypatch.setattr(following, "SINGLES", 4)
    Recovery.objects.update(next_action_at=portal.clock())
    before = portal.clock()
    for _ in range(3):
        portal.clock.forward(5)
        assert portal.follow() == 4
    assert all(seen >= before for row in rows if (seen := portal.row(row).seen_at) is not None)


def test_f1_a_follower_that_lost_its_lease_writes_nothing_more(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = _many(portal, 6)
    portal.sandbox.finish(rows[0].batch_name, "success")
    portal.clock.forward(120)
    monkeypatch.setattr(leases, "renew", lambda *args, **kwargs: False)
    assert portal.follow() == 0
    assert [portal.row(row).seen_at for row in rows] == [row.seen_at for row in rows]


def test_f1_a_follower_that_loses_its_lease_in_a_page_stops_there(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = _many(portal, 6)
    for row in rows[:3]:
        portal.sandbox.finish(row.batch_name, "success")
    portal.clock.forward(5)
    renewed = chain([True, True], repeat(False))
    monkeypatch.setattr(leases.Renewal, "__call__", lambda *args, **kwargs: next(renewed))
    assert portal.follow() == 3 + 1
    assert [portal.row(row).terminal_word for row in rows[:3]] == ["success", "", ""]


def test_f4_what_was_said_already_is_not_worked_on_before_its_time(portal: Portal) -> None:
    rows = _many(portal, 6)
    portal.sandbox.finish(rows[0].batch_name, "success")
    portal.clock.forward(5)
    portal.follow()
    portal.clock.forward(2)
    Gateway.objects.update(next_list_at=portal.clock())
    assert portal.follow() == 5
    assert portal.row(rows[0]).state == State.RUNNING


def test_a_batch_that_spoils_its_page_is_left_out_and_read_by_name(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    _many(portal, 12)
    for name, value in (("FIRST", 4), ("LEAST", 2)):
        monkeypatch.setattr(listing, name, value)
    portal.sandbox.add_fault(Fault(route="GET /batches", action="invalid_utf8", nth=[2, 3, 4]))
    asked = _pages(portal, monkeypatch)
    portal.clock.forward(120)
    before = len(portal.sandbox.requests)
    assert portal.follow() == 12
    assert asked == [(0, 4), (4, 16), (4, 3), (4, 2), (6, 2), (8, 8)]
    names = [path for path in _asked(portal, after=before) if "portal-" in path]
    assert len(names) == 2


def test_f1_what_comes_due_just_before_the_list_waits_for_it(portal: Portal) -> None:
    rows = _many(portal, 6)
    portal.sandbox.finish(rows[0].batch_name, "success")
    portal.clock.forward(5)
    portal.follow()
    Recovery.objects.update(next_action_at=portal.clock())
    assert portal.follow() == 0
    portal.clock.forward(5)
    before = len(portal.sandbox.requests)
    assert portal.follow() == 6
    assert len(_asked(portal, after=before)) == 1
    assert portal.row(rows[0]).state == State.SUCCEEDED
