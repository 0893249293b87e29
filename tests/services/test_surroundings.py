"""What stands around one recovery, in few queries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recovery.models import Recovery
from recovery.services import surroundings
from recovery.services.surroundings import chain, usual, with_neighbours
from tests.factories import make_profile, make_recovery, make_user

pytestmark = pytest.mark.django_db


def test_what_is_usual_comes_from_successes_of_the_same_jar_and_profile() -> None:
    profile, by, now = make_profile(), make_user(), timezone.now()

    def took(seconds: int, *, started: bool = True, **fields: object) -> Recovery:
        begun = {"started_at" if started else "submitted_at": now - timedelta(seconds=seconds)}
        values = {"profile": profile, "by": by, "state": "succeeded", "finished_at": now} | begun | fields
        return make_recovery(**values)  # type: ignore[arg-type]

    one = took(100)
    took(200, started=False)
    took(5, jar_path="hdfs:///other.jar")
    took(5, profile=make_profile())
    took(5, state="failed")
    took(5, started_at=None)
    me = make_recovery(profile=profile, by=by, state="running", started_at=now)
    with CaptureQueriesContext(connection) as queries:
        found = usual(me)
    assert len(queries) == 1
    assert found is not None
    assert (found.count, found.median, found.low, found.high) == (2, 150, 100, 200)
    found = usual(one)
    assert found is not None
    assert found.count == 1, "itself is not counted"


def test_what_is_usual_looks_at_the_newest_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "LOOKED_AT", 1)
    profile, now = make_profile(), timezone.now()
    make_recovery(profile=profile, state="succeeded", started_at=now - timedelta(seconds=9))
    make_recovery(profile=profile, state="succeeded", started_at=now, jar_path="hdfs:///other.jar")
    assert usual(make_recovery(profile=profile)) is None


def test_a_chain_is_every_attempt_of_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    profile, by = make_profile(), make_user()

    def attempt(of: Recovery | None = None) -> Recovery:
        return make_recovery(profile=profile, by=by, state="failed", resubmission_of=of)

    first, stranger = attempt(), attempt()
    second = attempt(first)
    third, sibling = attempt(second), attempt(first)
    for row in (first, second, third, sibling):
        with CaptureQueriesContext(connection) as queries:
            assert chain(row) == [first, second, third, sibling]
        assert len(queries) == 2
    assert chain(stranger) == [stranger]
    monkeypatch.setattr(surroundings, "CHAIN", 1)
    assert third in chain(third), "a long chain still holds the one that is looked at"


def test_neighbours_are_the_numbers_before_and_after() -> None:
    one, two, three = (make_recovery() for _ in range(3))

    def around(row: Recovery) -> tuple[int | None, int | None]:
        found = with_neighbours(Recovery.objects.all()).get(pk=row.pk)
        return found.before_pk, found.after_pk  # type: ignore[attr-defined]

    assert around(two) == (one.pk, three.pk)
    assert around(one)[0] is None
    assert around(three)[1] is None
