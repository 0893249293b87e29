"""The look before filing, against the sandbox's Livy and HDFS."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction

from recovery.domain.gateways import Condition
from recovery.domain.preflight import Check, Light, Preflight
from recovery.domain.states import Settlement, State
from recovery.gateway.errors import Ambiguous, NotSent
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import Version
from recovery.models import Gateway, Recovery
from recovery.services import probing
from recovery.services.clock import database_now
from recovery.services.gateways import open_client
from recovery.services.preflight import preflight
from recovery.services.preview import preview
from sandbox import Fault, Node
from tests.factories import ARGS, JAR, make_recovery
from tests.services.conftest import Portal

pytestmark = pytest.mark.django_db
HDFS = "webhdfs/v1"
HOME = "/user/sddesigner"


@pytest.fixture
def portal(portal: Portal) -> Portal:
    """With HDFS behind the gateway."""
    set_gateway(portal, webhdfs_path=HDFS)
    return portal


def set_gateway(portal: Portal, **columns: object) -> None:
    Gateway.objects.filter(pk=portal.gateway.pk).update(**columns)
    portal.gateway.refresh_from_db()
    portal.profile.gateway = portal.gateway


def look(
    portal: Portal,
    *,
    jar_path: str = JAR,
    jar_args: str = ARGS,
    fresh: bool = True,
    now: datetime | None = None,
    **overrides: Any,
) -> Preflight:
    shown = preview(profile=portal.profile, jar_path=jar_path, jar_args=jar_args, overrides=overrides)
    now = now or database_now()
    return preflight(profile=portal.profile, payload=shown.payload, sent_text=shown.sent_text, now=now, fresh=fresh)


def found(seen: Preflight, code: str) -> Check:
    return next(check for check in seen.checks if check.code == code)


def codes(seen: Preflight, *lights: Light) -> set[str]:
    return {check.code for check in seen.checks if not lights or check.light in lights}


def succeeded(portal: Portal, seen: Preflight | None, **columns: object) -> Recovery:
    row = make_recovery(profile=portal.profile, state=State.SUCCEEDED, **columns)  # type: ignore[arg-type]
    Recovery.objects.filter(pk=row.pk).update(preflight=seen.text() if seen else "")
    return row


def add(portal: Portal, path: str, **fields: Any) -> None:
    values: dict[str, Any] = {"type": "FILE", "permission": "644", "length": 10}
    portal.sandbox.hdfs.add(path, Node(**values | fields))


def test_all_is_well(portal: Portal) -> None:
    seen = look(portal)
    assert seen.light is Light.GREEN
    assert codes(seen, Light.GREEN) == {"gateway_ok", "who", "file_ok", "home_ok", "rules_ok", "same_none"}
    assert found(seen, "who").params["user"] == "svc_portal"
    assert found(seen, "runs_as_knox").params == {"asked": "sddesigner", "user": "svc_portal"}
    jar = found(seen, "file_ok")
    assert (jar.subject, jar.params["length"]) == (JAR, 6226)
    assert seen.seen is not None
    assert seen.seen.checksum.startswith("MD5-of-")


@pytest.mark.parametrize(
    ("path", "code", "light"),
    [
        ("hdfs:///nope.jar", "file_missing", Light.RED),
        (f"hdfs://{HOME}/recovery.jar/x", "file_missing", Light.RED),
        ("hdfs://other/nope.jar", "file_missing_perhaps", Light.AMBER),
        (f"hdfs://{HOME}", "file_directory", Light.RED),
        (f"hdfs://other{HOME}", "file_directory_perhaps", Light.AMBER),
        (f"{HOME}/private.jar", "file_denied", Light.RED),
        (f"{HOME}/private/recovery.jar", "file_denied", Light.RED),
        (f"hdfs://other:8020{HOME}/private.jar", "file_denied_perhaps", Light.AMBER),
        (f"hdfs://other:8020{HOME}/recovery.jar", "file_ok", Light.GREEN),
        ("hdfs:///empty.jar", "file_empty", Light.RED),
        ("hdfs://other/empty.jar", "file_empty_perhaps", Light.AMBER),
        ("s3a://bucket/x.jar", "file_scheme", Light.GREY),
    ],
)
def test_what_is_wrong_with_the_jar(portal: Portal, path: str, code: str, light: Light) -> None:
    add(portal, "/empty.jar", length=0)
    seen = look(portal, jar_path=path)
    check = found(seen, code)
    assert (check.light, check.subject) == (light, path)


def test_each_file_is_looked_at_once(portal: Portal) -> None:
    add(portal, "/lib/a.jar")
    add(portal, "/lib/empty.txt", length=0)
    files = ["hdfs:///lib/empty.txt", "hdfs:///nope.txt#alias", "hdfs:///lib/a.jar"]
    seen = look(portal, jars=["hdfs:///lib/a.jar"], files=files, py_files=["/nope.py"], archives=["gs://b/x.zip"])
    shown = {check.subject: check.code for check in seen.checks if check.subject}
    assert shown == {
        JAR: "file_ok",
        "hdfs:///lib/a.jar": "file_ok",
        "hdfs:///lib/empty.txt": "file_ok",
        "hdfs:///nope.txt#alias": "file_missing",
        "/nope.py": "file_missing",
        "gs://b/x.zip": "file_scheme",
        "/user/svc_portal": "home_ok",
    }
    asked = [r.path for r in portal.sandbox.requests if "GETFILESTATUS" in r.path and "a.jar" in r.path]
    assert len(asked) == 1


def test_without_webhdfs_only_livy_is_asked(portal: Portal) -> None:
    set_gateway(portal, webhdfs_path="")
    seen = look(portal)
    assert seen.light is Light.GREY
    assert {"hdfs_none", "who_configured"} <= codes(seen, Light.GREY)
    assert all("/livy/" in r.path for r in portal.sandbox.requests)
    set_gateway(portal, user="", auth_kind="none")
    assert "runs_as_unknown" in codes(look(portal), Light.GREY)


def test_a_home_that_is_not_there_or_closed(portal: Portal) -> None:
    portal.sandbox.hdfs.add("/user/svc_portal", Node(owner="hdfs", permission="755"))
    assert "home_denied" in codes(look(portal), Light.RED)
    del portal.sandbox.hdfs.nodes["/user/svc_portal"]
    seen = look(portal)
    assert found(seen, "home_missing").subject == "/user/svc_portal"
    assert seen.light is Light.RED
    batch_of(portal, proxy_user="sddesigner")  # the jobs run as somebody else here
    assert "home_missing_perhaps" in codes(look(portal), Light.AMBER)


def batch_of(portal: Portal, proxy_user: str) -> None:
    make_recovery(profile=portal.profile, jar_path="hdfs:///other.jar", livy_id=0, proxy_user=proxy_user)


@pytest.mark.parametrize(
    ("ran_as", "asked", "code", "light"),
    [
        ("svc_portal", "sddesigner", "runs_as_other", Light.GREEN),
        ("svc_portal", "svc_portal", "runs_as", Light.GREEN),
        ("svc_portal", None, "runs_as", Light.GREEN),
        ("sddesigner", "sddesigner", "runs_as", Light.GREEN),
        ("", "sddesigner", "runs_as_livy", Light.GREY),
    ],
)
def test_the_truth_about_the_proxy_user_is_what_was_seen_last(
    portal: Portal, ran_as: str, asked: str | None, code: str, light: Light
) -> None:
    batch_of(portal, proxy_user=ran_as)
    assert found(look(portal, proxy_user=asked), code).light is light


def test_rights_of_ours_do_not_block_where_jobs_run_as_another(portal: Portal) -> None:
    batch_of(portal, proxy_user="")
    seen = look(portal, jar_path=f"{HOME}/private.jar")
    assert found(seen, "file_denied_perhaps").light is Light.AMBER
    assert found(look(portal, jar_path="/nope"), "file_missing").light is Light.RED


def test_the_jar_that_succeeded_last(portal: Portal) -> None:
    assert "jar_first" in codes(look(portal), Light.GREY)
    row = succeeded(portal, look(portal), jar_args="--other")
    check = found(look(portal), "jar_same")
    assert (check.light, check.subject, check.params["by"]) == (Light.GREEN, str(row.pk), "checksum")
    add(portal, f"{HOME}/recovery.jar", length=6226, content="another build")
    check = found(look(portal), "jar_changed")
    assert (check.light, check.subject) == (Light.AMBER, str(row.pk))


def test_without_a_checksum_size_and_time_have_to_do(portal: Portal) -> None:
    portal.sandbox.add_fault(Fault(route="GET /webhdfs/data/{path}", action="status"))
    succeeded(portal, None, jar_args="--older")  # of a time when nothing was looked at
    assert "jar_first" in codes(look(portal))
    first = look(portal)
    assert first.seen is not None
    assert first.seen.checksum == ""
    succeeded(portal, first, jar_args="--other")
    assert found(look(portal), "jar_same").params["by"] == "size"
    add(portal, f"{HOME}/recovery.jar", length=6226, modified=5)
    assert "jar_changed" in codes(look(portal), Light.AMBER)


def test_a_success_on_which_no_jar_was_seen_says_nothing(portal: Portal) -> None:
    succeeded(portal, replace(look(portal), seen=None), jar_args="--other")
    assert "jar_first" in codes(look(portal))


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"state": State.RUNNING}, "same_live"),
        ({"state": State.UNCONFIRMED}, "same_live"),
        ({"state": State.SUCCEEDED}, "same_done"),
        ({"state": State.LOST}, "same_lost"),
        ({"state": State.LOST, "settled_as": Settlement.SUCCEEDED}, "same_lost"),
        ({"state": State.LOST, "settled_as": Settlement.NEVER_RAN}, "same_none"),
        ({"state": State.FAILED}, "same_none"),
        ({"state": State.REFUSED}, "same_none"),
        ({"state": State.SUCCEEDED, "jar_args": "--other"}, "same_none"),
        ({"state": State.SUCCEEDED, "jar_path": "hdfs:///other.jar"}, "same_none"),
        ({"state": State.RUNNING, "created_at": timedelta(hours=-25)}, "same_live"),
        ({"state": State.RUNNING, "created_at": timedelta(days=-30)}, "same_live"),
        (
            {"state": State.SUCCEEDED, "created_at": timedelta(hours=-30), "finished_at": timedelta(hours=-2)},
            "same_done",
        ),
        (
            {"state": State.SUCCEEDED, "created_at": timedelta(hours=-30), "finished_at": timedelta(hours=-25)},
            "same_none",
        ),
        ({"state": State.LOST, "created_at": timedelta(hours=-30), "finished_at": timedelta(hours=-2)}, "same_lost"),
    ],
)
def test_the_same_work(portal: Portal, columns: dict[str, Any], code: str) -> None:
    now = database_now()
    columns = {name: now + value if isinstance(value, timedelta) else value for name, value in columns.items()}
    row = make_recovery(profile=portal.profile, **columns)
    check = found(look(portal), code)
    assert (check.light, check.subject) == ((Light.GREEN, "") if code == "same_none" else (Light.AMBER, str(row.pk)))


def test_what_is_under_way_comes_before_what_is_done(portal: Portal) -> None:
    live = make_recovery(profile=portal.profile, created_at=database_now() - timedelta(hours=30))
    make_recovery(profile=portal.profile, state=State.SUCCEEDED)
    assert found(look(portal), "same_live").subject == str(live.pk)


def test_long_paths_that_begin_alike_are_two_jars(portal: Portal) -> None:
    long = "hdfs:///" + "x" * 300
    make_recovery(profile=portal.profile, jar_path=f"{long}/a.jar")
    assert "same_none" in codes(look(portal, jar_path=f"{long}/b.jar"))
    assert "same_live" in codes(look(portal, jar_path=f"{long}/a.jar"))


def test_what_was_done_with_a_jar_is_found_by_an_index(db: None) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL reads a table of no rows without an index")
    plan = Recovery.objects.of_jar(JAR).filter(created_at__gte=database_now()).order_by("-created_at").explain()
    assert "USING INDEX recovery_jar" in plan
    plan = Recovery.objects.live().filter(jar_path=JAR).order_by("-id").explain()
    assert "USING INDEX recovery_state_newest" in plan


def test_a_large_request_asks(portal: Portal) -> None:
    check = found(look(portal, jar_args="x" * 9000), "body_large")
    assert check.light is Light.AMBER
    assert check.params["size"] > 9000


# ── the gateway ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_ill_gateway_asks_and_does_not_block(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_PASSWORD", "wrong")
    seen = look(portal)
    assert found(seen, "gateway_ill").params["condition"] == "credentials"
    assert found(seen, "file_unknown").params["condition"] == "credentials"
    assert {"home_unknown", "file_unknown", "who_configured"} <= codes(seen, Light.GREY)
    monkeypatch.delenv("SANDBOX_PASSWORD")
    seen = look(portal)
    assert found(seen, "gateway_ill").params["condition"] == "secret"
    assert seen.light is Light.AMBER


def test_paused_and_too_old(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    set_gateway(portal, paused=True, paused_reason="maintenance")
    assert found(look(portal), "gateway_paused").params == {"reason": "maintenance"}
    monkeypatch.setattr(KnoxLivyClient, "version", lambda self: Version(text="0.5.0"))
    check = found(look(portal), "gateway_old")
    assert (check.light, check.params["version"]) == (Light.AMBER, "0.5.0")


def test_livy_that_withholds_its_version(portal: Portal) -> None:
    portal.sandbox.add_fault(Fault(route="GET /version", action="status", code=403, body="empty"))
    assert found(look(portal), "gateway_ill").params["condition"] == "forbidden"


def test_hdfs_may_be_ill_alone(portal: Portal) -> None:
    portal.sandbox.hdfs_down()
    seen = look(portal)
    assert "gateway_ok" in codes(seen, Light.GREEN)
    assert {"file_unknown", "home_unknown"} <= codes(seen, Light.GREY)
    assert seen.light is Light.GREY


# ── time, threads, memory ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    def limit(seconds: float) -> None:
        monkeypatch.setattr(settings, "RECOVERY_PACING", replace(settings.RECOVERY_PACING, preflight_limit=seconds))

    return limit


def test_what_does_not_answer_in_time_is_grey(portal: Portal, short: Callable[[float], None]) -> None:
    short(0.3)
    portal.sandbox.add_fault(Fault(route="GET /version", action="hang", seconds=2))
    portal.sandbox.add_fault(Fault(route="GET /webhdfs/{path}", action="hang", seconds=2))
    seen = look(portal)
    assert {"gateway_slow", "file_slow", "home_slow"} <= codes(seen, Light.GREY)
    assert seen.light is Light.GREY


def test_a_thread_that_hangs_is_left_behind(
    portal: Portal, short: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a look-up of a name, which no time-out of a socket ends."""
    short(0.2)
    release = threading.Event()
    monkeypatch.setattr(KnoxLivyClient, "version", lambda self: release.wait(20))
    try:
        assert "gateway_slow" in codes(look(portal), Light.GREY)
    finally:
        release.set()


