"""A gateway that should have been seen: told of a row and of many alike."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from recovery.domain.states import TERMINAL, State
from recovery.models import Gateway, Recovery
from recovery.services import attention
from tests.factories import make_gateway, make_profile, make_recovery

pytestmark = pytest.mark.django_db


def is_silent(
    *, now: datetime, seen: timedelta | None = None, filed: timedelta = timedelta(hours=1),
    gateway: dict[str, Any] | None = None, **columns: Any,
) -> bool:  # fmt: skip
    """What both say, which must be the same."""
    row = make_recovery(profile=make_profile(gateway=make_gateway()), **columns)
    Recovery.objects.filter(pk=row.pk).update(created_at=now - filed)
    values = (gateway or {}) | {"last_seen_at": None if seen is None else now - seen}
    Gateway.objects.filter(pk=row.gateway_id).update(**values)
    row = Recovery.objects.select_related("gateway").get(pk=row.pk)
    found = Gateway.objects.filter(attention.silent(now=now), pk=row.gateway_id).exists()
    assert attention.keeps_silent(row, now=now) is found
    return found


@pytest.mark.parametrize("state", list(State))
def test_only_where_work_waits(state: State) -> None:
    now = timezone.now()
    waits = state not in TERMINAL and state is not State.AWAITING_APPROVAL
    assert is_silent(now=now, state=state, seen=timedelta(hours=2)) is waits
    assert is_silent(now=now, state=state, seen=None) is waits
    assert not is_silent(now=now, state=state, seen=timedelta(seconds=200))


def test_what_was_just_filed_has_not_waited() -> None:
    assert not is_silent(now=timezone.now(), seen=timedelta(days=3), filed=timedelta(seconds=60))


@pytest.mark.parametrize("gateway", [{"paused": True}, {"follow_only": True}])
def test_where_nothing_is_submitted_a_queue_waits_for_nobody(gateway: dict[str, Any]) -> None:
    now = timezone.now()
    assert not is_silent(now=now, gateway=gateway, state="queued")
    assert is_silent(now=now, gateway=gateway, state="running")


@pytest.mark.parametrize("columns", [{"settled_as": "failed"}, {"hold": "name_taken"}])
def test_what_waits_for_a_person_is_not_looked_at(columns: dict[str, Any]) -> None:
    assert not is_silent(now=timezone.now(), state="unconfirmed", **columns)
