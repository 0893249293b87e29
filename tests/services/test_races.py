"""What changes between two looks, budgets of time, and the rarer turns of the rules."""

from __future__ import annotations

import json
from itertools import chain, count, repeat
from typing import Any

import pytest

from recovery.domain.states import State
from recovery.domain.verdicts import Outcome
from recovery.gateway.errors import Refused
from recovery.gateway.wire import LogPage
from recovery.models import Gateway, Recovery, RecoveryLog
from recovery.services import (
    attempts,
    cancelling,
    leases,
    listing,
    logs,
    observing,
    phantoms,
    reconciliation,
    stopping,
    submission,
    sweeping,
    witnesses,
)
from recovery.services.gateways import open_client
from recovery.services.logs import Read
from sandbox import Fault, Sandbox
from tests.factories import make_user
from tests.services.conftest import Meddling, Portal

LOST_BEFORE = Fault(route="POST /batches", action="drop", when="before", times=1)


def _not_found(row: Recovery, **fault: Any) -> Fault:
    words = f"Session '{row.batch_name}' not found."
    return Fault(route="GET /batches/{x}", action="status", code=404, body="json", message=words, **fault)


def test_on_yarn_the_application_id_and_the_links_are_kept(portal: Portal) -> None:
    with Sandbox(mode="yarn", speed=50.0, post_cost=0.0, retain=100_000) as yarn:
        Gateway.objects.filter(pk=portal.gateway.pk).update(base_url=yarn.url)
        row = portal.file("--sleep 100000")
        portal.submit()
        for _ in range(200):
            portal.run(row, seconds=6)
            seen = portal.row(row)
            if seen.driver_log_url and seen.started_at:  # the links come before it runs
                break
        yarn.finish(row.batch_name, "success")
        row = portal.run(row, seconds=400)
        assert row.state == State.SUCCEEDED
        assert row.app_id.startswith("application_")
        assert row.driver_log_url  # Livy takes it back at the end
        assert row.started_at is not None
        assert "running" in portal.kinds(row)
        assert RecoveryLog.objects.get(recovery=row).on_yarn is True


def test_f5_on_yarn_diagnostics_that_tell_of_a_failure(portal: Portal) -> None:
    with Sandbox(mode="yarn", speed=50.0, post_cost=0.0, retain=100_000) as yarn:
        Gateway.objects.filter(pk=portal.gateway.pk).update(base_url=yarn.url)
        row = portal.run(portal.file("--throw"), seconds=400)
        assert row.state == State.FAILED
        assert "IllegalStateException" in RecoveryLog.objects.get(recovery=row).diagnostics


