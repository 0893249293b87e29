"""What a bench found, as a value and as JSON: rounds, medians, ratios, the target and whether it was met.

Medians, ratios and verdicts are worked out from the rounds; a file in which they say something else is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

SCHEMA: Final = 1
RATIO_AT_MOST, RATIO_AT_LEAST, AT_MOST = "ratio_at_most", "ratio_at_least", "at_most"
KINDS: Final = (RATIO_AT_MOST, RATIO_AT_LEAST, AT_MOST)


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """One side of a row: who, and a number for each round."""

    name: str
    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle round."""
        return float(median(self.rounds))


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What is to be reached: by the ratio ours / peer, or by our number alone (`at_most`)."""

    kind: str
    value: float

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"a target is one of {', '.join(KINDS)}, not {self.kind!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of the table. Without a target it is told, and judged by nobody."""

    key: str
    what: str
    unit: str
    ours: Series
    peer: Series | None = None
    target: Target | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not self.ours.rounds or (self.peer is not None and not self.peer.rounds):
            raise ValueError(f"{self.key}: a series without rounds")
        if self.target is not None and self.target.kind != AT_MOST and self.peer is None:
            raise ValueError(f"{self.key}: a ratio needs a peer")

    @property
    def ratio(self) -> float | None:
        """Ours / peer of the medians; None without a peer, or when the peer's is 0."""
        if self.peer is None or self.peer.median == 0:
            return None
        return self.ours.median / self.peer.median

    @property
    def met(self) -> bool | None:
        """None without a target. A limit on our number alone holds in every round, a ratio for the medians."""
        if self.target is None:
            return None
        if self.target.kind == AT_MOST:
            return max(self.ours.rounds) <= self.target.value
        ratio = self.ratio
        if ratio is None:
            return False
        return ratio <= self.target.value if self.target.kind == RATIO_AT_MOST else ratio >= self.target.value


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One run of one bench."""

    bench: str
    at: str
    quick: bool
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    settings: Mapping[str, Any]
    rows: tuple[Row, ...]
    details: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else was counted, for whoever wants to look behind a number."""


def to_json(result: Result) -> dict[str, Any]:
    """The result as it is written."""
    return {
        "schema": SCHEMA,
        "bench": result.bench,
        "at": result.at,
        "quick": result.quick,
        "machine": dict(result.machine),
        "versions": dict(result.versions),
        "settings": dict(result.settings),
        "rows": [_row_json(row) for row in result.rows],
        "details": dict(result.details),
    }


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "key": row.key,
        "what": row.what,
        "unit": row.unit,
        "ours": _series_json(row.ours),
        "peer": None if row.peer is None else _series_json(row.peer),
        "ratio": row.ratio,
        "target": None if row.target is None else {"kind": row.target.kind, "value": row.target.value},
        "met": row.met,
        "note": row.note,
    }


def _series_json(series: Series) -> dict[str, Any]:
    return {"name": series.name, "rounds": list(series.rounds), "median": series.median}


def from_json(value: Mapping[str, Any]) -> Result:
    """The result of a file. ValueError when it is of another schema, or says what its rounds do not."""
    if value.get("schema") != SCHEMA:
        raise ValueError(f"schema {value.get('schema')!r}, not {SCHEMA}")
    try:
        result = Result(
            bench=value["bench"],
            at=value["at"],
            quick=value["quick"],
            machine=value["machine"],
            versions=value["versions"],
            settings=value["settings"],
            rows=tuple(_row(item) for item in value["rows"]),
            details=value["details"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a result: {type(error).__name__} {error}") from error
    if to_json(result) != value:
        raise ValueError(f"{result.bench}: medians, ratios or verdicts are not those of the rounds")
    return result


def _row(value: Mapping[str, Any]) -> Row:
    target = value["target"]
    return Row(
        key=value["key"],
        what=value["what"],
        unit=value["unit"],
        ours=_series(value["ours"]),
        peer=None if value["peer"] is None else _series(value["peer"]),
        target=None if target is None else Target(kind=target["kind"], value=target["value"]),
        note=value["note"],
    )


def _series(value: Mapping[str, Any]) -> Series:
    return Series(name=value["name"], rounds=tuple(value["rounds"]))


def write(result: Result, folder: Path, name: str) -> Path:
    """Write it to `folder/name.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(to_json(result), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read(path: Path) -> Result:
    """Raises ValueError with the file's name."""
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error
