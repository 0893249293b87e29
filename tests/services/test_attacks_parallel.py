"""What several workers and people do at the very same moment, in threads with a connection each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import connections
from django.utils import timezone

from recovery.domain import logtail
from recovery.domain.errors import InvalidInput
from recovery.domain.gateways import Channel, Condition
from recovery.domain.states import State
from recovery.gateway.errors import NotSent
from recovery.gateway.wire import LogPage
from recovery.models import Gateway, Recovery, RecoveryEvent, RecoveryLog, SubjectType
from recovery.services import attempts, events, gateways, logs
from recovery.services.filing import Origin
from recovery.services.logs import Read
from recovery.services.resubmission import resubmit
from tests.factories import make_gateway, make_profile, make_recovery, make_user
from tests.services.conftest import Meddling

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")


def at_once(number: int, act: Callable[[int], T]) -> list[T]:
    """`act(0)` … `act(number - 1)`, each in its thread, begun together; raises what one of them raised."""
    start = threading.Barrier(number)

    def one(index: int) -> T:
        try:
            start.wait(30)
            return act(index)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def test_invariant_5_events_of_many_writers_have_no_gap_and_no_double() -> None:
    row = make_recovery()

    def write(_index: int) -> None:
        for _ in range(30):
            events.of_recovery(row.pk, "evidence")

    at_once(8, write)
    numbers = list(RecoveryEvent.objects.of(SubjectType.RECOVERY, row.pk).values_list("seq", flat=True))
    assert numbers == list(range(1, 242))  # `filed`, and 8 times 30


def test_p2_of_ten_claims_one_is_won() -> None:
    row = make_recovery()
    now = timezone.now()
    won = at_once(10, lambda _index: attempts.claim(row.pk, source=State.QUEUED, now=now))
    assert len([attempt for attempt in won if attempt]) == 1
    assert Recovery.objects.get(pk=row.pk).tries == 1


def test_h2_of_four_resubmissions_one_is_made_while_others_write_history() -> None:
    """The parent's events and those of its gateway are written meanwhile: other orders of locks would be a deadlock."""
    profile, origin = make_profile(), Origin(by=make_user(), channel=Channel.API)
    for _ in range(5):
        row = make_recovery(profile=profile, state=State.FAILED)

        def act(index: int, row: Recovery = row) -> str:
            if index % 2:
                for turn in range(10):
                    events.of_recovery(row.pk, "evidence")
                    ill = NotSent("away", condition=(Condition.DNS, Condition.TLS)[turn % 2])
                    gateway = Gateway.objects.get(pk=profile.gateway_id)
                    gateways.record_condition(gateway, ill, now=timezone.now())
                return "wrote"
            try:
                resubmit(recovery=row, origin=origin, reason="again", now=timezone.now())
            except InvalidInput as error:
                return error.problems[0].code
            return "made"

        assert sorted(at_once(8, act)) == ["live_child"] * 3 + ["made"] + ["wrote"] * 4
        assert row.resubmissions.count() == 1


def test_followers_that_all_find_no_kept_log_all_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow one whose lease ran out, and its successors: each has looked for a kept log before any has written one."""
    row = make_recovery(profile=make_profile(gateway=make_gateway(secret_ref="")))
    real, looked = logtail.merge, threading.Barrier(4)

    def merge(kept: Sequence[str], window: Sequence[str]) -> list[str]:
        looked.wait(30)
        return real(kept, window)

    def log(_log: object, _name: str, **_window: int) -> LogPage:
        return LogPage(id=0, total=2, lines=("stdout: ", "a line"))

    def read(_index: int) -> Read:
        with Meddling(log=log)(row.gateway) as client:
            return logs.read(row, client, now=timezone.now(), final=False)

    monkeypatch.setattr(logtail, "merge", merge)
    assert at_once(4, read) == [Read.KEPT] * 4
    assert RecoveryLog.objects.get(recovery=row).output == "a line"
