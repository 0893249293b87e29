"""How each kind of variable is read from its text. A reader raises `Bad` with what is expected instead."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from recovery.domain.naming import PORTAL_ID
from recovery.domain.payload_rules import DEFAULT_SCHEMES, conf_problems, memory_problems, path_problems, word_problems

SCHEMES: Final = frozenset({*DEFAULT_SCHEMES, "file", "local"})


class Bad(Exception):
    """Inside the readers: what is expected instead of the value."""


def text(raw: str) -> str:
    """As it stands, without blanks around it."""
    return raw.strip()


def sentence(longest: int) -> Callable[[str], str]:
    """A text of at most so many characters."""

    def read_sentence(raw: str) -> str:
        if len(raw.strip()) > longest:
            raise Bad(f"at most {longest} characters")
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
    raise Bad("true or false")


def integer(minimum: int, maximum: int = 999_999_999) -> Callable[[str], int]:
    """A whole number from `minimum` to `maximum`."""

    def read_integer(raw: str) -> int:
        if not re.fullmatch(r"\s*[0-9]{1,9}\s*", raw) or not minimum <= int(raw) <= maximum:
            raise Bad(f"a whole number from {minimum} to {maximum}")
        return int(raw)

    return read_integer


def factor(raw: str) -> float:
    """A positive number."""
    try:
        value = float(raw)
    except ValueError:
        value = 0.0
    if not 0 < value <= 100:
        raise Bad("a number above 0, at most 100 (1 = production times)")
    return value


def words(raw: str) -> tuple[str, ...]:
    """Comma-separated."""
    return tuple(item.strip() for item in raw.split(",") if item.strip())


def emails(raw: str) -> tuple[str, ...]:
    """E-mail addresses, comma-separated."""
    found = words(raw)
    if not all(_is_email(address) for address in found):
        raise Bad("comma-separated e-mail addresses")
    return found


def _is_email(address: str) -> bool:
    return re.fullmatch(r"[^@\s,<>]+@[^@\s,<>]+", address) is not None


def web_address(raw: str) -> str:
    """`https://host` under which people reach the portal, without a slash at its end; empty allowed."""
    url = raw.strip().rstrip("/")
    if url and not re.fullmatch(r"https?://[^\s/?#@]+", url):
        raise Bad("https://host, without a path")
    return url


def paths(raw: str) -> tuple[str, ...]:
    """Absolute paths, comma-separated."""
    found = words(raw)
    for path in found:
        if problems := path_problems(path, field="", schemes=SCHEMES):
            raise Bad(
                f"comma-separated absolute paths such as hdfs:///libs/x.jar; {path!r} is wrong: {problems[0].code}"
            )
    return found


def spark_conf(raw: str) -> Mapping[str, str]:
    """A JSON object of scalars. The `//` comments of the guide's sample are no JSON, and are named as such."""
    if not raw.strip():
        return MappingProxyType({})
    shape = 'a JSON object of scalars, such as {"spark.sql.shuffle.partitions":"200"}'
    try:
        value = json.loads(raw)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        if raw.strip() in {"{", "'{", '"{'}:
            raise Bad(f"{shape}, all on one line: a line of .env ends at its end") from error
        if re.search(r'(^|[\s,{"0-9])//', raw):
            raise Bad(f"{shape}, without // comments (JSON has none; stopped at {where})") from error
        raise Bad(f"{shape} ({error.msg} at {where})") from error
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 5,000 opening brackets
        raise Bad(f"{shape} ({type(error).__name__})") from error
    if not isinstance(value, dict):
        raise Bad(f"{shape}, not a {type(value).__name__}")
    out: dict[str, str] = {}
    for key, item in value.items():
        if item is None or isinstance(item, (dict, list)):
            raise Bad(f"{shape}; the value of {key!r} is not a scalar")
        out[key] = conf_scalar(item)
    for problem in conf_problems(out, schemes=SCHEMES):
        raise Bad(f"{shape}; {problem.code}: {dict(problem.params)}")
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


def _sound(expected: str, is_sound: Callable[[str], bool]) -> Callable[[str], str]:
    def read_text(raw: str) -> str:
        if not is_sound(raw.strip()):
            raise Bad(expected)
        return raw.strip()

    return read_text


word = _sound("one word without blanks", lambda word: not word or not word_problems(word, field=""))
memory = _sound("a size with its unit, such as 4g or 512m", lambda size: not memory_problems(size, field=""))
args_mode = _sound("single (one argument, as typed) or split (cut as a shell would)", {"single", "split"}.__contains__)
language = _sound("fr or en", {"fr", "en"}.__contains__)
portal_id = _sound(
    "a lower-case letter, then up to 19 of a-z, 0-9 and -; it starts every batch name",
    lambda name: PORTAL_ID.fullmatch(name) is not None,
)
topology = _sound(
    "the name of a Knox topology, the part of the URL after /gateway/",
    lambda name: re.fullmatch(r"[A-Za-z0-9._-]+", name) is not None,
)
pattern = _sound("a regular expression, such as DATA-[0-9]+, or nothing", _is_pattern)
database_url = _sound(
    "sqlite:///path or postgres://user:password@host:port/name",
    lambda url: _scheme(url) in {"sqlite", "postgres", "postgresql"},
)
broker_url = _sound(
    "redis://host:port/0, or filesystem:// for one machine",
    lambda url: _scheme(url) in {"filesystem", "redis", "rediss", "memory"},
)
email_url = _sound(
    "smtp://user:password@host:25, or smtp+tls:// or smtp+ssl://",
    lambda url: not url or _scheme(url) in {"smtp", "smtp+tls", "smtp+ssl"},
)
email = _sound("one e-mail address", _is_email)
time_zone = _sound("the name of a time zone, such as Europe/Paris or UTC", _is_time_zone)
log_level = _sound(
    "DEBUG, INFO, WARNING, ERROR or CRITICAL",
    lambda level: level.upper() in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"},
)


def url_of_gateway(address: str, name_of_topology: str) -> str:
    """`https://host:8443/gateway/topology`."""
    url = address.strip() if "://" in address else f"https://{address.strip()}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Bad("host, host:port or https://host:port") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"[\s@?#]", url):
        raise Bad("host, host:port or https://host:port, without user and query")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/")
    if path not in {"", "/gateway"}:
        return f"{parts.scheme}://{name}:{port or 8443}{path}"
    return f"{parts.scheme}://{name}:{port or 8443}/gateway/{name_of_topology}"