def test_a_mistake_in_a_probe_is_not_taken_for_an_answer(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: KnoxLivyClient) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(KnoxLivyClient, "version", broken)
    with pytest.raises(ZeroDivisionError):
        look(portal)


def test_other_errors_of_the_gateway_are_no_answer(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    def doubtful(self: KnoxLivyClient) -> None:
        raise Ambiguous("cut")

    monkeypatch.setattr(KnoxLivyClient, "version", doubtful)
    assert found(look(portal), "gateway_ill").params["condition"] == "server_error"


def test_no_thread_touches_the_database(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    users: set[str] = set()
    real = probing._timed

    def timed(probe: Any, end: float) -> Any:
        looked = real(probe, end)
        if connection.connection is not None:  # of this thread: Django opens it at the first query
            users.add(threading.current_thread().name)
        return looked

    monkeypatch.setattr(probing, "_timed", timed)
    assert look(portal).light is Light.GREEN
    assert users == set()


@pytest.mark.django_db(transaction=True)
def test_never_inside_a_transaction(portal: Portal) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        look(portal)


def test_a_good_finding_is_kept_a_while_and_fresh_asks_again(portal: Portal) -> None:
    look(portal)
    before = len(portal.sandbox.requests)
    assert look(portal, jar_args="--other", fresh=False).light is Light.GREEN
    assert len(portal.sandbox.requests) == before
    look(portal)
    assert len(portal.sandbox.requests) > before


def test_what_was_kept_is_as_old_as_it_is(portal: Portal) -> None:
    then = database_now() - timedelta(seconds=40)
    at = then.astimezone(UTC).isoformat(timespec="seconds")
    assert look(portal, now=then).at == at
    assert look(portal, fresh=False).at == at
    assert look(portal, jars=["hdfs:///other.jar"], fresh=False).at == at  # one of them is new, the others are not
    assert look(portal).at > at


def test_a_finding_is_of_one_address_and_user(portal: Portal) -> None:
    look(portal)
    set_gateway(portal, user="guest")
    assert "gateway_ill" in codes(look(portal, fresh=False))


def test_a_bad_finding_is_kept_for_less(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[tuple[set[str], float]] = []
    real = cache.set_many

    def set_many(values: dict[str, Any], seconds: float) -> Any:
        kept.append(({look.state for look in values.values()}, seconds))
        return real(values, seconds)

    monkeypatch.setattr(cache, "set_many", set_many)
    look(portal, jar_path="hdfs:///nope.jar")
    assert kept == [({"ok"}, 60), ({"missing"}, 10)]


def test_a_secret_that_cannot_be_read_asks_nobody(portal: Portal) -> None:
    def no_client(gateway: Gateway) -> KnoxLivyClient:
        raise NotSent("gone", condition=Condition.SECRET)

    looks = probing.look_around(portal.gateway, jar="/x", now=database_now(), client_for=no_client)
    assert {one.condition for one in looks.values()} == {"secret"}
    looks = probing.look_around(portal.gateway, jar="", now=database_now(), fresh=True, client_for=open_client)
    assert looks.keys() == {"livy:", "home:"}
