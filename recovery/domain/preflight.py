"""The look before filing, as values: checks, their lights, and what was seen of the jar.

Red blocks, amber asks a person, grey says that it cannot be checked, green is in order. The sentences are in the
wording; here are stable words and their parameters, because a preflight is kept with its recovery for ever.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from recovery.domain.payload import canonical


class Light(StrEnum):
    """What a check asks of whoever files."""

    RED = "red"
    AMBER = "amber"
    GREY = "grey"
    GREEN = "green"


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that was looked at. `subject` is a path or a recovery's number; `params` hold texts and numbers."""

    code: str
    light: Light
    subject: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What a person confirms: this finding about this subject."""
        return f"{self.code}:{self.subject}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """The jar as it was: by its checksum if there is one, else by size and time (ms, the cluster's clock)."""

    length: int
    modified: int
    checksum: str = ""

    def same_as(self, other: Seen) -> bool:
        """The same bytes, as far as can be told."""
        if self.checksum and other.checksum:
            return self.checksum == other.checksum
        return (self.length, self.modified) == (other.length, other.modified)


STOPPED: Final[Mapping[Light, str]] = MappingProxyType({Light.RED: "preflight_red", Light.AMBER: "preflight_amber"})
"""The code of the problem that a check of this light is for a filing."""

UNLOOKED: Final = frozenset({"gateway_slow", "file_slow", "file_unknown", "file_scheme", "hdfs_none"})
"""Grey checks without which nothing essential was looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Preflight:
    """Every check, in the order in which it is shown. `at` is an ISO time in UTC: of the oldest answer in it."""

    at: str
    checks: tuple[Check, ...]
    seen: Seen | None = None
    confirmed: tuple[str, ...] = ()

    @property
    def light(self) -> Light:
        """Of the whole; green only when the essentials were looked at."""
        lights = {check.light for check in self.checks}
        if lights & {Light.RED, Light.AMBER}:
            return Light.RED if Light.RED in lights else Light.AMBER
        return Light.GREY if any(check.code in UNLOOKED for check in self.checks) else Light.GREEN

    def of(self, light: Light) -> tuple[Check, ...]:
        """The checks of one light."""
        return tuple(check for check in self.checks if check.light is light)

    def unconfirmed(self, confirmed: Collection[str]) -> tuple[Check, ...]:
        """Amber checks that are not among the confirmed keys."""
        return tuple(check for check in self.of(Light.AMBER) if check.key not in confirmed)

    @property
    def jar(self) -> Check | None:
        """What was said of the jar: it is looked at before the other files."""
        return next((check for check in self.checks if check.code.startswith("file_")), None)

    def text(self) -> str:
        """Canonical JSON, as it is kept."""
        value: dict[str, Any] = {
            "at": self.at,
            "light": self.light.value,
            "checks": [asdict(check) | {"light": check.light.value} for check in self.checks],
        }
        if self.seen is not None:
            value["seen"] = asdict(self.seen)
        if self.confirmed:
            value["confirmed"] = list(self.confirmed)
        return canonical(value)

    @classmethod
    def from_text(cls, text: str) -> Preflight | None:
        """What `text()` gave; None for nothing."""
        if not text:
            return None
        value = json.loads(text)
        return cls(
            at=value["at"],
            checks=tuple(Check(**check | {"light": Light(check["light"])}) for check in value["checks"]),
            seen=Seen(**value["seen"]) if "seen" in value else None,
            confirmed=tuple(value.get("confirmed", ())),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A path of HDFS; `authority` when its URI names a cluster, which may be another one than the gateway's."""

    path: str
    authority: str = ""


def hdfs_place(uri: str) -> Place | None:
    """Where WebHDFS finds it, as Hadoop reads the URI; None for another file system.

    Without a scheme it lies on Livy's default file system, which is taken for the gateway's HDFS. `#alias` is Spark's.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:  # "Invalid IPv6 URL"
        return None
    if parts.scheme not in ("", "hdfs"):
        return None
    path = unquote(parts.path) if parts.scheme else uri.split("#", 1)[0]
    # Hadoop's Path resolves `..`, WebHDFS does not (real-behaviour.md §m)
    return Place(path="/" + posixpath.normpath(path).lstrip("/"), authority=parts.netloc)
