"""A cancel that was asked for is not a cancel that took place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings

from recovery.domain.states import State
from recovery.domain.verdicts import Outcome
from recovery.models import Gateway, Recovery
from recovery.services import cancelling
from recovery.services.gateways import open_client
from sandbox import Fault, Sandbox
from tests.factories import make_gateway, make_user
from tests.services.conftest import Meddling, Portal

CUT = Fault(route="DELETE /batches/{x}", action="drop", when="before")


def _at(other: Gateway, name: str) -> Callable[..., Any]:
    """The call `name` of a client, made to another Livy."""

    def call(_own: object, *args: Any, **options: Any) -> Any:
        with open_client(other) as client:
            return getattr(client, name)(*args, **options)

    return call


def test_s4_the_404_of_another_livy_is_no_proof_of_a_cancel(portal: Portal) -> None:
    """The DELETE never arrived. The next look reaches another Livy, which has kept all that it ever knew."""
    Gateway.objects.filter(pk=portal.gateway.pk).update(single_livy=False)
    row = portal.running()
    with Sandbox(post_cost=0.0, speed=50.0, retain=100_000) as box:
        other = make_gateway(base_url=box.url, user="svc_portal", secret_ref="env:SANDBOX_PASSWORD")
        there = Meddling(get=_at(other, "get"), list=_at(other, "list"), create=_at(other, "create"))
        portal.file("--sleep 100000")
        portal.submit(there)
        portal.clock.forward(30)
        portal.follow(there)  # sees the other one, which will be a witness
        portal.clock.forward(30)
        portal.sandbox.add_fault(CUT)
        cancelling.request_cancel(recovery=portal.row(row), by=make_user(), now=portal.clock())
        portal.follow()
        assert portal.row(row).delete_sent_at is not None
        for _ in range(20):
            portal.clock.forward(10)
            portal.follow(there)
    assert portal.row(row).state == State.LOST
    assert portal.sandbox.ledger.alive(row.batch_name)


def test_c2_a_404_after_the_retention_is_no_proof_of_a_cancel(portal: Portal) -> None:
    """The DELETE never arrived, nobody looked for longer than Livy remembers, and the job had ended by itself."""
    portal.running()  # a witness
    row = portal.running()
    portal.sandbox.add_fault(CUT)
    cancelling.request_cancel(recovery=portal.row(row), by=make_user(), now=portal.clock())
    portal.follow()
    assert portal.row(row).delete_sent_at is not None
    portal.sandbox.finish(row.batch_name)
    portal.clock.forward(portal.gateway.retention_seconds + 60)
    portal.sandbox.gc()
    row = portal.run(row, seconds=300, step=20)
    assert (row.state, row.outcome) == (State.LOST, Outcome.GONE)


def test_f2_nothing_is_deleted_while_its_application_is_not_known_to_be_ours(portal: Portal) -> None:
    """Livy has forgotten all, and a copied portal has just started our name anew, under our number: its application
    will tell it from ours, and is not shown yet."""
    row = portal.running()
    Recovery.objects.filter(pk=row.pk).update(app_id="application_1_0001")
    cancelling.request_cancel(recovery=portal.row(row), by=make_user(), now=portal.clock())
    portal.follow()
    row = portal.row(row)
    assert (row.state, row.delete_sent_at) == (State.RUNNING, None)
    assert not [request for request in portal.sandbox.requests if request.method == "DELETE"]
    assert row.next_action_at == portal.clock() + timedelta(seconds=settings.RECOVERY_PACING.cancel_retry)
