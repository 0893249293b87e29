"""The one reader of the environment and of `.env`: typed, frozen, lazy, and free of Django.

    from recovery.conf import Config
    Config.get_livy_jars()

works in a plain Python shell, as the guide has it (docs/reference/guide.fr.md). `read()` never raises: bad values
are listed as problems (Django's system checks refuse to start on them, `check_livy_config` prints them), while the
`Config` getters raise `ConfigError` for the variable that was asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, ClassVar, Final

import environ

from recovery.conf import readers
from recovery.conf.expected import english
from recovery.conf.readers import conf_scalar as conf_scalar
from recovery.domain.errors import Problem
from recovery.domain.payload_rules import DEFAULT_SCHEMES
from recovery.domain.redaction import redact

BASE_DIR: Final = Path(__file__).resolve().parent.parent.parent
SECRET_VARIABLES: Final = frozenset({"AD_PASSWORD", "SECRET_KEY", "DATABASE_URL", "CELERY_BROKER_URL", "EMAIL_URL"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigProblem:
    """One variable that cannot be used: what was read, and the code of what is expected (`expected.py`)."""

    variable: str
    read: str
    code: str
    params: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    broke: Problem | None = None
    """The rule of Livy that the value broke."""

    @property
    def expected(self) -> str:
        """In English."""
        return english(self.code, self.params)

    def __str__(self) -> str:
        return f"{self.variable}: read {self.read}, expected {self.expected}"


class ConfigError(ValueError):
    """A variable that was needed has a bad value."""

    def __init__(self, problem: ConfigProblem) -> None:
        self.problem = problem
        super().__init__(str(problem))


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """A line of `.env.example`: its default as text and how to read it."""

    default: str
    read: Callable[[str], Any]


VARIABLES: Final[Mapping[str, Variable]] = MappingProxyType(
    {
        name: Variable(default=default, read=reader)
        for name, default, reader in (
            ("KNOX_HOST", "", readers.host),
            ("KNOX_TOPOLOGY", "default", readers.topology),
            ("KNOX_YARN_PATH", "", readers.text),
            ("KNOX_WEBHDFS_PATH", "", readers.text),
            ("KNOX_VERIFY_TLS", "true", readers.flag),
            ("KNOX_CA_BUNDLE", "", readers.text),
            ("AD_USER", "", readers.text),
            ("AD_PASSWORD", "", readers.secret),
            ("AD_PASSWORD_FILE", "", readers.text),
            ("PROXY_USER", "sddesigner", readers.word),
            ("LIVY_JARS", "", readers.paths),
            ("LIVY_FILES", "", readers.paths),
            ("LIVY_ARCHIVES", "", readers.paths),
            ("LIVY_PY_FILES", "", readers.paths),
            ("LIVY_CONF", "{}", readers.spark_conf),
            ("LIVY_DRIVER_MEMORY", "4g", readers.memory),
            ("LIVY_DRIVER_CORES", "2", readers.integer(1)),
            ("LIVY_EXECUTOR_MEMORY", "4g", readers.memory),
            ("LIVY_EXECUTOR_CORES", "2", readers.integer(1)),
            ("LIVY_NUM_EXECUTORS", "4", readers.integer(1)),
            ("LIVY_QUEUE", "root.datalake", readers.word),
            ("LIVY_CLASS_NAME", "", readers.text),
            ("LIVY_ARGS_MODE", "single", readers.args_mode),
            ("LIVY_DESCRIPTION", "", readers.sentence(300)),
            ("LIVY_URI_SCHEMES", ",".join(DEFAULT_SCHEMES), readers.words),
            ("LIVY_SINGLE", "true", readers.flag),
            ("LIVY_RECOVERY", "false", readers.flag),
            ("LIVY_RETENTION", "600", readers.integer(60)),
            ("LIVY_MAX_RUNNING", "0", readers.integer(0)),
            ("PORTAL_ID", "portal", readers.portal_id),
            ("PORTAL_PACING_SCALE", "1", readers.factor),
            ("PORTAL_POLL_SECONDS", "5", readers.integer(2, 30)),
            ("REASON_PATTERN", "", readers.pattern),
            ("REASON_HELP", "", readers.text),
            ("REASON_HELP_FR", "", readers.text),
            ("PORTAL_VAR_DIR", "var", readers.text),
            ("DATABASE_URL", "sqlite:///var/portal.sqlite3", readers.database_url),
            ("CELERY_BROKER_URL", "filesystem://", readers.broker_url),
            ("SECRET_KEY", "", readers.secret),
            ("DEBUG", "false", readers.flag),
            ("ALLOWED_HOSTS", "localhost,127.0.0.1", readers.words),
            ("CSRF_TRUSTED_ORIGINS", "", readers.words),
            ("SECURE_PROXY", "false", readers.flag),
            ("INSECURE_HTTP", "false", readers.flag),
            ("TIME_ZONE", "Europe/Paris", readers.time_zone),
            ("LANGUAGE_CODE", "fr", readers.language),
            ("LOG_LEVEL", "INFO", readers.log_level),
            ("ALARM_EMAILS", "", readers.emails),
            ("ALARM_EMAIL_FROM", "portal@localhost", readers.email),
            ("EMAIL_URL", "", readers.email_url),
            ("PORTAL_URL", "", readers.web_address),
        )
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What the environment says: `values` (a bad one replaced by its default) and `problems`."""

    values: Mapping[str, Any]
    problems: tuple[ConfigProblem, ...] = ()
    path: Path | None = field(default=None)

    def __getitem__(self, variable: str) -> Any:
        return self.values[variable]

    def checked(self, variable: str) -> Any:
        """The value, or ConfigError when it is one of the bad ones."""
        for problem in self.problems:
            if problem.variable == variable:
                raise ConfigError(problem)
        return self.values[variable]


