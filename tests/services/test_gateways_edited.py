"""Gateways edited by operators while workers and others are at work on them."""

from __future__ import annotations

import pytest

from recovery.domain.errors import InvalidInput
from recovery.models import Gateway, RecoveryEvent, SubjectType
from recovery.services import gateways
from tests.factories import make_gateway, make_profile, make_recovery, make_user

pytestmark = pytest.mark.django_db


def _facts(gateway: Gateway) -> list[tuple[str, object]]:
    return [
        (event.kind, event.facts.get("changed")) for event in RecoveryEvent.objects.of(SubjectType.GATEWAY, gateway.pk)
    ]


def test_an_edit_undoes_no_pause_and_no_condition() -> None:
    by, gateway = make_user(), make_gateway()
    gateways.pause(gateway_id=gateway.pk, by=by, reason="maintenance")
    Gateway.objects.filter(pk=gateway.pk).update(condition="dns", failures=3, witnesses=[["a", 1, 2]])
    gateway.max_running = 5  # as it was read before all that
    gateways.save_gateway(gateway=gateway, changed=["max_running", "name"], by=by)
    stored = Gateway.objects.get(pk=gateway.pk)
    assert (stored.max_running, stored.paused, stored.paused_reason) == (5, True, "maintenance")
    assert (stored.condition, stored.failures, stored.witnesses) == ("dns", 3, [["a", 1, 2]])
    line = stored.history.first()
    assert line is not None
    assert (line.max_running, line.paused, line.history_user) == (5, True, by), "history tells what is stored"
    assert _facts(gateway) == [("paused", None), ("changed", ["max_running"])]


def test_an_edit_without_a_difference_is_not_told() -> None:
    gateway = make_gateway()
    gateways.save_gateway(gateway=gateway, changed=["name"], by=make_user())
    assert (gateway.history.count(), _facts(gateway)) == (1, [])


def test_h4_an_endpoint_that_was_used_meanwhile_stays() -> None:
    gateway = make_gateway()
    make_recovery(profile=make_profile(gateway=gateway))
    stored = gateway.base_url
    gateway.base_url, gateway.user, gateway.max_running = "https://other:8443/gateway/x", "other", 5
    with pytest.raises(InvalidInput) as caught:
        gateways.save_gateway(gateway=gateway, changed=["user", "max_running", "base_url"], by=make_user())
    assert [problem.field for problem in caught.value.problems] == ["base_url", "user"]
    assert Gateway.objects.get(pk=gateway.pk).base_url == stored
