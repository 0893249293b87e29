"""H1: settling by a link to a batch, which is shown first and looked at once more on the yes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from time import sleep

import pytest

from recovery.domain.errors import InvalidInput
from recovery.domain.states import FOLLOWED, Settlement, State
from recovery.domain.verdicts import Outcome
from recovery.models import Gateway, Recovery, RecoveryEvent, SubjectType
from recovery.services import attempts, linking, settling
from recovery.services.gateways import open_client
from recovery.services.linking import Link, Shown, Source
from sandbox import Fault, Sandbox
from tests.factories import make_user
from tests.services.conftest import Meddling, Portal


def lost(portal: Portal) -> Recovery:
    row = portal.running()
    assert attempts.lose(row.pk, sources=set(FOLLOWED), outcome=Outcome.GONE, now=portal.clock())
    return portal.row(row)


def somebodys(portal: Portal, name: str | None = "by-hand") -> int:
    """The number of a batch that somebody else has started."""
    body: dict[str, object] = {"file": "hdfs:///a.jar", "args": ["--sleep", "100000"]}
    if name:
        body["name"] = name
    with open_client(portal.gateway) as client:
        return client.create(json.dumps(body), name=name, deadline=5).id


def shown(link: Link) -> Shown:
    return Shown(name=link.name, batch_id=link.batch_id, app_id=link.app_id)


def confirm(portal: Portal, row: Recovery, wanted: str, seen: Shown) -> bool:
    return linking.link(
        recovery=row, wanted=wanted, shown=seen, reason="started by hand", by=make_user(), now=portal.clock()
    )


def codes(error: InvalidInput) -> set[str]:
    return {problem.code for problem in error.problems}


@pytest.mark.parametrize("by_name", [True, False])
def test_h1_a_batch_is_shown_and_then_linked(portal: Portal, by_name: bool) -> None:
    row = lost(portal)
    number = somebodys(portal)
    wanted = "by-hand" if by_name else f" {number} "
    seen = linking.find(recovery=row, wanted=wanted)
    assert (seen.source, seen.name, seen.batch_id) == (Source.LIVY, "by-hand", number)
    assert seen.state in ("starting", "running")
    assert portal.row(row).settled_as == ""  # looking changes nothing
    assert confirm(portal, row, wanted, shown(seen))
    row = portal.row(row)
    assert (row.state, row.settled_as, row.settled_reason) == (State.LOST, Settlement.LINKED, "started by hand")
    assert (row.linked_batch_id, row.linked_batch_name) == (number, "by-hand")
    event = RecoveryEvent.objects.of(SubjectType.RECOVERY, row.pk).get(kind="settled")
    assert (event.cause, event.facts["batch"], event.facts["name"]) == ("linked", number, "by-hand")
    assert (event.actor, row.settled_at) == (row.settled_by, portal.clock())
    assert not confirm(portal, row, wanted, shown(seen))  # once


def test_h1_the_recoverys_own_batch_may_be_linked(portal: Portal) -> None:
    row = lost(portal)
    seen = linking.find(recovery=row, wanted="0")
    assert seen.name == row.batch_name
    assert confirm(portal, row, "0", shown(seen))


def test_h1_a_batch_without_a_name_is_linked_by_its_number(portal: Portal) -> None:
    row = lost(portal)
    number = somebodys(portal, name=None)
    seen = linking.find(recovery=row, wanted=str(number))
    assert seen.name == ""
    assert confirm(portal, row, str(number), shown(seen))
    assert portal.row(row).linked_batch_name == ""


def test_h1_another_recoverys_batch_is_refused(portal: Portal) -> None:
    row, other = lost(portal), portal.running()
    for wanted in (other.batch_name, str(other.livy_id)):
        with pytest.raises(InvalidInput) as error:
            linking.find(recovery=row, wanted=wanted)
        assert codes(error.value) == {"link_of_other"}
        assert error.value.problems[0].params["recovery"] == other.pk


@pytest.mark.parametrize("wanted", ["nobody", "77", "99999999999", "..", "", "x" * 301])
def test_h1_what_livy_does_not_know_is_not_linked(portal: Portal, wanted: str) -> None:
    with pytest.raises(InvalidInput) as error:
        linking.find(recovery=lost(portal), wanted=wanted)
    assert codes(error.value) == {"link_unknown"}


def test_h1_a_number_that_stands_for_another_batch_by_now_is_not_linked(portal: Portal) -> None:
    """Livy restarts between the look and the yes: the number is somebody else's."""
    row = lost(portal)
    number = somebodys(portal)
    seen = linking.find(recovery=row, wanted=str(number))
    portal.sandbox.restart()
    for name in ("other-0", "other-1"):
        somebodys(portal, name)
    with pytest.raises(InvalidInput) as error:
        confirm(portal, row, str(number), shown(seen))
    assert codes(error.value) == {"link_changed"}
    assert portal.row(row).settled_as == ""


