"""Second batches: how many were avoided, and the alarm where one ran all the same."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from recovery.domain.states import FOLLOWED, Settlement, State
from recovery.domain.verdicts import Outcome
from recovery.models import RecoveryEvent, SubjectType
from recovery.models.event import COUNTED
from recovery.services import attempts, duplicates, events, settling
from sandbox import Fault
from tests.factories import make_recovery, make_user
from tests.services.conftest import ANSWER_LOST, Portal


def last(portal: Portal, pk: int, kind: str) -> RecoveryEvent:
    event = RecoveryEvent.objects.of(SubjectType.RECOVERY, pk).filter(kind=kind).last()
    assert event is not None
    return event


def test_a_lost_answer_that_was_adopted_is_one_avoided(portal: Portal) -> None:
    row = portal.doubt(ANSWER_LOST, "--sleep 100000")
    assert duplicates.avoided(now=portal.clock()).total == 0
    portal.run(row, seconds=20)
    assert portal.row(row).state in FOLLOWED
    found = duplicates.avoided(now=portal.clock())
    assert (found.total, found.adopted, found.lately) == (1, 1, 1)
    assert found.by_gateway == {portal.gateway.pk: 1}
    assert duplicates.avoided(now=portal.clock() + timedelta(days=31)).lately == 0
    assert isinstance(last(portal, row.pk, "answer_lost").facts["after"], int)
    assert portal.started(row) == 1


def test_a_name_that_livy_refuses_is_counted_once_with_its_adoption(portal: Portal) -> None:
    """The same POST twice on its way, after a look that had found the name free."""
    row = portal.file("--sleep 100000")
    portal.sandbox.add_fault(Fault(route="GET /batches/{x}", action="status", code=404, body="json",
                                   message=f"Session '{row.batch_name}' not found.", times=1))  # fmt: skip
    portal.somebody_posts(row.sent_payload, name=row.batch_name)
    portal.submit()
    found = duplicates.avoided(now=portal.clock())
    assert (found.total, found.by_name, found.adopted) == (1, 1, 0)
    portal.run(row, seconds=20)
    found = duplicates.avoided(now=portal.clock())
    assert (found.total, found.by_name, found.adopted) == (1, 0, 1)
    assert portal.started(row) == 1


def test_a_name_that_livy_refuses_counts_though_nothing_is_adopted(portal: Portal) -> None:
    row = make_recovery(profile=portal.profile, state=State.LOST)
    events.of_recovery(row.pk, "looked", cause="duplicate_name")
    events.of_recovery(row.pk, "looked", cause="refused_in_doubt")
    found = duplicates.avoided(now=portal.clock())
    assert (found.total, found.by_name) == (1, 1)
    events.of_recovery(row.pk, "adopted", batch=3)
    found = duplicates.avoided(now=portal.clock())
    assert (found.total, found.by_name, found.adopted) == (1, 0, 1)


def test_a_name_that_is_taken_before_the_post_is_one_avoided(portal: Portal) -> None:
    row = portal.file("--sleep 100000")
    portal.somebody_posts(row.sent_payload, name=row.batch_name)
    portal.submit()
    found = duplicates.avoided(now=portal.clock())
    assert (found.total, found.before_post) == (1, 1)


# ── the alarm ───────────────────────────────────────────────────────────────────────────────────────────────────────

APPS = ["application_1_1", "application_1_2"]


def test_f7_the_same_finding_is_told_once(portal: Portal) -> None:
    row = portal.file()
    for _ in range(3):
        duplicates.raise_alarm(row.pk, cause="yarn", applications=APPS)
    assert portal.kinds(row).count("duplicate") == 1
    assert duplicates.acknowledge(recovery=row, by=make_user(), reason="stopped one")
    duplicates.raise_alarm(row.pk, cause="yarn", applications=APPS)
    assert not duplicates.is_alarmed(row)
    duplicates.raise_alarm(row.pk, cause="yarn", applications=[*APPS, "application_1_3"])
    assert duplicates.is_alarmed(row)


def test_a6_an_alarm_stands_until_a_person_has_answered(portal: Portal) -> None:
    settled, seen, other = portal.running(), portal.running(), portal.running()
    for row in (settled, seen):
        duplicates.raise_alarm(row.pk, cause="late_answer", batch=9, known=None)
    assert [row.pk for row in duplicates.alarmed()] == [seen.pk, settled.pk]
    with pytest.raises(ValueError, match="reason"):
        duplicates.acknowledge(recovery=seen, by=make_user(), reason=" ")
    assert not duplicates.acknowledge(recovery=other, by=make_user(), reason="x")
    assert duplicates.acknowledge(recovery=seen, by=make_user(), reason="stopped batch 9")
    attempts.lose(settled.pk, sources=set(FOLLOWED), outcome=Outcome.DUPLICATE, now=portal.clock())
    settling.settle(
        recovery=portal.row(settled), settled_as=Settlement.FAILED, reason="x", by=make_user(), now=portal.clock()
    )
    assert list(duplicates.alarmed()) == []


def test_monitoring_is_told_by_an_exit_code(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    row = portal.running()
    call_command("check_duplicates")
    assert capsys.readouterr().out.startswith("open alarms: 0; second launches avoided: 0")
    duplicates.raise_alarm(row.pk, cause="late_answer", batch=9, known=0)
    with pytest.raises(SystemExit) as end:
        call_command("check_duplicates")
    assert end.value.code == 2
    assert f"recovery {row.pk} ({row.batch_name}" in capsys.readouterr().out


def test_alarms_are_found_by_the_index_of_their_kinds_in_a_million_events(db: None) -> None:
    plan = duplicates.alarmed().explain()
    if connection.vendor == "sqlite":  # PostgreSQL reads a short table as it is
        assert "event_counted" in plan
    assert plan


def test_what_is_counted_is_about_recoveries_alone() -> None:
    """Nothing else may have events of these kinds: they are looked for without a word about the subject."""
    code = Path(duplicates.__file__).parent
    for module in sorted(code.glob("*.py")):
        for kind in COUNTED:
            for subject in set(SubjectType) - {SubjectType.RECOVERY}:
                written = rf'SubjectType\.{subject.name}, [^,]+, "{kind}"'
                assert not re.search(written, module.read_text()), (module.name, kind)
