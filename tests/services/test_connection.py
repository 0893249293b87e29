"""« Test this connection », against the sandbox's Livy, HDFS and YARN."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from recovery.domain.preflight import Check, Light
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import Version
from recovery.models import Gateway, RecoveryEvent, SubjectType
from recovery.services.connection import ConnectionTest, try_connection
from sandbox import Fault, Sandbox
from tests.factories import make_user
from tests.services.conftest import Portal


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(mode="yarn", post_cost=0.0, speed=50.0) as box:
        yield box


@pytest.fixture(autouse=True)
def everything(portal: Portal) -> None:
    """Livy, HDFS and YARN behind the gateway."""
    Gateway.objects.filter(pk=portal.gateway.pk).update(
        yarn_path="resourcemanager/v1/cluster", webhdfs_path="webhdfs/v1"
    )


def tried(portal: Portal) -> ConnectionTest:
    return try_connection(gateway=Gateway.objects.get(pk=portal.gateway.pk), now=portal.clock(), by=make_user())


def check(found: ConnectionTest, code: str) -> Check:
    return next(check for check in found.seen.checks if check.code == code)


def test_all_three_are_asked_and_nothing_is_started(portal: Portal) -> None:
    found = tried(portal)
    assert (found.ok, found.version) == (True, "0.7.1-incubating")
    assert {c.code: c.light for c in found.seen.checks} == dict.fromkeys(
        ("gateway_ok", "who", "home_ok", "yarn_ok"), Light.GREEN
    )
    assert not portal.posts()
    event = RecoveryEvent.objects.of(SubjectType.GATEWAY, portal.gateway.pk).filter(kind="tested").get()
    assert (event.cause, event.facts["version"]) == ("ok", "0.7.1-incubating")


def test_each_one_fails_by_itself(portal: Portal) -> None:
    portal.sandbox.yarn_down()
    found = tried(portal)
    assert found.ok, "YARN is not needed for a submission"
    assert check(found, "yarn_ill").light is Light.AMBER
    portal.sandbox.yarn_up()
    del portal.sandbox.hdfs.nodes["/user/svc_portal"]
    found = tried(portal)
    assert found.ok
    assert check(found, "home_missing").light is Light.RED
    assert check(found, "yarn_ok").light is Light.GREEN


def test_what_is_not_behind_the_gateway_is_said(portal: Portal) -> None:
    Gateway.objects.filter(pk=portal.gateway.pk).update(yarn_path="", webhdfs_path="")
    found = tried(portal)
    assert found.ok
    assert check(found, "yarn_none").light is Light.GREY
    assert check(found, "hdfs_none").light is Light.GREY


def test_a_gateway_that_is_away_is_recorded_as_a_worker_would(portal: Portal) -> None:
    portal.sandbox.add_fault(Fault(route="GET /version", action="status", code=401, body="empty", times=1))
    found = tried(portal)
    assert (found.ok, found.condition) == (False, "credentials")
    assert check(found, "gateway_ill").light is Light.AMBER
    assert Gateway.objects.get(pk=portal.gateway.pk).condition == "credentials"
    assert tried(portal).ok
    assert Gateway.objects.get(pk=portal.gateway.pk).condition == ""


def test_a_livy_that_answers_its_version_and_refuses_its_list(portal: Portal) -> None:
    portal.sandbox.add_fault(Fault(route="GET /batches", action="status", code=403, body="empty", times=1))
    assert not tried(portal).ok


def test_a_livy_of_unclear_version(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KnoxLivyClient, "version", lambda self: Version(text="cdp-7"))
    found = tried(portal)
    assert (found.ok, found.condition, found.version) == (False, "old_livy", "cdp-7")
    assert check(found, "gateway_old").light is Light.AMBER


def test_a_secret_that_cannot_be_read(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    Gateway.objects.filter(pk=portal.gateway.pk).update(secret_ref="env:NOT_THERE_AT_ALL")
    monkeypatch.delenv("NOT_THERE_AT_ALL", raising=False)
    found: Any = tried(portal)
    assert (found.ok, found.condition) == (False, "secret")
    assert check(found, "yarn_ill").params["condition"] == "secret"
