"""System checks: a bad `.env` stops the start, in words that name the variable, what was read and the cure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import registry, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from recovery import checks, conf
from recovery.domain.pacing import Pacing

SQLITE = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "x"}}
POSTGRES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "x"}}


@pytest.fixture
def env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    for name in conf.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / ".env"
    monkeypatch.setenv("PORTAL_ENV_FILE", str(path))
    conf.reading.cache_clear()
    yield path
    conf.reading.cache_clear()


def test_a_good_environment_has_no_message(env_file: Path) -> None:
    env_file.write_text("LIVY_JARS=hdfs:///a.jar\n")
    assert checks.environment() == []


def test_each_bad_variable_is_an_error_with_its_cure(env_file: Path) -> None:
    env_file.write_text('LIVY_CONF={"spark.a":"b"} // no\nLIVY_DRIVER_MEMORY=lots\n')
    first, second = checks.environment()
    assert first.id == second.id == "recovery.E001"
    assert first.is_serious()
    assert first.msg.startswith('LIVY_CONF cannot be used: read \'{"spark.a"')
    assert first.hint is not None
    assert "a JSON object of scalars" in first.hint
    assert second.msg == "LIVY_DRIVER_MEMORY cannot be used: read 'lots'."
    assert second.hint == (
        "Expected: a size with its unit, such as 4g or 512m. Correct it in .env or in the environment."
    )


def test_a_secret_is_not_in_the_message(env_file: Path) -> None:
    env_file.write_text("DATABASE_URL=mysql://u:hunter22@h/n\n")
    (error,) = checks.environment()
    assert error.msg == "DATABASE_URL cannot be used: read ***."
    assert "hunter22" not in str(error)


def test_two_passwords_are_an_error(env_file: Path) -> None:
    env_file.write_text("AD_PASSWORD=a\nAD_PASSWORD_FILE=/run/b\n")
    (error,) = checks.environment()
    assert error.msg == "AD_PASSWORD_FILE cannot be used: read both."


def test_a_tests_pacing_is_refused_for_production() -> None:
    with override_settings(RECOVERY_PACING=Pacing().scaled(0.5)):
        (error,) = checks.production_pacing()
    assert error.id == "recovery.E002"
    assert "settle" not in error.msg  # 60 s: at its floor
    assert "read_timeout (at least 30 s)" in error.msg
    assert "PORTAL_PACING_SCALE" in error.msg
    assert error.hint
    with override_settings(RECOVERY_PACING=Pacing()):
        assert checks.production_pacing() == []


@pytest.mark.parametrize(
    ("databases", "debug", "ids"),
    [(SQLITE, False, ["recovery.W001"]), (SQLITE, True, []), (POSTGRES, False, []), (POSTGRES, True, [])],
)
def test_sqlite_in_production_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, databases: dict[str, dict[str, str]], debug: bool, ids: list[str]
) -> None:
    monkeypatch.setattr(settings, "DATABASES", databases)
    monkeypatch.setattr(settings, "DEBUG", debug)
    found = checks.production_stores()
    assert [message.id for message in found] == ids
    assert all(not message.is_serious() for message in found)
    assert all("DATABASE_URL" in message.msg and message.hint for message in found)


def names(found: Iterable[Any]) -> set[str]:
    return {check.__name__ for check in found if check.__module__ == "recovery.checks"}


def test_the_checks_are_registered_and_two_are_for_deployment_only() -> None:
    own = names(registry.registry.get_checks())
    deploy = names(registry.registry.get_checks(include_deployment_checks=True))
    assert "environment" in own
    assert {"production_pacing", "production_stores"} <= deploy - own


def test_a_start_with_a_bad_value_is_refused(env_file: Path) -> None:
    env_file.write_text("PORTAL_ID=Prod\n")
    with pytest.raises(ImproperlyConfigured, match=r"PORTAL_ID cannot be used: read 'Prod'\.") as caught:
        checks.refuse_bad_configuration()
    assert "recovery.E001" in str(caught.value)
    assert "Expected: a lower-case letter" in str(caught.value)


def test_a_start_with_good_values_goes_on(env_file: Path) -> None:
    env_file.write_text("PORTAL_ID=prod\n")
    assert [message for message in run_checks() if message.is_serious()] == []
    checks.refuse_bad_configuration()
