"""The body of `POST /batches`: the sixteen fields of Livy, checked by Livy's own rules before anything is filed.

Two frozen values come out of here (N3): the *payload* is what was asked for (what SHA-256 covers), the *sent payload*
is the same plus the name and the YARN tag. Both are canonical JSON, so the text that is stored is the text that is
shown is the text that goes on the wire. Field by field: livy-knox-contract.md §1, real-behaviour.md §f.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Final

WIRE_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "file": "file",
        "args": "args",
        "class_name": "className",
        "queue": "queue",
        "proxy_user": "proxyUser",
        "driver_memory": "driverMemory",
        "driver_cores": "driverCores",
        "executor_memory": "executorMemory",
        "executor_cores": "executorCores",
        "num_executors": "numExecutors",
        "jars": "jars",
        "files": "files",
        "py_files": "pyFiles",
        "archives": "archives",
        "conf": "conf",
    }
)
"""Attribute of `Payload` → Livy's name. The sixteenth field, `name`, is the portal's alone (N1)."""

TAGS_KEY: Final = "spark.yarn.tags"
MAX_APP_ATTEMPTS_KEY: Final = "spark.yarn.maxAppAttempts"
_EMPTY: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class Payload:
    """What a recovery asks Livy to run. Sizes in Spark's format (`4g`), cores and executors as integers."""

    file: str
    args: tuple[str, ...] = ()
    class_name: str | None = None
    queue: str | None = None
    proxy_user: str | None = None
    driver_memory: str | None = None
    driver_cores: int | None = None
    executor_memory: str | None = None
    executor_cores: int | None = None
    num_executors: int | None = None
    jars: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    py_files: tuple[str, ...] = ()
    archives: tuple[str, ...] = ()
    conf: Mapping[str, str] = field(default_factory=lambda: _EMPTY)

    def to_json(self) -> dict[str, Any]:
        """The JSON object for Livy; what is empty or absent is left out (N4: `conf: null` would lose the rest)."""
        out: dict[str, Any] = {}
        for attribute, wire in WIRE_NAMES.items():
            value = getattr(self, attribute)
            if isinstance(value, tuple):
                value = list(value)
            elif isinstance(value, Mapping):
                value = dict(value)
            if value not in (None, [], {}, ""):
                out[wire] = value
        return out

    def text(self) -> str:
        """Canonical JSON of `to_json()`."""
        return canonical(self.to_json())

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Payload:
        """The payload that `to_json()` came from (a frozen row is read back to be edited)."""
        values: dict[str, Any] = {}
        for attribute, wire in WIRE_NAMES.items():
            if wire in body:
                value = body[wire]
                values[attribute] = tuple(value) if isinstance(value, list) else value
        return cls(**values)

    def with_changes(self, **changes: Any) -> Payload:
        """A copy with some attributes replaced."""
        return replace(self, **changes)


FIELD_NAMES: Final = tuple(f.name for f in fields(Payload))


def canonical(value: object) -> str:
    """JSON with sorted keys, no blanks, UTF-8 as it is: one text for one value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(text: str) -> str:
    """Hexadecimal SHA-256 of the UTF-8 bytes of a frozen text."""
    return hashlib.sha256(text.encode()).hexdigest()


def sent_text(payload_text: str, *, name: str) -> str:
    """The bytes for the wire: the frozen payload, the name (N1), and the same token as a YARN tag (N2).

    A user's own tags stay; YARN compares tags in lower case, and our names are lower case already.
    """
    body = json.loads(payload_text)
    conf = dict(body.get("conf", {}))
    conf[TAGS_KEY] = ",".join([*filter(None, [conf.get(TAGS_KEY, "").strip(" ,")]), name])
    return canonical(body | {"name": name, "conf": conf})
