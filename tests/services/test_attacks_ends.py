"""Interleavings and answers that would give a recovery an end that it did not have."""

from __future__ import annotations

import json
from time import sleep
from typing import Any

import pytest

from recovery.domain import verdicts
from recovery.domain.redaction import MASK, redact
from recovery.domain.states import State
from recovery.domain.verdicts import Outcome
from recovery.gateway import wire
from recovery.gateway.errors import NotSent
from recovery.gateway.transport import Answer
from recovery.gateway.wire import BatchPage, LogPage
from recovery.models import Gateway, Recovery, RecoveryLog
from recovery.services import cancelling, log_reading
from sandbox import Fault, Sandbox
from tests.factories import make_user
from tests.services.conftest import ANSWER_LOST, Meddling, Portal


@pytest.mark.parametrize(
    "fault",
    [
        Fault(route="DELETE /batches/{x}", action="knox_500", when="before", times=1),
        Fault(route="DELETE /batches/{x}", action="status", code=403, body="empty"),
    ],
    ids=["no answer", "forbidden"],
)
def test_c2_a_404_of_a_restarted_livy_is_no_cancel(portal: Portal, fault: Fault) -> None:
    """The DELETE did nothing; then Livy is restarted and forgets the batch, which lives on."""
    row = portal.running()
    cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    portal.sandbox.add_fault(fault)
    portal.clock.forward(5)
    portal.follow()
    portal.sandbox.restart()
    row = portal.run(row, seconds=300)
    assert (row.state, row.outcome) == (State.LOST, Outcome.GONE)
    assert portal.sandbox.ledger.alive(row.batch_name)


def test_c4_a_doubt_that_livy_forgot_is_not_cancelled(portal: Portal) -> None:
    row = portal.doubt(ANSWER_LOST, "--sleep 100000")
    portal.sandbox.restart()
    cancelling.request_cancel(recovery=row, by=make_user(), now=portal.clock())
    row = portal.run(row, seconds=600)
    assert (row.state, row.outcome) == (State.LOST, Outcome.DOUBT_UNSETTLED)
    assert portal.sandbox.ledger.alive(row.batch_name)


def test_c2_the_state_is_read_just_before_the_delete(portal: Portal) -> None:
    """It ends between the page of the list and the DELETE: a success, not a cancel."""
    rows = [portal.file("--sleep 100000") for _ in range(6)]
    portal.submit()
    portal.clock.forward(6)
    portal.follow()
    victim = portal.row(rows[-1])
    cancelling.request_cancel(recovery=victim, by=make_user(), now=portal.clock())
    portal.clock.forward(20)

    def pages(real: Any, **window: int) -> BatchPage:
        page: BatchPage = real(**window)
        portal.sandbox.finish(victim.batch_name, "success")
        return page

    for _ in range(6):
        portal.follow(Meddling(list=pages))
        portal.clock.forward(10)
    assert portal.row(victim).state == State.SUCCEEDED
    assert not [r for r in portal.sandbox.requests if r.method == "DELETE"]


@pytest.mark.parametrize(
    "told",
    [
        "Call From livy1/10.0.0.5 to rm1:8032 failed on connection exception: java.net.ConnectException: "
        "Connection refused; For more details see:  http://wiki.apache.org/hadoop/ConnectionRefused",
        "Failed on local exception: java.io.IOException: Connection reset by peer; Host Details : local host is: "
        '"livy1"; destination host is: "rm1":8032;',
        "Call From livy1 to rm1:8032 failed on socket timeout exception: java.net.SocketTimeoutException: "
        "60000 millis timeout while waiting for channel to be ready for read.",
    ],
    ids=["refused", "reset", "timeout"],
)
def test_f5_livys_own_trouble_in_asking_yarn_is_no_failure(told: str) -> None:
    log = ["stdout: ", "\nstderr: ", "\nYARN Diagnostics: ", told]
    assert verdicts.of_dead(log, app_known=True).state is State.LOST


def test_f5_dead_because_polling_failed_is_lost(portal: Portal) -> None:
    with Sandbox(mode="yarn", speed=50.0, post_cost=0.0, retain=100_000) as yarn:
        row = _on_yarn(portal, yarn)
        yarn.add_fault(Fault(route="GET /batches/{x}", action="dead_but_alive", variant="polling"))
        row = portal.run(row, seconds=120)
        assert (row.state, row.outcome) == (State.LOST, Outcome.LIVY_LOST_SIGHT)
        assert yarn.ledger.alive(row.batch_name)


def test_f5_a_log_from_before_the_end_proves_no_failure(portal: Portal) -> None:
    """The kept log tells of a connection that was tried again; that of the end cannot be read."""
    with Sandbox(mode="yarn", speed=50.0, post_cost=0.0, retain=100_000) as yarn:
        row = _on_yarn(portal, yarn)
        portal.clock.forward(6)
        portal.follow()
        kept = RecoveryLog.objects.get(recovery=row)
        kept.output += "\nWARN Client: Exception encountered while connecting to the server, retrying"
        kept.save()
        yarn.add_fault(Fault(route="GET /batches/{x}/log", action="knox_500", when="before"))
        yarn.add_fault(Fault(route="GET /batches/{x}", action="dead_but_alive", variant="no_application"))
        row = portal.run(row, seconds=120)
        assert row.state == State.LOST
        assert yarn.ledger.alive(row.batch_name)


