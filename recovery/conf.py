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

import environ

from recovery.domain.naming import PORTAL_ID
from recovery.domain.payload_rules import DEFAULT_SCHEMES, conf_problems, memory_problems, path_problems

BASE_DIR: Final = Path(__file__).resolve().parent.parent
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
        if not re.fullmatch(r"\s*[0-9]+\s*", raw) or int(raw) < minimum:
            raise _Bad(f"a whole number from {minimum}")
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
        schemes = frozenset({*DEFAULT_SCHEMES, "file", "local"})
        if problems := path_problems(path, field="", schemes=schemes):
            raise _Bad(
                f"comma-separated absolute paths such as hdfs:///libs/x.jar; {path!r} is wrong: {problems[0].code}"
            )
    return paths


def _memory(raw: str) -> str:
    if memory_problems(raw.strip(), field=""):
        raise _Bad("a size with its unit, such as 4g or 512m")
    return raw.strip()


def _conf(raw: str) -> Mapping[str, str]:
    """A JSON object of scalars. The `//` comments of the guide's sample are no JSON, and are named as such."""
    if not raw.strip():
        return MappingProxyType({})
    shape = 'a JSON object of scalars, such as {"spark.sql.shuffle.partitions":"200"}'
    try:
        value = json.loads(raw)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        if raw.strip() == "{":
            raise _Bad(f"{shape}, all on one line: a line of .env ends at its end") from error
        if re.search(r'(^|[\s,{"0-9])//', raw):
            raise _Bad(f"{shape}, without // comments (JSON has none; stopped at {where})") from error
        raise _Bad(f"{shape} ({error.msg} at {where})") from error
    if not isinstance(value, dict):
        raise _Bad(f"{shape}, not a {type(value).__name__}")
    out: dict[str, str] = {}
    for key, item in value.items():
        if item is None or isinstance(item, (dict, list)):
            raise _Bad(f"{shape}; the value of {key!r} is not a scalar")
        out[key] = conf_scalar(item)
    for problem in conf_problems(out, schemes=frozenset({*DEFAULT_SCHEMES, "file", "local"})):
        raise _Bad(f"{shape}; {problem.code}: {dict(problem.params)}")
    return MappingProxyType(out)


def conf_scalar(item: str | float | bool) -> str:
    """A scalar of `conf` as Livy would make it a string: true, 200, 1.5."""
    return item if isinstance(item, str) else json.dumps(item)


def _args_mode(raw: str) -> str:
    if raw.strip() not in {"single", "split"}:
        raise _Bad("single (one argument, as typed) or split (cut as a shell would)")
    return raw.strip()


def _portal_id(raw: str) -> str:
    if not PORTAL_ID.fullmatch(raw.strip()):
        raise _Bad("a lower-case letter, then up to 19 of a-z, 0-9 and -; it starts every batch name")
    return raw.strip()


def _host(raw: str) -> str:
    if raw.strip():
        gateway_url(raw, "default")
    return raw.strip()


def _topology(raw: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", raw.strip()):
        raise _Bad("the name of a Knox topology, the part of the URL after /gateway/")
    return raw.strip()


def _database_url(raw: str) -> str:
    if urlsplit(raw).scheme not in {"sqlite", "postgres", "postgresql"}:
        raise _Bad("sqlite:///path or postgres://user:password@host:port/name")
    return raw.strip()


def _broker_url(raw: str) -> str:
    if urlsplit(raw).scheme not in {"filesystem", "redis", "rediss", "memory"}:
        raise _Bad("redis://host:port/0, or filesystem:// for one machine")
    return raw.strip()


def _language(raw: str) -> str:
    if raw.strip() not in {"fr", "en"}:
        raise _Bad("fr or en")
    return raw.strip()


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
            ("PROXY_USER", "sddesigner", _text),
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
            ("LIVY_QUEUE", "root.datalake", _text),
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
            ("TIME_ZONE", "Europe/Paris", _text),
            ("LANGUAGE_CODE", "fr", _language),
            ("LOG_LEVEL", "INFO", _text),
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
            shown = "***" if name in SECRET_VARIABLES else repr(raw)
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

        FromFile.read_env(str(path))
        own = {**FromFile.ENVIRON, **own}
    return own


@cache
def reading() -> Reading:
    """The reading of this process: `.env` beside manage.py (or at PORTAL_ENV_FILE) under the real environment."""
    path = Path(os.environ.get("PORTAL_ENV_FILE", BASE_DIR / ".env"))
    return read(environment_of(path), path=path)


def gateway_url(host: str, topology: str) -> str:
    """`KNOX_HOST` (host, host:port or URL) and a topology as `https://host:8443/gateway/topology`.

    https and 8443 when unsaid; a URL that has a path of its own is taken as it stands.
    """
    text = host.strip().rstrip("/")
    url = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _Bad("host, host:port or https://host:port") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise _Bad("host, host:port or https://host:port, without user and query")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if parts.path not in {"", "/gateway"}:
        return f"{parts.scheme}://{name}:{port or 8443}{parts.path}"
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
        if path := now["AD_PASSWORD_FILE"]:
            return Path(path).read_text(encoding="utf-8").split("\n", 1)[0]
        return str(now["AD_PASSWORD"])
