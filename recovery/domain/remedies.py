"""What to change in a payload so that it may run next time, written by operators one change a line:

executorMemory x2          a size or a number, multiplied
queue = root.other         a value
className ?                a value that the person who resubmits has to give
conf spark.executor.memoryOverhead = 1g
conf - {key}               settings taken out, with commas between them; {key} is a named group of the
                           signature's pattern
args split                 the arguments, cut as a shell would
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from recovery.domain.errors import Problem
from recovery.domain.payload import WIRE_NAMES, Payload

MAX_CHANGES: Final = 20
_FIELDS: Final = {wire: attribute for attribute, wire in WIRE_NAMES.items()}
SCALED: Final = ("driverMemory", "executorMemory", "driverCores", "executorCores", "numExecutors")
WORDS: Final = ("className", "queue")
_WHEN_UNSAID: Final[Mapping[str, str | int]] = {
    "driverMemory": "1g", "executorMemory": "1g", "driverCores": 1, "executorCores": 1, "numExecutors": 2,
}  # fmt: skip
"""Spark's own defaults: what a field that is left out means."""
_UNITS: Final = {"k": 1, "m": 1024, "g": 1024**2, "t": 1024**3}
_TIMES: Final = re.compile(r"(?P<field>[A-Za-z]{1,40}) ?[x×*] ?(?P<by>[0-9]{1,2}(?:\.[0-9]{1,2})?)")
_VALUE: Final = re.compile(r"(?P<field>[A-Za-z]{1,40}) ?= ?(?P<value>\S.{0,300})")
_ASK: Final = re.compile(r"(?P<field>[A-Za-z]{1,40}) ?\?")
_CONF: Final = re.compile(r"conf (?P<key>[^\s={}]{1,200}) ?= ?(?P<value>\S.{0,300})")
_WITHOUT: Final = re.compile(r"conf - ?(?P<key>\S{1,200})")


class Kind(StrEnum):
    """What a change does."""

    TIMES = "times"
    VALUE = "value"
    ASK = "ask"
    CONF = "conf"
    WITHOUT = "without"
    SPLIT = "split"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One line of a remedy."""

    kind: Kind
    field: str = ""
    """Livy's name of it, or the key of a setting."""
    value: str = ""


def parse(text: str) -> list[Change]:
    """The changes of a remedy without problems."""
    return [change for line in _lines(text) if (change := _parsed(line)) is not None]


def problems(text: str, *, field: str = "change") -> list[Problem]:
    """Which lines are no change."""
    lines = _lines(text)
    found = [Problem(field=field, code="remedy_line", params={"value": line}) for line in lines if not _parsed(line)]
    if len(lines) > MAX_CHANGES:
        found.append(Problem(field=field, code="remedy_long", params={"limit": MAX_CHANGES}))
    return found


def asked(changes: Sequence[Change]) -> list[str]:
    """The fields whose value a person has to give."""
    return [change.field for change in changes if change.kind is Kind.ASK]


def splits(changes: Sequence[Change]) -> bool:
    """The arguments are to be cut."""
    return any(change.kind is Kind.SPLIT for change in changes)


def overrides(
    changes: Sequence[Change], payload: Payload, *, groups: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, Any]:
    """Attributes of the payload with their new values. `given`: the values of what was asked for, by Livy's names.

    What would change nothing is left out.
    """
    values: dict[str, Any] = {}
    conf = dict(payload.conf)
    for change in changes:
        match change.kind:
            case Kind.TIMES:
                now = getattr(payload, _FIELDS[change.field]) or _WHEN_UNSAID[change.field]
                values[_FIELDS[change.field]] = multiplied(now, Fraction(change.value))
            case Kind.VALUE:
                values[_FIELDS[change.field]] = int(change.value) if change.value.isdecimal() else change.value
            case Kind.ASK:
                if text := given.get(change.field, "").strip():
                    values[_FIELDS[change.field]] = text
            case Kind.CONF:
                conf[change.field] = change.value
            case Kind.WITHOUT:
                for key in _filled(change.field, groups).split(","):  # Livy names all that it refuses
                    conf.pop(key.strip(), None)
    values = {name: value for name, value in values.items() if value != getattr(payload, name)}
    return values | ({"conf": conf} if conf != dict(payload.conf) else {})


def multiplied(value: str | int, by: Fraction) -> str | int:
    """4g × 2 = 8g, 3g × 1.5 = 4608m, 4 × 1.5 = 6; never less than one, and a whole number of the unit."""
    if isinstance(value, int):
        return max(1, round(value * by))
    match = re.fullmatch(r"([0-9]{1,9})([kmgt])b?", value.lower())
    if match is None:
        return value
    total = max(1, round(int(match[1]) * _UNITS[match[2]] * by))
    for unit in ("t", "g", "m"):
        if total % _UNITS[unit] == 0 and _UNITS[unit] <= _UNITS[match[2]]:
            return f"{total // _UNITS[unit]}{unit}"
    return f"{total}k"


def _lines(text: str) -> list[str]:
    return [line for raw in text.splitlines() if (line := " ".join(raw.split()))]


def _parsed(line: str) -> Change | None:
    if line.lower() == "args split":
        return Change(kind=Kind.SPLIT)
    if match := _WITHOUT.fullmatch(line):
        return Change(kind=Kind.WITHOUT, field=match["key"])
    if match := _CONF.fullmatch(line):
        return Change(kind=Kind.CONF, field=match["key"], value=match["value"])
    if (match := _TIMES.fullmatch(line)) and match["field"] in SCALED and Fraction(match["by"]) > 0:
        return Change(kind=Kind.TIMES, field=match["field"], value=match["by"])
    if (match := _ASK.fullmatch(line)) and match["field"] in WORDS:
        return Change(kind=Kind.ASK, field=match["field"])
    if (match := _VALUE.fullmatch(line)) and match["field"] in (*SCALED, *WORDS):
        number = match["field"].endswith(("Cores", "Executors"))
        if not number or re.fullmatch(r"[1-9][0-9]{0,5}", match["value"]):
            return Change(kind=Kind.VALUE, field=match["field"], value=match["value"])
    return None


def _filled(key: str, groups: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w{1,40})\}", lambda name: groups.get(name[1], ""), key)