def read(environment: Mapping[str, str], *, path: Path | None = None) -> Reading:
    """Read every variable; an unset one takes its default, a bad one its default and a problem."""
    values: dict[str, Any] = {}
    problems: list[ConfigProblem] = []
    for name, variable in VARIABLES.items():
        raw = environment.get(name, variable.default)
        try:
            values[name] = variable.read(raw)
        except readers.Bad as bad:
            shown = "***" if name in SECRET_VARIABLES else repr(redact(raw)[:1000])
            problems.append(ConfigProblem(variable=name, read=shown, code=bad.code, params=bad.params, broke=bad.broke))
            values[name] = variable.read(variable.default)
    if values["AD_PASSWORD"] and values["AD_PASSWORD_FILE"]:
        problems.append(ConfigProblem(variable="AD_PASSWORD_FILE", read="both", code="one_password"))
    if values["ALARM_EMAILS"] and not values["EMAIL_URL"]:
        problems.append(ConfigProblem(variable="EMAIL_URL", read="nothing", code="mail_server"))
    return Reading(values=MappingProxyType(values), problems=tuple(problems), path=path)


def environment_of(path: Path) -> dict[str, str]:
    """The process's environment over the lines of the `.env` file at `path`; values stay as they are written.

    django-environ reads the file; its `$NAME` references are not followed, so a password may begin with `$`.
    """
    own = dict(os.environ)
    if path.is_file():
        try:
            own = {**lines_of(path), **own}
        except UnicodeDecodeError as error:
            read = f"a byte that is no UTF-8 at position {error.start}"
            raise ConfigError(ConfigProblem(variable=str(path), read=read, code="utf8")) from error
    return own


def lines_of(source: Path | IO[str]) -> dict[str, str]:
    """The lines of a `.env` file, or of a text that looks like one; values stay as they are written."""

    class FromFile(environ.Env):  # type: ignore[misc]  # django-environ has no types
        """Collects the file's lines instead of writing them into the process's environment."""

        ENVIRON: ClassVar[dict[str, str]] = {}

    # editors on Windows put a mark in front
    FromFile.read_env(str(source) if isinstance(source, Path) else source, encoding="utf-8-sig")
    return dict(FromFile.ENVIRON)


@cache
def reading() -> Reading:
    """The reading of this process: `.env` beside manage.py (or at PORTAL_ENV_FILE) under the real environment."""
    path = Path(os.environ.get("PORTAL_ENV_FILE", BASE_DIR / ".env"))
    return read(environment_of(path), path=path)


def gateway_url(host: str, topology: str) -> str:
    """`KNOX_HOST` (host, host:port or URL) and a topology as `https://host:8443/gateway/topology`.

    https and 8443 when unsaid; a URL that has a path of its own is taken as it stands. Raises ConfigError.
    """
    try:
        return readers.url_of_gateway(host, topology)
    except readers.Bad as bad:
        raise ConfigError(ConfigProblem(variable="KNOX_HOST", read=repr(redact(host)), code=bad.code)) from bad


class _ConfigMeta(type):
    """Attributes of the class `Config` are read from the environment when they are asked for."""

    def __getattr__(cls, variable: str) -> Any:
        if variable not in VARIABLES:
            raise AttributeError(variable)
        return reading().checked(variable)


class Config(metaclass=_ConfigMeta):
    """The guide's class: `Config.KNOX_HOST`, `Config.AD_USER`, `Config.get_livy_jars()` and its sisters.

    Raises ConfigError, naming the variable, what was read and what is expected. Needs neither Django nor SECRET_KEY.
    """

    @staticmethod
    def get_livy_jars() -> list[str]:
        """Extra jars for the class path, from `LIVY_JARS`."""
        return list(reading().checked("LIVY_JARS"))

    @staticmethod
    def get_livy_files() -> list[str]:
        """Files copied to the job's working directory, from `LIVY_FILES`."""
        return list(reading().checked("LIVY_FILES"))

    @staticmethod
    def get_livy_archives() -> list[str]:
        """Archives unpacked in the job's working directory, from `LIVY_ARCHIVES`."""
        return list(reading().checked("LIVY_ARCHIVES"))

    @staticmethod
    def get_livy_py_files() -> list[str]:
        """Python files for PySpark, from `LIVY_PY_FILES`."""
        return list(reading().checked("LIVY_PY_FILES"))

    @staticmethod
    def get_livy_conf() -> dict[str, str]:
        """Spark configuration, from the JSON object `LIVY_CONF`."""
        return dict(reading().checked("LIVY_CONF"))

    @staticmethod
    def get_ad_password() -> str:
        """`AD_PASSWORD`, or the first line of the file at `AD_PASSWORD_FILE`; read anew at each call."""
        now = reading()
        if path := now.checked("AD_PASSWORD_FILE"):
            try:
                return Path(path).read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
            except (OSError, UnicodeDecodeError) as error:
                why = {"error": type(error).__name__}
                problem = ConfigProblem(variable="AD_PASSWORD_FILE", read=path, code="password_file", params=why)
                raise ConfigError(problem) from error
        return str(now["AD_PASSWORD"])