def test_h1_another_application_under_the_same_name_is_not_linked() -> None:
    link = Link(source=Source.LIVY, name="a", batch_id=0, app_id="application_1_2", state="running", owner="")
    assert link.is_same(Shown(name="a", batch_id=0))
    assert link.is_same(Shown(name="a", batch_id=0, app_id="application_1_2"))
    assert not link.is_same(Shown(name="a", batch_id=0, app_id="application_1_1"))
    assert not link.is_same(Shown(name="a", batch_id=1))
    assert not link.is_same(Shown(name="b", batch_id=0))


def test_h1_a_gateway_that_gives_no_answer_links_nothing(portal: Portal) -> None:
    row = lost(portal)
    portal.sandbox.livy_down()
    with pytest.raises(InvalidInput) as error:
        linking.find(recovery=row, wanted="1")
    assert codes(error.value) == {"gateway_unusable"}
    portal.sandbox.livy_up()
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}", action="status", code=403, body="empty"))
    with pytest.raises(InvalidInput) as error:
        linking.find(recovery=row, wanted="1")
    assert codes(error.value) == {"gateway_unusable"}


def test_h1_what_is_known_is_not_linked(portal: Portal) -> None:
    row = portal.running()
    somebodys(portal)
    seen = linking.find(recovery=row, wanted="by-hand")
    assert not confirm(portal, row, "by-hand", shown(seen))
    assert portal.row(row).linked_batch_id is None


def test_h1_two_links_at_once_write_one_decision(portal: Portal) -> None:
    row = lost(portal)
    somebodys(portal)
    seen = linking.find(recovery=row, wanted="by-hand")

    def meanwhile(get: object, name: str) -> object:
        assert settling.settle(
            recovery=row, settled_as=Settlement.FAILED, reason="no", by=make_user(), now=portal.clock()
        )
        return get(name)  # type: ignore[operator]

    assert not linking.link(
        recovery=row, wanted="by-hand", shown=shown(seen), reason="yes", by=make_user(), now=portal.clock(),
        client_for=Meddling(get=meanwhile),
    )  # fmt: skip
    assert portal.row(row).settled_as == Settlement.FAILED
    assert portal.kinds(row).count("settled") == 1


def test_h1_a_link_needs_a_batch_that_was_looked_up(portal: Portal) -> None:
    row = lost(portal)
    for word, linked in ((Settlement.LINKED, None), (Settlement.FAILED, {"linked_batch_id": 1})):
        with pytest.raises(ValueError, match="looked up"):
            settling.settle(
                recovery=row, settled_as=word, reason="x", by=make_user(), now=portal.clock(), linked=linked
            )


def test_h1_without_yarn_no_application_is_linked(portal: Portal) -> None:
    with pytest.raises(InvalidInput) as error:
        linking.find(recovery=lost(portal), wanted="application_1_0001")
    assert codes(error.value) == {"link_no_yarn"}


class TestInYarn:
    """What Livy has forgotten."""

    @pytest.fixture
    def sandbox(self) -> Iterator[Sandbox]:
        with Sandbox(mode="yarn", post_cost=0.0, speed=50.0, retain=100_000) as box:
            yield box

    @pytest.fixture
    def portal(self, portal: Portal) -> Portal:
        Gateway.objects.filter(pk=portal.gateway.pk).update(yarn_path="resourcemanager/v1/cluster")
        return portal

    def application(self, portal: Portal, name: str) -> str:
        for _ in range(200):
            if app := (portal.sandbox.batch(name) or {}).get("appId"):
                return str(app)
            sleep(0.02)
        raise AssertionError("no application")

    def test_h1_a_forgotten_batch_is_linked_by_its_application(self, portal: Portal) -> None:
        row = lost(portal)
        somebodys(portal)
        app = self.application(portal, "by-hand")
        portal.sandbox.restart()
        seen = linking.find(recovery=row, wanted=app)
        assert (seen.source, seen.name, seen.batch_id, seen.state) == (Source.YARN, "by-hand", None, "UNDEFINED")
        assert confirm(portal, row, app, shown(seen))
        row = portal.row(row)
        assert (row.linked_app_id, row.linked_batch_name, row.linked_batch_id) == (app, "by-hand", None)
        event = RecoveryEvent.objects.of(SubjectType.RECOVERY, row.pk).get(kind="settled")
        assert (event.facts["app"], event.facts["final_status"]) == (app, "UNDEFINED")
        with pytest.raises(InvalidInput) as error:  # one application stands for one recovery
            linking.find(recovery=lost(portal), wanted=app)
        assert codes(error.value) == {"link_of_other"}

    def test_h1_another_recoverys_application_is_refused(self, portal: Portal) -> None:
        """By its tag, whatever name the job has given itself, and though the portal never read its id."""
        other = portal.file("--sleep 100000")
        portal.submit()
        app = self.application(portal, other.batch_name)
        Recovery.objects.filter(pk=other.pk).update(app_id="")
        with pytest.raises(InvalidInput) as error:
            linking.find(recovery=lost(portal), wanted=app)
        assert codes(error.value) == {"link_of_other"}

    def test_h1_an_application_that_yarn_does_not_know(self, portal: Portal) -> None:
        with pytest.raises(InvalidInput) as error:
            linking.find(recovery=lost(portal), wanted="application_1_0001")
        assert codes(error.value) == {"link_unknown"}
