"""H5, rehearsed: a dump is taken while recoveries are in flight, things go on, the dump comes back."""

from __future__ import annotations

from time import sleep
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from django.db import connection

from recovery.domain.states import TERMINAL, State
from recovery.models import Instance, Recovery, RecoveryEvent
from recovery.services import attempts, instance, submission
from recovery.services.gateways import open_client
from tests.services.conftest import ANSWER_LOST, NEVER_ARRIVED, Portal

TABLES = [model for model in apps.get_app_config("recovery").get_models() if model._meta.managed]


def dump() -> str:
    """Every row of the portal, as a backup has it."""
    rows: list[Any] = []
    for model in TABLES:
        rows += model._base_manager.order_by("pk")
    return serializers.serialize("json", rows)


def restore(text: str) -> None:
    """The tables as they were then; what was written since is gone."""
    with connection.cursor() as cursor:
        for model in reversed(TABLES):
            for field in model._meta.local_many_to_many:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(field.m2m_db_table())}")
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")
    for row in serializers.deserialize("json", text):
        row.save()


def pass_of_workers(portal: Portal) -> None:
    portal.sweep()
    portal.submit()
    portal.settle()
    portal.follow()
    portal.clock.forward(5)
    sleep(0.02)  # the sandbox lives in real time


def all_end(portal: Portal, rows: list[Recovery], *, passes: int = 200) -> None:
    for _ in range(passes):
        if all(portal.row(row).state in TERMINAL for row in rows):
            return
        pass_of_workers(portal)
    raise AssertionError([portal.row(row).state for row in rows])


@pytest.mark.parametrize("livy_recovery", [False, True])
def test_h5_a_dump_from_the_middle_starts_nothing_twice(portal: Portal, livy_recovery: bool) -> None:
    portal.gateway.livy_recovery = livy_recovery
    portal.gateway.save(update_fields=["livy_recovery"])
    ended = portal.run(portal.file("--date 1"), seconds=200)
    running = portal.running("--sleep 100000")
    lost_answer = portal.doubt(ANSWER_LOST)
    never_arrived = portal.doubt(NEVER_ARRIVED)
    waiting = [portal.file(f"--date {day}") for day in range(2, 5)]
    sending = portal.file("--date 5")
    attempt = attempts.claim(sending.pk, source=State.QUEUED, now=portal.clock())
    assert attempt is not None
    rows = [running, lost_answer, never_arrived, sending, *waiting]
    before, events = dump(), RecoveryEvent.objects.count()  # the POST of `sending` is just going out
    with open_client(portal.gateway) as client:
        submission.post(attempt, portal.gateway, client, portal.clock)

    # the portal goes on after the backup: what waited is sent, what ran may end, and new ones are filed
    for _ in range(30):
        pass_of_workers(portal)
    assert all(portal.started(row) == 1 for row in [sending, *waiting])
    later = portal.file("--date 9")
    portal.submit()
    assert portal.started(later) == 1

    # the disk is lost; the backup comes back
    restore(before)
    assert RecoveryEvent.objects.count() == events
    assert not Recovery.objects.filter(pk=later.pk).exists()
    assert {portal.row(row).state for row in waiting} == {State.QUEUED}
    epoch = Instance.objects.get().epoch
    assert instance.adopt(how="restored", now=portal.clock()) == 3 + len(waiting)
    assert Instance.objects.get().epoch == epoch + 1
    for _ in range(5):
        pass_of_workers(portal)
    portal.sandbox.finish(running.batch_name)
    all_end(portal, rows)

    for row in [ended, *rows, later]:
        assert portal.started(row) <= 1, row.batch_name
    for row in rows:
        now = portal.row(row)
        assert now.state in (State.SUCCEEDED, State.LOST), (now.batch_name, now.state)
        if now.state == State.SUCCEEDED:
            assert portal.started(row) == 1
    assert portal.row(ended).state == State.SUCCEEDED
    assert portal.row(running).state == State.SUCCEEDED


def test_h5_what_livy_has_forgotten_since_the_backup_is_not_sent_again(portal: Portal) -> None:
    """It ran to its end after the backup was made; its name is free again."""
    row = portal.file("--date 1")
    before = dump()
    portal.run(row, seconds=200)
    assert portal.started(row) == 1
    portal.clock.forward(700)
    portal.sandbox.restart()
    restore(before)
    assert instance.adopt(how="restored", now=portal.clock()) == 1
    all_end(portal, [row])
    assert portal.row(row).state == State.LOST
    assert portal.started(row) == 1