def test_f5_the_verdict_waits_for_the_log_of_the_end(portal: Portal) -> None:
    """It cannot be read at first; without it a failure could not be told from an application that goes on."""
    row = portal.running()
    portal.sandbox.finish(row.batch_name, "dead")
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}/log", action="knox_500", when="before", times=3))
    row = portal.run(row, seconds=60)
    assert (row.state, row.outcome) == (State.FAILED, Outcome.JOB_FAILED)


def _on_yarn(portal: Portal, yarn: Sandbox) -> Recovery:
    Gateway.objects.filter(pk=portal.gateway.pk).update(base_url=yarn.url)
    row = portal.file("--sleep 100000")
    portal.submit()
    sleep(0.5)  # by then it runs there
    return row


@pytest.mark.parametrize("body", [b'{"code":404,"msg":"Not Found"}', b'"404 page not found"', b'{"msg":"No API"}'])
def test_f6_only_livys_own_404_says_that_there_is_no_batch(body: bytes) -> None:
    with pytest.raises(NotSent):
        wire.read_value(Answer(status=404, content_type="application/json", body=body))


def test_a_log_is_no_longer_withheld_once_it_is_shown(portal: Portal) -> None:
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}/log", action="status", code=403, body="empty", times=1))
    row = portal.running("--sleep 300 --fail")
    assert RecoveryLog.objects.get(recovery=row).withheld
    portal.clock.forward(60)
    row = portal.run(row, seconds=900, step=20)
    assert not RecoveryLog.objects.get(recovery=row).withheld


def test_f6_the_same_evidence_is_written_once(portal: Portal) -> None:
    """A lost one whose batch runs on is looked up every two minutes, for weeks."""
    Gateway.objects.filter(pk=portal.gateway.pk).update(retention_seconds=14 * 86400)
    row = portal.doubt(ANSWER_LOST, "--sleep 100000")
    now = portal.clock()
    Recovery.objects.filter(pk=row.pk).update(state=State.LOST, finished_at=now, next_action_at=now)
    for _ in range(50):
        portal.clock.forward(121)
        portal.sweep()
    assert portal.kinds(row).count("evidence") == 1


def test_f5_dead_without_a_line_of_log_is_no_failure(portal: Portal) -> None:
    """Livy shows not even the markers that every log of a started batch has: nothing says that a job failed."""

    def log(_log: object, _name: str, **window: int) -> LogPage:
        return LogPage(id=0, total=0, lines=())

    silent = Meddling(log=log)
    row = portal.file("--sleep 100000")
    portal.submit(silent)
    portal.sandbox.finish(row.batch_name, "dead")
    for _ in range(20):
        portal.clock.forward(6)
        portal.follow(silent)
        log_reading.read_due(gateway_id=portal.gateway.pk, clock=portal.clock, client_for=silent)
    row = portal.row(row)
    assert (row.state, row.outcome) == (State.LOST, Outcome.DEAD_UNEXPLAINED)


def test_a_log_with_what_no_database_takes_is_kept(portal: Portal) -> None:
    """NUL and half a surrogate pair, both legal in JSON, in a line of the log."""
    row, other = portal.running(), portal.running()
    text = r'{"id":0,"from":0,"total":2,"log":["stdout: ","a\ud800b\u0000c"]}'

    def log(_log: object, _name: str, **window: int) -> LogPage:
        return wire.log_of(json.loads(text))

    portal.clock.forward(30)
    assert portal.follow(Meddling(log=log)) == 2
    for one in (row, other):
        assert "a?b\N{SYMBOL FOR NULL}c" in RecoveryLog.objects.get(recovery=one).output
        assert portal.row(one).seen_at == portal.clock()


def test_words_with_what_no_database_takes_are_kept(portal: Portal) -> None:
    """They come from a gateway that cannot be used, and from a refusal."""
    portal.sandbox.add_fault(
        Fault(route="GET /version", action="status", code=500, body="json", message="bin\0ary", times=1)
    )
    row = portal.file()
    portal.submit()
    gateway = Gateway.objects.get(pk=portal.gateway.pk)
    assert (gateway.condition, gateway.condition_words) == ("server_error", "bin\N{SYMBOL FOR NULL}ary")
    portal.sandbox.add_fault(
        Fault(route="POST /batches", action="status", code=400, body="json", message="bin\0ary", times=1)
    )
    row = portal.run(row, seconds=60)
    assert (row.state, row.outcome_words) == (State.REFUSED, "bin\N{SYMBOL FOR NULL}ary")
    half = Answer(status=400, content_type="application/json", body=rb'{"msg":"half \ud800 a pair"}')
    assert wire.words_of(half) == "half ? a pair"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("unit", ["a-", 'secret="', "a+", "token", "://a:", "basic ", "secret=", "api_key ", "x" * 9])
def test_redaction_of_a_hostile_text_ends(unit: str) -> None:
    """With repetitions that were not bounded one such line took minutes; the values behind it are masked all the
    same."""
    hostile = (unit * 200_000)[:200_000]
    cleaned = redact(hostile + "\npassword=hunter2 https://svc:hunter2@knox/")
    assert cleaned.endswith(f"\npassword={MASK} https://svc:{MASK}@knox/")
    assert len(cleaned) <= 2 * len(hostile)