def test_a_submitter_hands_on_when_its_time_is_over(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [portal.file(), portal.file()]
    woken: list[tuple[str, int]] = []
    monkeypatch.setattr(submission, "send", lambda task, pk: woken.append((task, pk)))
    ticks = chain([0.0, 1.0], repeat(1000.0))
    monkeypatch.setattr(submission, "monotonic", lambda: next(ticks))
    assert portal.submit() == 1
    assert woken == [("recovery.submit", portal.gateway.pk)]
    assert [portal.row(row).state == State.QUEUED for row in rows] == [False, True]


def test_a_submitter_that_lost_its_lease_stops(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    portal.file()
    monkeypatch.setattr(leases, "renew", lambda *args, **kwargs: False)
    assert portal.submit() == 0


def test_a_settler_that_lost_its_lease_stops(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    portal.sandbox.add_fault(LOST_BEFORE)
    row = portal.file()
    portal.submit()
    portal.clock.forward(3)
    monkeypatch.setattr(leases, "renew", lambda *args, **kwargs: False)
    assert portal.settle() == 0
    assert portal.row(row).looks == 0


def test_a_row_that_another_worker_claimed_is_left_alone(portal: Portal) -> None:
    row = portal.file()
    assert attempts.claim(row.pk, source=State.QUEUED, now=portal.clock())
    with open_client(portal.gateway) as client:
        assert not submission.submit_one(recovery_id=row.pk, gateway=portal.gateway, client=client, clock=portal.clock)


def test_p3_a_look_that_is_forbidden_is_no_404(portal: Portal) -> None:
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}", action="status", code=403, body="empty"))
    row = portal.file()
    portal.submit()
    assert portal.row(row).state == State.QUEUED
    assert Gateway.objects.get(pk=portal.gateway.pk).condition == "forbidden"
    assert not portal.posts()


def test_after_a_cleared_doubt_what_is_found_is_ours(portal: Portal) -> None:
    """`may_have_started` is never cleared: a batch of our name is adopted, an empty registration is a doubt again."""
    for shape in ("real", "phantom"):
        row = portal.file("--sleep 100000")
        Recovery.objects.filter(pk=row.pk).update(may_have_started=True, doubt_try=1, cleared_try=1, tries=1)
        with open_client(portal.gateway) as client:
            if shape == "phantom":
                portal.sandbox.add_fault(Fault(route="POST /batches", action="phantom", times=1))
                with pytest.raises(Refused):
                    client.create(row.sent_payload, name=row.batch_name, deadline=5)
            else:
                client.create(row.sent_payload, name=row.batch_name, deadline=5)
        portal.submit()
        assert portal.row(row).state == (State.UNCONFIRMED if shape == "phantom" else State.RUNNING)


def test_s3_somebody_elses_claim_between_the_look_and_ours(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    Gateway.objects.filter(pk=portal.gateway.pk).update(livy_recovery=True)
    portal.sandbox.add_fault(LOST_BEFORE)
    row = portal.file()
    portal.submit()
    portal.clock.forward(181)
    monkeypatch.setattr(attempts, "claim", lambda *args, **kwargs: None)
    portal.settle()
    assert portal.row(row).state == State.UNCONFIRMED
    assert len(portal.posts()) == 1


def test_s2_a_phantom_that_changes_before_the_probe_is_looked_at_anew(portal: Portal) -> None:
    portal.sandbox.add_fault(LOST_BEFORE)
    row = portal.file()
    portal.submit()
    portal.sandbox.add_fault(Fault(route="POST /batches", action="phantom", times=1))
    with open_client(portal.gateway) as client:
        with pytest.raises(Refused):
            client.create(row.sent_payload, name=row.batch_name, deadline=5)
        portal.clock.forward(5)
        portal.settle()
        portal.clock.forward(121)
        portal.sandbox.add_fault(_not_found(row, nth=2))  # the look before the probe
        posts = len(portal.posts())
        portal.settle()
        row = portal.row(row)
        assert (row.state, len(portal.posts())) == (State.UNCONFIRMED, posts)


def test_s2_a_phantom_that_is_gone_when_its_log_is_read(portal: Portal) -> None:
    row = portal.file()
    with open_client(portal.gateway) as client:
        assert reconciliation._log_is_empty(client, row.batch_name) is False


def test_s2_a_batch_that_starts_while_it_is_to_be_removed_stays(portal: Portal) -> None:
    """Between the reading of the phantom and its removal it turned out to be real."""
    row = portal.running()
    with open_client(portal.gateway) as client:
        batch = client.get(row.batch_name)
        assert phantoms.is_still(row, batch, client) is False
    assert portal.sandbox.batch(row.batch_name) is not None


def test_s2_a_delete_that_lies_is_no_removal(portal: Portal) -> None:
    row = portal.file()
    portal.sandbox.add_fault(Fault(route="POST /batches", action="phantom", times=1))
    portal.sandbox.add_fault(
        Fault(route="DELETE /batches/{x}", action="status", code=200, body="json", message="deleted")
    )
    portal.submit()
    assert portal.row(row).cleanup_due is True


def test_s2_a_phantom_that_somebody_else_removed(portal: Portal) -> None:
    row = portal.file()
    portal.sandbox.add_fault(Fault(route="POST /batches", action="status", code=413, body="html"))
    portal.submit()
    row = portal.row(row)
    assert (row.state, row.cleanup_due) == (State.REFUSED, False)
    with open_client(portal.gateway) as client:  # and once more: nothing is due
        phantoms.clean_up(recovery_id=row.pk, gateway=portal.gateway, client=client, clock=portal.clock)


def test_a6_the_late_batch_is_deleted_only_under_its_number(portal: Portal) -> None:
    row = portal.running()
    with open_client(portal.gateway) as client:
        assert not phantoms.delete_identified(row.pk, client, name=row.batch_name, batch_id=99)
        portal.sandbox.add_fault(Fault(route="DELETE /batches/{x}", action="knox_500", when="before", times=1))
        assert not phantoms.delete_identified(row.pk, client, name=row.batch_name, batch_id=0)
        assert portal.kinds(row)[-1] == "delete_failed"
        assert phantoms.delete_identified(row.pk, client, name=row.batch_name, batch_id=0)


def test_a6_a_late_201_while_another_try_is_under_way_is_left_to_it(portal: Portal) -> None:
    row = portal.file("--sleep 100000")
    first = attempts.claim(row.pk, source=State.QUEUED, now=portal.clock())
    assert first is not None
    first.last_act(portal.clock)
    portal.clock.forward(80)
    portal.sweep()
    portal.clock.forward(3)
    assert attempts.claim(row.pk, source=State.UNCONFIRMED, now=portal.clock())
    with open_client(portal.gateway) as client:
        batch = client.create(row.sent_payload, name=row.batch_name, deadline=5)
        submission._late(first, batch, client, portal.clock)
    assert portal.kinds(row)[-1] == "late_answer"
    assert portal.sandbox.batch(row.batch_name) is not None


def test_a_log_that_cannot_be_read_now_is_read_later(portal: Portal) -> None:
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}/log", action="knox_500", when="before", times=1))
    row = portal.running()
    assert not RecoveryLog.objects.filter(recovery=row).exists()
    page = LogPage(id=0, total=2, lines=("stdout: ", "a line"))
    with Meddling(log=lambda _log, _name: page)(portal.gateway) as client:
        assert logs.read(row, client, now=portal.clock(), final=False) is Read.KEPT
        first = RecoveryLog.objects.get(recovery=row).read_at
        portal.clock.forward(5)
        assert logs.read(row, client, now=portal.clock(), final=False) is Read.KEPT
    assert RecoveryLog.objects.get(recovery=row).read_at == first  # unchanged: nothing is written


def test_c2_a_row_that_ended_meanwhile_is_not_stopped(portal: Portal) -> None:
    row = portal.running()
    cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    asked = portal.row(row)
    observing.end(asked, state=State.FAILED, outcome=Outcome.JOB_FAILED, now=portal.clock())
    with open_client(portal.gateway) as client:
        stopping.stop(recovery=asked, client=client, clock=portal.clock)
    assert not [r for r in portal.sandbox.requests if r.method == "DELETE"]


def test_a_list_that_takes_too_long_is_completed_by_names(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        portal.file("--sleep 100000")
    portal.submit()
    portal.clock.forward(6)
    ticks = count(0, 1000)
    monkeypatch.setattr(listing, "monotonic", lambda: next(ticks))
    assert portal.follow() == 6


def test_witnesses_of_a_long_list_are_its_newest(portal: Portal) -> None:
    with open_client(portal.gateway) as client:
        for number in range(60):
            body = json.dumps({"file": "hdfs:///x.jar", "name": f"w-{number}"})
            client.create(body, name=f"w-{number}", deadline=5)
        witnesses.refresh(portal.gateway, client, clock=portal.clock)
        assert {w["name"] for w in portal.gateway.witnesses} <= {f"w-{n}" for n in range(10, 60)}
        before = len(portal.sandbox.requests)
        witnesses.refresh(portal.gateway, client, clock=portal.clock)  # fresh enough
        assert len(portal.sandbox.requests) == before


def test_a_witness_that_ended_and_was_collected_proves_nothing(portal: Portal) -> None:
    portal.gateway.witnesses = [
        {
            "name": "gone",
            "id": 3,
            "app": None,
            "since": "2020-01-01T00:00:00+00:00",
            "seen": "2020-01-01T00:00:00+00:00",
        },
        {
            "name": "ours",
            "id": 4,
            "app": None,
            "since": "2020-01-01T00:00:00+00:00",
            "seen": "2020-01-01T00:00:00+00:00",
        },
    ]
    with open_client(portal.gateway) as client:
        assert not witnesses.still_there(portal.gateway, client, before=portal.clock(), but="ours")


def test_a_witness_under_another_number_proves_nothing(portal: Portal) -> None:
    row = portal.running()
    old = "2020-01-01T00:00:00+00:00"
    portal.gateway.witnesses = [{"name": row.batch_name, "id": 77, "app": None, "since": old, "seen": old}]
    with open_client(portal.gateway) as client:
        assert not witnesses.still_there(portal.gateway, client, before=portal.clock(), but="")


def test_rows_that_are_being_submitted_wake_nobody(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(sweeping, "send", lambda task, pk: sent.append(task))
    row = portal.file()
    assert attempts.claim(row.pk, source=State.QUEUED, now=portal.clock())
    Recovery.objects.filter(pk=row.pk).update(next_action_at=portal.clock())
    portal.sweep()
    assert sent == []
