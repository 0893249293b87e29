"""kill -9 of the worker, and a broker that loses everything: one recovery is at most one batch, and it ends."""

from __future__ import annotations

import pytest

from sandbox import Fault
from tests.worker.conftest import Site

pytestmark = pytest.mark.slow


def test_killed_between_the_post_and_the_commit(site: Site) -> None:
    """The batch runs, nobody recorded it: the lease ends, the doubt is settled by name (A4, S1)."""
    site.sandbox.add_fault(Fault(route="POST /batches", action="delay", when="after", seconds=20, times=1))
    worker = site.worker()
    pk, name = site.file("--date 20240101 --table splio.active")
    site.until(lambda: len(site.sandbox.ledger.started(name)) == 1)
    site.kill(worker)
    assert site.read(pk)["state"] == "submitting"
    site.worker()
    site.beat()
    row = site.ended(pk)
    assert row["state"] == "succeeded"
    assert row["may_have_started"] is True
    assert "worker_lost" in row["kinds"]
    assert "adopted" in row["kinds"]
    assert len(site.sandbox.ledger.started(name)) == 1


def test_killed_while_a_batch_runs_and_the_broker_forgets(site: Site) -> None:
    worker = site.worker()
    pk, name = site.file("--sleep 60")
    site.until(lambda: site.read(pk)["state"] in {"starting", "running"})
    site.kill(worker)
    site.forget_messages()
    site.sandbox.finish(name, "success")
    site.worker()
    site.beat()
    assert site.ended(pk)["state"] == "succeeded"
    assert len(site.sandbox.ledger.started(name)) == 1


def test_killed_between_the_refusal_and_the_clean_up(site: Site) -> None:
    """`cleanup_due` survives (S2)."""
    site.sandbox.add_fault(Fault(route="POST /batches", action="phantom", times=1))
    site.sandbox.add_fault(Fault(route="DELETE /batches/{x}", action="hang", when="before", seconds=30, times=1))
    worker = site.worker()
    pk, name = site.file("--date 20240101")
    site.until(lambda: any(r.method == "DELETE" for r in site.sandbox.requests) or site.read(pk)["state"] == "refused")
    site.kill(worker)
    assert site.read(pk)["state"] == "refused"
    site.worker()
    site.beat()
    site.until(lambda: site.sandbox.batch(name) is None)
    assert site.sandbox.ledger.started(name) == []
