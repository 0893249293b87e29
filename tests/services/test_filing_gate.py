"""What filing does with the preflight: red blocks, amber asks, and it is kept as it was."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recovery.domain.gateways import Channel
from recovery.domain.preflight import Light, Preflight
from recovery.domain.states import State
from recovery.models import Recovery, RecoveryEvent
from recovery.services.clock import database_now
from recovery.services.filing import Filed, Gate, Origin, PreflightStops, file_recovery
from tests.factories import ARGS, JAR, make_recovery, make_user
from tests.services.conftest import Portal
from tests.services.test_preflight import set_gateway

pytestmark = pytest.mark.django_db


@pytest.fixture
def portal(portal: Portal) -> Portal:
    set_gateway(portal, webhdfs_path="webhdfs/v1")
    return portal


def file(portal: Portal, gate: Gate | None, *, key: str = "", **asked: Any) -> Filed:
    origin = Origin(by=make_user() if not key else portal_user(), channel=Channel.API, filing_key=key)
    given = {"jar_path": JAR, "jar_args": ARGS, "reason": "a day is missing"} | asked
    return file_recovery(profile=portal.profile, origin=origin, gate=gate, now=database_now(), **given)


def portal_user() -> Any:
    from django.contrib.auth.models import User

    return User.objects.filter(username="her").first() or make_user("her")


def kept(row: Recovery) -> Preflight:
    seen = Preflight.from_text(Recovery.objects.get(pk=row.pk).preflight)
    assert seen is not None
    return seen


def test_it_is_kept_with_the_recovery_and_told_in_its_first_event(portal: Portal) -> None:
    row = file(portal, Gate()).recovery
    assert kept(row).light is Light.GREEN
    assert kept(row).seen is not None
    event = RecoveryEvent.objects.get(subject_id=row.pk)
    assert (event.seq, event.kind, event.facts["preflight"]) == (1, "filed", "green")


def test_without_a_gate_nothing_is_looked_at(portal: Portal) -> None:
    row = file(portal, None).recovery
    assert row.preflight == ""
    assert portal.sandbox.requests == []
    assert "preflight" not in RecoveryEvent.objects.get(subject_id=row.pk).facts


@pytest.mark.parametrize("confirmed", [None, frozenset({"file_missing:hdfs:///nope.jar"})])
def test_red_blocks_whatever_is_confirmed(portal: Portal, confirmed: frozenset[str] | None) -> None:
    with pytest.raises(PreflightStops) as told:
        file(portal, Gate(confirmed=confirmed), jar_path="hdfs:///nope.jar")
    assert [check.key for check in told.value.checks] == ["file_missing:hdfs:///nope.jar"]
    assert told.value.preflight.light is Light.RED
    assert not Recovery.objects.exists()


def test_a_door_that_must_not_block_notes_it(portal: Portal) -> None:
    row = file(portal, Gate(blocks=False), jar_path="hdfs:///nope.jar").recovery
    assert kept(row).light is Light.RED


def test_amber_passes_noted_where_nobody_is_asked(portal: Portal) -> None:
    first = make_recovery(profile=portal.profile, state=State.SUCCEEDED)
    row = file(portal, Gate()).recovery
    assert [check.key for check in kept(row).of(Light.AMBER)] == [f"same_done:{first.pk}"]
    assert kept(row).confirmed == ()


def test_amber_asks_a_person_for_this_very_finding(portal: Portal) -> None:
    first = make_recovery(profile=portal.profile, state=State.SUCCEEDED)
    for confirmed in (frozenset(), frozenset({"same_done:999999"})):
        with pytest.raises(PreflightStops) as told:
            file(portal, Gate(confirmed=confirmed))
        assert [check.code for check in told.value.checks] == ["same_done"]
    key = f"same_done:{first.pk}"
    row = file(portal, Gate(confirmed=frozenset({key, "of_another:form"}))).recovery
    assert kept(row).confirmed == (key,)


def test_h3_a_repetition_is_the_recovery_of_then_whatever_the_lights_say_now(portal: Portal) -> None:
    first = file(portal, Gate(), key="k1")
    portal.sandbox.hdfs.nodes.clear()  # the jar is gone, and so is everything else
    asked = len(portal.sandbox.requests)
    second = file(portal, Gate(confirmed=frozenset()), key="k1")
    assert (second.again, second.recovery.pk) == (True, first.recovery.pk)
    assert len(portal.sandbox.requests) == asked


def test_a_bad_request_is_told_before_anybody_is_asked(portal: Portal) -> None:
    with pytest.raises(ValueError, match="path_relative"):
        file(portal, Gate(), jar_path="recovery.jar")
    assert portal.sandbox.requests == []


TRANSACTION = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


@pytest.mark.django_db(transaction=True)
def test_from_filing_to_stored_is_at_most_five_queries_more_than_a_bare_insert(portal: Portal) -> None:
    by = make_user()
    row = make_recovery(profile=portal.profile)
    values = {f.attname: getattr(row, f.attname) for f in Recovery._meta.concrete_fields if f.attname != "id"}
    with CaptureQueriesContext(
        connection,
    ) as bare:
        Recovery.objects.create(**values | {"batch_name": "another", "created_at": timezone.now()})
    origin = Origin(by=by, channel=Channel.ADMIN, filing_key="k")
    with CaptureQueriesContext(connection) as filing:
        asked: dict[str, Any] = {"profile": portal.profile, "jar_path": JAR, "jar_args": "--new"}
        file_recovery(**asked, origin=origin, gate=Gate(), now=database_now())
    queries = [q["sql"] for q in filing.captured_queries if not q["sql"].startswith(TRANSACTION)]
    assert len(bare.captured_queries) == 1
    assert len(queries) <= 1 + 5, queries
