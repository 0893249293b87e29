"""Orders to die at a named point: obeyed once, by one, after the passes that go by before."""

from __future__ import annotations

from pathlib import Path

import pytest
from urllib3.connection import HTTPConnection

from chaos import points, weather
from chaos.points import KILL_WORKER, STOP, Orders
from recovery.gateway.livy import KnoxLivyClient
from recovery.models import Recovery
from recovery.services import attempts, events, phantoms, sweeping, transitions
from recovery.services.cancelling import request_cancel
from sandbox import Fault
from tests.services.conftest import ANSWER_LOST, Portal


def test_an_order_is_obeyed_once(tmp_path: Path) -> None:
    orders = Orders(tmp_path)
    orders.give(1, "claimed", KILL_WORKER, 0)
    assert orders.take("post_sent") is None
    assert orders.take("claimed") == (1, KILL_WORKER)
    assert orders.take("claimed") is None


def test_passes_go_by_before_it_is_obeyed(tmp_path: Path) -> None:
    orders = Orders(tmp_path)
    orders.give(1, "claimed", STOP, 2)
    assert [orders.take("claimed") for _ in range(4)] == [None, None, (1, STOP), None]


def test_what_nobody_obeyed_is_taken_back(tmp_path: Path) -> None:
    orders = Orders(tmp_path)
    orders.give(1, "claimed", STOP, 1)
    orders.give(2, "ended", STOP, 0)
    orders.take("ended")
    orders.write(point="ended", action=STOP, name="n")
    assert orders.recall() == ["0001.claimed.stop.1"]
    assert [(line["point"], line["name"]) for line in orders.obeyed()] == [("ended", "n")]


class Dead(BaseException):
    """Stands for SIGKILL."""


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Orders:
    """The points are in place, and taken out again after the test."""
    for owner, names in (
        (KnoxLivyClient, ("create", "delete")), (HTTPConnection, ("getresponse",)),
        (attempts.Attempt, ("last_act",)), (attempts, ("claim", "take_over")), (events, ("of_recovery",)),
        (phantoms, ("clean_up", "remove")), (transitions, ("advance",)), (sweeping, ("wake_gateways",)),
    ):  # fmt: skip
        for name in names:
            monkeypatch.setattr(owner, name, getattr(owner, name))  # so that it is put back

    def die(action: str) -> None:
        raise Dead

    given = Orders(tmp_path)
    points.install(given, act=die)
    return given


FAULTS = {
    "adopting": ANSWER_LOST,
    "refused": Fault(route="POST /batches", action="phantom", times=1),
    "phantom_proved": Fault(route="POST /batches", action="phantom", times=1),
}


def run_and_cancel(portal: Portal, row: Recovery) -> None:
    portal.run(row, seconds=10)
    request_cancel(recovery=portal.row(row), by=row.requester, now=portal.clock())
    portal.run(row, seconds=2000)


@pytest.mark.parametrize("point", weather.POINTS)
def test_a_worker_that_dies_at_a_point_costs_no_second_batch(portal: Portal, orders: Orders, point: str) -> None:
    """Each point is a place that the portal's code comes by; whoever dies there leaves a row that reaches its end."""
    if point in FAULTS:
        portal.sandbox.add_fault(FAULTS[point])
    row = portal.file("--sleep 3000" if point in {"deleting", "deleted"} else "--date 20240101")
    orders.give(1, point, KILL_WORKER, 0)
    with pytest.raises(Dead):
        run_and_cancel(portal, row)
    assert [line["point"] for line in orders.obeyed()] == [point]
    assert portal.run(row, seconds=4000).is_terminal
    assert portal.started(row) <= 1
