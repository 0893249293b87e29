"""The one reader of the environment and of `.env`: typed, frozen, lazy, and free of Django.

    from recovery.conf import Config
    Config.get_livy_jars()

works in a plain Python shell, as the guide has it (docs/reference/guide.fr.md). `read()` never raises: bad values
are listed as problems (Django's system checks refuse to start on them, `check_livy_config` prints them), while the
`Config` getters raise `ConfigError` for the variable that was asked for.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ

from recovery.domain.naming import PORTAL_ID
from recovery.domain.payload_rules import DEFAULT_SCHEMES, conf_problems, memory_problems, path_problems, word_problems
from recovery.domain.redaction import redact

BASE_DIR: Final = Path(__file__).resolve().parent.parent
_SCHEMES: Final = frozenset({*DEFAULT_SCHEMES, "file", "local"})
SECRET_VARIABLES: Final = frozenset({"AD_PASSWORD", "SECRET_KEY", "DATABASE_URL", "CELERY_BROKER_URL"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigProblem:
    """One variable that cannot be used: what was read, and what is expected."""

    variable: str
    read: str
    expected: str

    def __str__(self) -> str:
        return f"{self.variable}: read {self.read}, expected {self.expected}"


class ConfigError(ValueError):
    """A variable that was needed has a bad value."""

    def __init__(self, problem: ConfigProblem) -> None:
        self.problem = problem
        super().__init__(str(problem))


class _Bad(Exception):
    """Inside the readers: what is expected instead of the value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """A line of `.env.example`: its default as text and how to read it."""

    default: str
    read: Callable[[str], Any]


def _text(raw: str) -> str:
    return raw.strip()


def _secret(raw: str) -> str:
    return raw


def _flag(raw: str) -> bool:
    word = raw.strip().lower()
    if word in {"true", "1", "yes", "on"}:
        return True
    if word in {"false", "0", "no", "off", ""}:
        return False
    raise _Bad("true or false")


def _integer(minimum: int) -> Callable[[str], int]:
    def read_integer(raw: str) -> int:
        if not re.fullmatch(r"\s*[0-9]{1,9}\s*", raw) or int(raw) < minimum:
            raise _Bad(f"a whole number from {minimum} to 999999999")
        return int(raw)

    return read_integer


def _factor(raw: str) -> float:
    try:
        value = float(raw)
    except ValueError:
        value = 0.0
    if not 0 < value <= 100:
        raise _Bad("a number above 0, at most 100 (1 = production times)")
    return value


def _list(raw: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in raw.split(",") if item.strip())


def _paths(raw: str) -> tuple[str, ...]:
    paths = _list(raw)
    for path in paths:
        if problems := path_problems(path, field="", schemes=_SCHEMES):
            raise _Bad(
                f"comma-separated absolute paths such as hdfs:///libs/x.jar; {path!r} is wrong: {problems[0].code}"
            )
    return paths


def _conf(raw: str) -> Mapping[str, str]:
    """A JSON object of scalars. The `//` comments of the guide's sample are no JSON, and are named as such."""
    if not raw.strip():
        return MappingProxyType({})
    shape = 'a JSON object of scalars, such as {"spark.sql.shuffle.partitions":"200"}'
    try:
        value = json.loads(raw)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        if raw.strip() in {"{", "'{", '"{'}:
            raise _Bad(f"{shape}, all on one line: a line of .env ends at its end") from error
        if re.search(r'(^|[\s,{"0-9])//', raw):
            raise _Bad(f"{shape}, without // comments (JSON has none; stopped at {where})") from error
        raise _Bad(f"{shape} ({error.msg} at {where})") from error
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 5,000 opening brackets
        raise _Bad(f"{shape} ({type(error).__name__})") from error
    if not isinstance(value, dict):
        raise _Bad(f"{shape}, not a {type(value).__name__}")
    out: dict[str, str] = {}
    for key, item in value.items():
        if item is None or isinstance(item, (dict, list)):
            raise _Bad(f"{shape}; the value of {key!r} is not a scalar")
        out[key] = conf_scalar(item)
    for problem in conf_problems(out, schemes=_SCHEMES):
        raise _Bad(f"{shape}; {problem.code}: {dict(problem.params)}")
    return MappingProxyType(out)


def conf_scalar(item: str | float | bool) -> str:
    """A scalar of `conf` as Livy would make it a string: true, 200, 1.5."""
    return item if isinstance(item, str) else json.dumps(item)


def _host(raw: str) -> str:
    if raw.strip():
        _gateway_url(raw, "default")
    return raw.strip()


def _scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme
    except ValueError:  # "Invalid IPv6 URL"
        return ""


def _is_time_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name))
    except (LookupError, ValueError, OSError):
        return False


def _sound(expected: str, is_sound: Callable[[str], bool]) -> Callable[[str], str]:
    def read_text(raw: str) -> str:
        if not is_sound(raw.strip()):
            raise _Bad(expected)
        return raw.strip()

    return read_text


_word = _sound("one word without blanks", lambda word: not word or not word_problems(word, field=""))
_memory = _sound("a size with its unit, such as 4g or 512m", lambda size: not memory_problems(size, field=""))
_args_mode = _sound("single (one argument, as typed) or split (cut as a shell would)", {"single", "split"}.__contains__)
_language = _sound("fr or en", {"fr", "en"}.__contains__)
_portal_id = _sound(
    "a lower-case letter, then up to 19 of a-z, 0-9 and -; it starts every batch name",
    lambda name: PORTAL_ID.fullmatch(name) is not None,
)
_topology = _sound(
    "the name of a Knox topology, the part of the URL after /gateway/",
    lambda name: re.fullmatch(r"[A-Za-z0-9._-]+", name) is not None,
)
_database_url = _sound(
    "sqlite:///path or postgres://user:password@host:port/name",
    lambda url: _scheme(url) in {"sqlite", "postgres", "postgresql"},
)
_broker_url = _sound(
    "redis://host:port/0, or filesystem:// for one machine",
    lambda url: _scheme(url) in {"filesystem", "redis", "rediss", "memory"},
)
_time_zone = _sound("the name of a time zone, such as Europe/Paris or UTC", _is_time_zone)
_log_level = _sound(
    "DEBUG, INFO, WARNING, ERROR or CRITICAL",
    lambda level: level.upper() in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"},
)


