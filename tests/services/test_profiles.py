"""Profiles and gateways: the profile `env` (H4), versions, duplicates, "test this connection"."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from recovery import checks, conf
from recovery.domain.errors import InvalidInput
from recovery.models import Gateway, LivyProfile, RecoveryEvent, SubjectType
from recovery.services import connection, profiles
from tests.factories import make_gateway, make_profile, make_recovery, make_user
from tests.services.conftest import Portal

pytestmark = pytest.mark.django_db

ENVIRONMENT = {
    "KNOX_HOST": "knox.example.org",
    "AD_USER": "svc",
    "AD_PASSWORD": "secret-1",
    "LIVY_JARS": "hdfs:///libs/a.jar, hdfs:///libs/b.jar",
    "LIVY_CONF": '{"spark.sql.shuffle.partitions":200}',
}


def _read(**changes: str) -> conf.Reading:
    return conf.read(ENVIRONMENT | changes)


def _sync(**changes: str) -> LivyProfile:
    profile = profiles.sync_env(reading=_read(**changes))
    assert profile is not None
    return profile


def test_h4_env_makes_a_profile_and_its_gateway() -> None:
    profile = _sync()
    assert (profile.name, profile.managed_by_env, profile.version) == ("env", True, 1)
    assert profile.jars == ["hdfs:///libs/a.jar", "hdfs:///libs/b.jar"]
    assert profile.conf == {"spark.sql.shuffle.partitions": "200"}
    assert (profile.driver_memory, profile.num_executors, profile.proxy_user) == ("4g", 4, "sddesigner")
    gateway = profile.gateway
    assert gateway.base_url == "https://knox.example.org:8443/gateway/default"
    assert gateway.secret_ref == "env:AD_PASSWORD"
    assert profiles.env_differences(_read()) == []
    assert _sync().version == 1  # nothing changed


def test_h4_a_changed_value_raises_the_version() -> None:
    _sync()
    assert profiles.env_differences(_read(LIVY_QUEUE="root.x")) == ["queue"]
    profile = _sync(LIVY_QUEUE="root.x")
    assert (profile.version, profile.queue) == (2, "root.x")


def test_h4_env_says_what_its_profile_is_for() -> None:
    assert _sync().description == ""
    assert profiles.env_differences(_read(LIVY_DESCRIPTION="For all tables.")) == ["description"]
    assert _sync(LIVY_DESCRIPTION="For all tables.").description == "For all tables."


def test_h4_a_changed_address_makes_a_new_gateway_once_the_old_one_was_used() -> None:
    first = _sync()
    unused = _sync(KNOX_HOST="knox2.example.org")
    assert unused.gateway.pk == first.gateway.pk  # nobody had used it
    make_recovery(profile=LivyProfile.objects.get(pk=first.pk))
    moved = _sync(KNOX_HOST="knox3.example.org")
    assert moved.gateway.pk != first.gateway.pk
    assert moved.gateway.name == "env-2"
    assert moved.gateway.webhdfs_path == ""
    make_recovery(profile=moved)
    looked_at = _sync(KNOX_HOST="knox3.example.org", KNOX_WEBHDFS_PATH="webhdfs/v1")
    assert (looked_at.gateway.name, looked_at.gateway.webhdfs_path) == ("env-3", "webhdfs/v1")
    old = Gateway.objects.get(pk=first.gateway.pk)
    assert (old.follow_only, old.managed_by_env) == (True, False)


def test_h4_a_changed_secret_file_or_cap_stays_on_the_same_gateway() -> None:
    first = _sync()
    make_recovery(profile=LivyProfile.objects.get(pk=first.pk))
    second = _sync(AD_PASSWORD="", AD_PASSWORD_FILE="/run/secrets/knox", LIVY_MAX_RUNNING="3")
    assert second.gateway.pk == first.gateway.pk
    assert (second.gateway.secret_ref, second.gateway.max_running) == ("file:/run/secrets/knox", 3)
    kinds = [e.facts["changed"] for e in RecoveryEvent.objects.of(SubjectType.GATEWAY, first.gateway.pk) if e.facts]
    assert ["max_running", "secret_ref"] in kinds


def test_h4_without_knox_host_there_is_no_profile() -> None:
    assert profiles.sync_env(reading=conf.read({})) is None
    assert profiles.env_differences(conf.read({})) == []
    assert profiles.env_differences(_read()) == ["env"]
    assert profiles.sync_env() is None


def test_h4_a_name_that_is_taken() -> None:
    make_profile(name="env")
    assert _sync(AD_USER="", AD_PASSWORD="").name == "env-2"
    assert Gateway.objects.get(managed_by_env=True).auth_kind == "none"


def test_a_saved_profile_is_checked_and_its_version_rises() -> None:
    by = make_user()
    profile = make_profile()
    profile.driver_memory = "8g"
    assert profiles.save_profile(profile=profile, by=by).version == 2
    new = LivyProfile(name="fresh", gateway=profile.gateway, conf={"spark.master": "yarn"})
    with pytest.raises(InvalidInput):
        profiles.save_profile(profile=new, by=by)
    new.conf = {}
    assert profiles.save_profile(profile=new, by=by).version == 1


def _last_event(profile: LivyProfile) -> dict[str, Any]:
    event = RecoveryEvent.objects.of(SubjectType.PROFILE, profile.pk).last()
    assert event is not None
    return event.facts


def test_a_version_is_about_what_is_launched_and_where() -> None:
    by, profile = make_user(), make_profile(description="nightly", conf={"spark.a": "1", "spark.b": "2"})
    lines = profile.history.count()
    profile.conf = {"spark.b": "2", "spark.a": "1"}
    assert profiles.save_profile(profile=profile, by=by).version == 1
    assert profile.history.count() == lines, "nothing was changed, so nothing is told"
    assert not RecoveryEvent.objects.of(SubjectType.PROFILE, profile.pk).exists()
    profile.description, profile.enabled = "weekly", False
    assert profiles.save_profile(profile=profile, by=by).version == 1
    assert _last_event(profile) == {"changed": ["description", "enabled"], "version": 1}
    profile.gateway, profile.queue = make_gateway(), "root.night"
    assert profiles.save_profile(profile=profile, by=by).version == 2
    assert _last_event(profile) == {"changed": ["gateway", "queue"], "version": 2}
    assert profile.history.count() == lines + 2


def test_who_may_use_a_profile_is_kept_in_its_history() -> None:
    by, profile = make_user(), make_profile(groups=["Stewards"])
    lines, then, now = profile.history.count(), *Group.objects.filter(name__in=["Stewards", "Operators"])
    assert profiles.save_profile(profile=profile, by=by, groups=[then, now]).version == 1
    assert profiles.save_profile(profile=profile, by=by, groups=[now, then]).version == 1, "the same ones"
    assert profile.history.count() == lines + 1
    assert _last_event(profile) == {
        "changed": ["allowed_groups"], "groups_before": ["Stewards"], "groups_now": ["Operators", "Stewards"],
        "version": 1,
    }  # fmt: skip
    newest = profile.history.first()
    assert newest is not None
    assert {kept.group.name for kept in newest.allowed_groups.all()} == {"Stewards", "Operators"}
    assert newest.history_user == by
    profiles.save_profile(profile=profile, by=by, groups=[])
    assert not profile.allowed_groups.exists()
    assert _last_event(profile)["groups_now"] == []
    profile.queue = "root.other"
    assert profiles.save_profile(profile=profile, by=by).version == 2
    assert not profile.allowed_groups.exists(), "left as they are"


def test_a_new_profile_and_a_copy_have_one_line_of_history_with_their_groups() -> None:
    by = make_user()
    new = LivyProfile(name="fresh", gateway=make_gateway())
    profiles.save_profile(profile=new, by=by, groups=Group.objects.filter(name="Stewards"))
    copy = profiles.duplicate_profile(profile=new, name="mine", by=by)
    for profile in (new, copy):
        line = profile.history.get()
        assert (line.history_type, line.history_user) == ("+", by)
        assert [kept.group.name for kept in line.allowed_groups.all()] == ["Stewards"]


def test_a_duplicate_is_free_of_env() -> None:
    copy = profiles.duplicate_profile(profile=_sync(), name="mine", by=make_user())
    assert (copy.managed_by_env, copy.enabled, copy.queue) == (False, False, "root.datalake")


def test_commands_sync_and_adopt(capsys: pytest.CaptureFixture[str], settings: Any) -> None:
    call_command("sync_env")
    assert "there is no profile" in capsys.readouterr().out
    settings.ENV = _read()
    call_command("sync_env")
    assert "env: version 1, on env" in capsys.readouterr().out
    call_command("adopt_database", "--moved")
    assert "This database is portal, epoch 2 now." in capsys.readouterr().out


def test_check_livy_config(portal: Portal, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.management.base import CommandError

    from recovery.management.commands import check_livy_config

    host = portal.sandbox.url.split("/gateway/")[0]
    good = ENVIRONMENT | {"KNOX_HOST": host, "KNOX_TOPOLOGY": "sandbox", "AD_USER": "svc_portal"}

    def run(environment: dict[str, str], *options: str) -> str:
        read = conf.read(environment)
        monkeypatch.setattr(check_livy_config, "reading", lambda: read)
        monkeypatch.setattr(conf, "reading", lambda: read)
        call_command("check_livy_config", *options)
        return capsys.readouterr().out

    out = run(good | {"AD_PASSWORD": "svc-password"}, "--probe")
    assert "JARs: ['hdfs:///libs/a.jar', 'hdfs:///libs/b.jar']" in out
    assert "AD_PASSWORD=***" in out
    assert "svc-password" not in out
    assert "Livy 0.7.1-incubating" in out
    with pytest.raises(CommandError, match="refuses our credentials"):
        run(good, "--probe")
    with pytest.raises(CommandError, match="KNOX_HOST is not set"):
        run({}, "--probe")
    with pytest.raises(CommandError, match="1 variable"):
        run(good | {"LIVY_CONF": "[]"})
    assert "LIVY_CONF: read '[]'" in capsys.readouterr().err


def test_secrets_come_from_env_files_and_the_environment(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """A line of `.env` is no environment variable, and `env:AD_PASSWORD` means it all the same."""
    monkeypatch.delenv("AD_PASSWORD", raising=False)
    settings.ENV = _read(AD_PASSWORD="svc-password")
    Gateway.objects.filter(pk=portal.gateway.pk).update(secret_ref="env:AD_PASSWORD")
    gateway = Gateway.objects.get(pk=portal.gateway.pk)
    assert connection.try_connection(gateway=gateway, now=timezone.now()).ok


def test_h4_a_start_with_a_differing_env_warns(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _sync()
    monkeypatch.setattr(conf, "reading", _read)
    checks.warn_of_differences()
    assert "env_differs" not in caplog.text
    monkeypatch.setattr(conf, "reading", lambda: _read(LIVY_QUEUE="root.x"))
    checks.warn_of_differences()
    assert "env_differs" in caplog.text
    assert "queue" in caplog.text


def test_h4_a_start_without_a_database_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(reading: conf.Reading) -> list[str]:
        raise OperationalError

    monkeypatch.setattr(checks, "env_differences", away)
    checks.warn_of_differences()
    assert "env_not_compared" in caplog.text


def test_lines_from_before_the_groups_were_kept_are_marked_and_the_newest_one_is_completed() -> None:
    """What migration 0009 does to a database that has been in use."""
    migration = import_module("recovery.migrations.0009_profile_groups_in_history")
    profile = make_profile(groups=["Stewards"])
    LivyProfile.history.filter(id=profile.pk).delete()
    bare = LivyProfile.objects.create(name="bare", gateway=profile.gateway)
    LivyProfile.history.filter(id=bare.pk).delete()
    for queue in ("a", "b"):
        profile.queue = queue
        profile.save()
    kept = apps.get_model("recovery", "HistoricalLivyProfile_allowed_groups")._default_manager
    kept.all().delete()
    migration.keep_what_is_known(apps, None)
    newest, older = profile.history.all()
    assert (newest.history_change_reason, older.history_change_reason) == (None, migration.NOT_KEPT)
    assert [one.group.name for one in newest.allowed_groups.all()] == ["Stewards"]
    assert not older.allowed_groups.exists()
    migration.forget_the_marks(apps, None)
    assert not profile.history.exclude(history_change_reason=None).exists()
