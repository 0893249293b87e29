"""« Test this connection », against the sandbox's Livy, HDFS and YARN."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from recovery.domain.gateways import Condition, Found, Part
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import Version
from recovery.models import Gateway, RecoveryEvent, SubjectType
from recovery.services import probing
from recovery.services.connection import ConnectionTest, Row, try_connection
from recovery.services.gateways import open_client
from recovery.services.probing import Look
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


def row(found: ConnectionTest, part: Part) -> Row:
    return next(row for row in found.rows if row.part is part)


def codes(found: ConnectionTest) -> dict[str, str]:
    return {row.part.value: row.code for row in found.rows}


def answers(portal: Portal, route: str, code: int, body: str = "empty") -> None:
    portal.sandbox.add_fault(Fault(route=route, action="status", code=code, body=body, times=1))


def test_all_are_asked_and_nothing_is_started(portal: Portal) -> None:
    found = tried(portal)
    assert (found.ok, found.version) == (True, "0.7.1-incubating")
    assert codes(found) == {"livy": "livy_ok", "who": "who", "webhdfs": "webhdfs_ok", "yarn": "yarn_ok"}
    assert {row.found for row in found.rows} == {Found.WORKS}
    assert row(found, Part.WHO).params == {"user": "svc_portal"}
    assert not portal.posts()
    event = RecoveryEvent.objects.of(SubjectType.GATEWAY, portal.gateway.pk).filter(kind="tested").get()
    assert (event.cause, event.facts["version"]) == ("ok", "0.7.1-incubating")


def test_each_one_fails_by_itself(portal: Portal) -> None:
    portal.sandbox.yarn_down()
    found = tried(portal)
    assert found.ok, "YARN is not needed for a submission"
    assert row(found, Part.YARN).found is Found.FAILS
    assert row(found, Part.YARN).condition is not None
    portal.sandbox.yarn_up()
    del portal.sandbox.hdfs.nodes["/user/svc_portal"]
    found = tried(portal)
    assert found.ok
    assert (row(found, Part.WEBHDFS).found, row(found, Part.WEBHDFS).code) == (Found.FAILS, "webhdfs_missing")
    assert row(found, Part.YARN).found is Found.WORKS


@pytest.mark.parametrize(
    ("look", "code", "condition"),
    [
        (Look(state=probing.DENIED, text="/user/svc"), "webhdfs_denied", None),
        (Look(state=probing.DENIED), "fails", Condition.FORBIDDEN),
        (Look(state=probing.SLOW), "fails", Condition.TIMEOUT),
        (Look(state=probing.UNKNOWN, condition="inactive"), "fails", Condition.INACTIVE),
        (Look(state=probing.UNKNOWN, condition="inactive", text="/user/svc"), "fails", Condition.INACTIVE),
    ],
)
def test_what_webhdfs_may_say(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, look: Look, code: str, condition: Condition | None
) -> None:
    monkeypatch.setattr(probing, "look_around", lambda *_args, **_options: {probing.HOME: look})
    found = row(tried(portal), Part.WEBHDFS)
    assert (found.found, found.code, found.condition) == (Found.FAILS, code, condition)


def test_what_is_not_behind_the_gateway_is_said(portal: Portal) -> None:
    Gateway.objects.filter(pk=portal.gateway.pk).update(yarn_path="", webhdfs_path="", paused=True, paused_reason="why")
    found = tried(portal)
    assert found.ok
    assert codes(found) == {
        "livy": "livy_ok", "who": "who_configured", "webhdfs": "webhdfs_none", "yarn": "yarn_none",
        "submissions": "paused",
    }  # fmt: skip
    assert row(found, Part.YARN).found is Found.NOT_ASKED


@pytest.mark.parametrize(
    ("auth", "user", "code", "light"),
    [
        ("none", "", "who_nobody", Found.WARNS),
        ("bearer", "", "who_token", Found.WORKS),
        ("basic", "svc", "who_configured", Found.WORKS),
    ],
)
def test_who_we_are_without_webhdfs(portal: Portal, auth: str, user: str, code: str, light: Found) -> None:
    Gateway.objects.filter(pk=portal.gateway.pk).update(webhdfs_path="", auth_kind=auth, user=user)
    gateway = Gateway.objects.get(pk=portal.gateway.pk)
    found = try_connection(gateway=gateway, now=portal.clock(), client_for=lambda _: open_client(portal.gateway))
    assert (row(found, Part.WHO).code, row(found, Part.WHO).found) == (code, light)


def test_a_gateway_that_refuses_us_is_recorded_and_asked_nothing_else(portal: Portal) -> None:
    answers(portal, "GET /version", 401)
    found = tried(portal)
    assert (found.ok, found.condition) == (False, "credentials")
    assert codes(found) == {
        "livy": "after_refusal", "who": "fails", "webhdfs": "after_refusal", "yarn": "after_refusal",
    }  # fmt: skip
    assert (row(found, Part.WHO).found, row(found, Part.WHO).condition) == (Found.FAILS, "credentials")
    assert Gateway.objects.get(pk=portal.gateway.pk).condition == "credentials"
    assert tried(portal).ok
    assert Gateway.objects.get(pk=portal.gateway.pk).condition == ""


def test_a_dead_gateway_is_red_once_and_the_rest_is_not_asked(portal: Portal) -> None:
    Gateway.objects.filter(pk=portal.gateway.pk).update(base_url="http://127.0.0.1:1/gateway/default")
    found = tried(portal)
    assert (row(found, Part.LIVY).found, row(found, Part.LIVY).condition) == (Found.FAILS, "unreachable")
    assert [row(found, part).code for part in (Part.WHO, Part.WEBHDFS, Part.YARN)] == ["after_away"] * 3
    assert "_Watched" not in found.words
    Gateway.objects.filter(pk=portal.gateway.pk).update(webhdfs_path="")
    assert row(tried(portal), Part.WEBHDFS).code == "webhdfs_none", "there is none, dead or not"


def test_a_dead_livy_behind_a_knox_that_lives(portal: Portal) -> None:
    answers(portal, "GET /version", 503)
    found = tried(portal)
    assert (row(found, Part.LIVY).found, row(found, Part.LIVY).condition) == (Found.FAILS, "inactive")
    assert (row(found, Part.WHO).code, row(found, Part.YARN).code) == ("who", "yarn_ok")


def test_nothing_says_who_we_are(portal: Portal) -> None:
    Gateway.objects.filter(pk=portal.gateway.pk).update(webhdfs_path="")
    answers(portal, "GET /version", 503)
    found = row(tried(portal), Part.WHO)
    assert (found.found, found.code) == (Found.NOT_ASKED, "who_unknown")


def test_a_livy_that_answers_its_version_and_refuses_its_list(portal: Portal) -> None:
    answers(portal, "GET /batches", 403)
    found = tried(portal)
    assert not found.ok
    assert row(found, Part.LIVY).found is Found.FAILS


def test_a_livy_of_unclear_version(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KnoxLivyClient, "version", lambda self: Version(text="cdp-7"))
    found = tried(portal)
    assert (found.ok, found.condition, found.version) == (False, "old_livy", "cdp-7")
    assert (row(found, Part.LIVY).found, row(found, Part.LIVY).code) == (Found.FAILS, "livy_old")
    assert row(found, Part.WHO).found is Found.WORKS


def test_a_secret_that_cannot_be_read(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    Gateway.objects.filter(pk=portal.gateway.pk).update(secret_ref="env:NOT_THERE_AT_ALL")
    monkeypatch.delenv("NOT_THERE_AT_ALL", raising=False)
    found = tried(portal)
    assert (found.ok, found.condition) == (False, "secret")
    assert codes(found) == {"livy": "after_secret", "who": "fails", "webhdfs": "after_secret", "yarn": "after_secret"}
