"""How each kind of variable is read from its text. A reader raises `Bad` with what is expected (`expected.py`)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from recovery.domain.errors import Problem
from recovery.domain.naming import PORTAL_ID
from recovery.domain.payload_rules import DEFAULT_SCHEMES, conf_problems, memory_problems, path_problems, word_problems

SCHEMES: Final = frozenset({*DEFAULT_SCHEMES, "file", "local"})


class Bad(Exception):
    """Inside the readers: the code of what is expected instead of the value, and the rule of Livy that it broke."""

    def __init__(self, code: str, *, broke: Problem | None = None, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.broke = broke
        self.params = params


def text(raw: str) -> str:
    """As it stands, without blanks around it."""
    return raw.strip()


def sentence(longest: int) -> Callable[[str], str]:
    """A text of at most so many characters."""

    def read_sentence(raw: str) -> str:
        if len(raw.strip()) > longest:
            raise Bad("characters", limit=longest)
        return raw.strip()

    return read_sentence


def secret(raw: str) -> str:
    """As it stands, blanks too."""
    return raw


def flag(raw: str) -> bool:
    """Yes or no."""
    said = raw.strip().lower()
    if said in {"true", "1", "yes", "on"}:
        return True
    if said in {"false", "0", "no", "off", ""}:
        return False
    raise Bad("flag")


def integer(minimum: int, maximum: int = 999_999_999) -> Callable[[str], int]:
    """A whole number from `minimum` to `maximum`."""

    def read_integer(raw: str) -> int:
        if not re.fullmatch(r"\s*[0-9]{1,9}\s*", raw) or not minimum <= int(raw) <= maximum:
            raise Bad("integer", minimum=minimum, maximum=maximum)
        return int(raw)

    return read_integer


def factor(raw: str) -> float:
    """A positive number."""
    try:
        value = float(raw)
    except ValueError:
        value = 0.0
    if not 0 < value <= 100:
        raise Bad("factor")
    return value


def words(raw: str) -> tuple[str, ...]:
    """Comma-separated."""
    return tuple(item.strip() for item in raw.split(",") if item.strip())


def emails(raw: str) -> tuple[str, ...]:
    """E-mail addresses, comma-separated."""
    found = words(raw)
    if not all(_is_email(address) for address in found):
        raise Bad("emails")
    return found


def _is_email(address: str) -> bool:
    return re.fullmatch(r"[^@\s,<>]+@[^@\s,<>]+", address) is not None


def web_address(raw: str) -> str:
    """`https://host` under which people reach the portal, without a slash at its end; empty allowed."""
    url = raw.strip().rstrip("/")
    if url and not re.fullmatch(r"https?://[^\s/?#@]+", url):
        raise Bad("web_address")
    return url


def paths(raw: str) -> tuple[str, ...]:
    """Absolute paths, comma-separated."""
    found = words(raw)
    for path in found:
        if problems := path_problems(path, field="", schemes=SCHEMES):
            raise Bad("path", broke=problems[0], path=path, rule=problems[0].code)
    return found


def spark_conf(raw: str) -> Mapping[str, str]:
    """A JSON object of scalars. The `//` comments of the guide's sample are no JSON, and are named as such."""
    if not raw.strip():
        return MappingProxyType({})
    try:
        value = json.loads(raw)
    except json.JSONDecodeError as error:
        where: dict[str, Any] = {"line": error.lineno, "column": error.colno}
        if raw.strip() in {"{", "'{", '"{'}:
            raise Bad("conf_one_line") from error
        if re.search(r'(^|[\s,{"0-9])//', raw):
            raise Bad("conf_comments", **where) from error
        raise Bad("conf_syntax", error=error.msg, **where) from error
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 5,000 opening brackets
        raise Bad("conf_unreadable", error=type(error).__name__) from error
    if not isinstance(value, dict):
        raise Bad("conf_not_object", type=type(value).__name__)
    out: dict[str, str] = {}
    for key, item in value.items():
        if item is None or isinstance(item, (dict, list)):
            raise Bad("conf_value", key=key)
        out[key] = conf_scalar(item)
    for problem in conf_problems(out, schemes=SCHEMES):
        raise Bad("conf_rule", broke=problem, rule=problem.code, params=dict(problem.params))
    return MappingProxyType(out)


def conf_scalar(item: str | float | bool) -> str:
    """A scalar of `conf` as Livy would make it a string: true, 200, 1.5."""
    return item if isinstance(item, str) else json.dumps(item)


def host(raw: str) -> str:
    """An address of Knox, or nothing."""
    if raw.strip():
        url_of_gateway(raw, "default")
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


def _is_pattern(text: str) -> bool:
    try:
        return bool(re.compile(text))
    except re.error:
        return False


def _sound(code: str, is_sound: Callable[[str], bool]) -> Callable[[str], str]:
    def read_text(raw: str) -> str:
        if not is_sound(raw.strip()):
            raise Bad(code)
        return raw.strip()

    return read_text


word = _sound("one_word", lambda word: not word or not word_problems(word, field=""))
memory = _sound("size", lambda size: not memory_problems(size, field=""))
args_mode = _sound("args_mode", {"single", "split"}.__contains__)
language = _sound("language", {"fr", "en"}.__contains__)
portal_id = _sound(
    "portal_id",
    lambda name: PORTAL_ID.fullmatch(name) is not None,
)
topology = _sound(
    "topology",
    lambda name: re.fullmatch(r"[A-Za-z0-9._-]+", name) is not None,
)
pattern = _sound("regular_expression", _is_pattern)
database_url = _sound(
    "database_url",
    lambda url: _scheme(url) in {"sqlite", "postgres", "postgresql"},
)
broker_url = _sound(
    "broker_url",
    lambda url: _scheme(url) in {"filesystem", "redis", "rediss", "memory"},
)
email_url = _sound(
    "email_url",
    lambda url: not url or _scheme(url) in {"smtp", "smtp+tls", "smtp+ssl"},
)
email = _sound("email", _is_email)
time_zone = _sound("time_zone", _is_time_zone)
log_level = _sound(
    "log_level",
    lambda level: level.upper() in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"},
)


def url_of_gateway(address: str, name_of_topology: str) -> str:
    """`https://host:8443/gateway/topology`."""
    url = address.strip() if "://" in address else f"https://{address.strip()}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Bad("host") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"[\s@?#]", url):
        raise Bad("host_plain")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/")
    if path not in {"", "/gateway"}:
        return f"{parts.scheme}://{name}:{port or 8443}{path}"
    return f"{parts.scheme}://{name}:{port or 8443}/gateway/{name_of_topology}"