VARIABLES: Final[Mapping[str, Variable]] = MappingProxyType(
    {
        name: Variable(default=default, read=reader)
        for name, default, reader in (
            ("KNOX_HOST", "", _host),
            ("KNOX_TOPOLOGY", "default", _topology),
            ("KNOX_YARN_PATH", "", _text),
            ("KNOX_VERIFY_TLS", "true", _flag),
            ("KNOX_CA_BUNDLE", "", _text),
            ("AD_USER", "", _text),
            ("AD_PASSWORD", "", _secret),
            ("AD_PASSWORD_FILE", "", _text),
            ("PROXY_USER", "sddesigner", _word),
            ("LIVY_JARS", "", _paths),
            ("LIVY_FILES", "", _paths),
            ("LIVY_ARCHIVES", "", _paths),
            ("LIVY_PY_FILES", "", _paths),
            ("LIVY_CONF", "{}", _conf),
            ("LIVY_DRIVER_MEMORY", "4g", _memory),
            ("LIVY_DRIVER_CORES", "2", _integer(1)),
            ("LIVY_EXECUTOR_MEMORY", "4g", _memory),
            ("LIVY_EXECUTOR_CORES", "2", _integer(1)),
            ("LIVY_NUM_EXECUTORS", "4", _integer(1)),
            ("LIVY_QUEUE", "root.datalake", _word),
            ("LIVY_CLASS_NAME", "", _text),
            ("LIVY_ARGS_MODE", "single", _args_mode),
            ("LIVY_URI_SCHEMES", ",".join(DEFAULT_SCHEMES), _list),
            ("LIVY_SINGLE", "true", _flag),
            ("LIVY_RECOVERY", "false", _flag),
            ("LIVY_RETENTION", "600", _integer(60)),
            ("LIVY_MAX_RUNNING", "0", _integer(0)),
            ("PORTAL_ID", "portal", _portal_id),
            ("PORTAL_PACING_SCALE", "1", _factor),
            ("PORTAL_VAR_DIR", "var", _text),
            ("DATABASE_URL", "sqlite:///var/portal.sqlite3", _database_url),
            ("CELERY_BROKER_URL", "filesystem://", _broker_url),
            ("SECRET_KEY", "", _secret),
            ("DEBUG", "false", _flag),
            ("ALLOWED_HOSTS", "localhost,127.0.0.1", _list),
            ("CSRF_TRUSTED_ORIGINS", "", _list),
            ("SECURE_PROXY", "false", _flag),
            ("INSECURE_HTTP", "false", _flag),
            ("TIME_ZONE", "Europe/Paris", _time_zone),
            ("LANGUAGE_CODE", "fr", _language),
            ("LOG_LEVEL", "INFO", _log_level),
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
        except _Bad as bad:
            shown = "***" if name in SECRET_VARIABLES else repr(redact(raw)[:1000])
            problems.append(ConfigProblem(variable=name, read=shown, expected=str(bad)))
            values[name] = variable.read(variable.default)
    if values["AD_PASSWORD"] and values["AD_PASSWORD_FILE"]:
        expected = "either AD_PASSWORD or AD_PASSWORD_FILE, not both"
        problems.append(ConfigProblem(variable="AD_PASSWORD_FILE", read="both", expected=expected))
    return Reading(values=MappingProxyType(values), problems=tuple(problems), path=path)


def environment_of(path: Path) -> dict[str, str]:
    """The process's environment over the lines of the `.env` file at `path`; values stay as they are written.

    django-environ reads the file; its `$NAME` references are not followed, so a password may begin with `$`.
    """
    own = dict(os.environ)
    if path.is_file():

        class FromFile(environ.Env):  # type: ignore[misc]  # django-environ has no types
            """Collects the file's lines instead of writing them into the process's environment."""

            ENVIRON: ClassVar[dict[str, str]] = {}

        try:
            FromFile.read_env(str(path), encoding="utf-8-sig")  # editors on Windows put a mark in front
        except UnicodeDecodeError as error:
            read = f"a byte that is no UTF-8 at position {error.start}"
            raise ConfigError(ConfigProblem(variable=str(path), read=read, expected="a text in UTF-8")) from error
        own = {**FromFile.ENVIRON, **own}
    return own


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
        return _gateway_url(host, topology)
    except _Bad as bad:
        raise ConfigError(ConfigProblem(variable="KNOX_HOST", read=repr(redact(host)), expected=str(bad))) from bad


def _gateway_url(host: str, topology: str) -> str:
    url = host.strip() if "://" in host else f"https://{host.strip()}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _Bad("host, host:port or https://host:port") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"[\s@?#]", url):
        raise _Bad("host, host:port or https://host:port, without user and query")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/")
    if path not in {"", "/gateway"}:
        return f"{parts.scheme}://{name}:{port or 8443}{path}"
    return f"{parts.scheme}://{name}:{port or 8443}/gateway/{topology}"


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
                wanted = f"a file whose first line is the password ({type(error).__name__})"
                raise ConfigError(ConfigProblem(variable="AD_PASSWORD_FILE", read=path, expected=wanted)) from error
        return str(now["AD_PASSWORD"])
