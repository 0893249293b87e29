"""What a run leaves behind, as values: the portal's rows and events, the ledger's batches, and what was broken.

Times are epoch seconds. The database is read by plain SQL and the ledger from its file: a mistake in the portal's own
code cannot hide itself.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A gateway, as far as it decides what can be known."""

    name: str
    has_yarn: bool = False
    """The portal may ask its YARN."""
    yarn_forgot: bool = False
    """Its ResourceManager was restarted in the run."""
    app_exists_after: float = 0.0
    """Seconds after the start of a batch from which on YARN knows its application."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A recovery at the end of the run."""

    id: int
    name: str
    gateway: str
    state: str
    created_at: float
    finished_at: float | None = None
    outcome: str = ""
    args: tuple[str, ...] = ()
    sent_payload: str = "{}"
    cancel_requested: bool = False
    cleanup_due: bool = False
    filing_key: str = ""
    parent: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One line of a recovery's history."""

    recovery: int
    seq: int
    kind: str
    cause: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """A batch that really started; `state` is empty while it runs."""

    gateway: str
    name: str | None
    at: float
    app_id: str | None = None
    tags: tuple[str, ...] = ()
    file: str = ""
    args: tuple[str, ...] = ()
    conf: Mapping[str, str] = field(default_factory=dict)
    state: str = ""
    ended_at: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Everything that the checker looks at."""

    rows: tuple[Row, ...]
    events: tuple[Event, ...]
    batches: tuple[Batch, ...]
    places: Mapping[str, Place]
    phantoms: tuple[tuple[str, str], ...] = ()
    """Gateway and name of what Livy holds at the end without ever having started it."""
    lies: frozenset[tuple[str, str]] = frozenset()
    """Name and action of the faults by which Livy said of a batch what was not so."""
    filed: Mapping[str, int] = field(default_factory=dict)
    """Filing key → id of what the API answered 202 to."""
    late_bytes: frozenset[str] = frozenset()
    """Names whose worker was stopped, for longer than its deadline, between its last check and its first byte: what
    remains possible by docs/failure-modes.md."""
    quiet_at: float = 0.0
    """When nothing was broken any more."""
    bound: float = 0.0
    """Within how many seconds everything has to end then."""


ROWS: Final = """
SELECT r.id, r.batch_name, g.name, r.state, r.created_at, r.finished_at, r.outcome, r.args, r.sent_payload,
       r.cancel_requested_at, r.cleanup_due, r.filing_key, r.resubmission_of_id
FROM recovery_recovery r JOIN recovery_gateway g ON g.id = r.gateway_id ORDER BY r.id
"""
EVENTS: Final = """
SELECT subject_id, seq, kind, cause, data FROM recovery_recoveryevent
WHERE subject_type = 'recovery' ORDER BY subject_id, seq
"""
UNFINISHED: Final = "SELECT count(*) FROM recovery_recovery WHERE finished_at IS NULL"
STATES: Final = "SELECT state, count(*) FROM recovery_recovery GROUP BY state ORDER BY state"
UNTIDY: Final = "SELECT count(*) FROM recovery_recovery WHERE cleanup_due"


def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    """The rows of one SELECT from the portal's database, `sqlite:///…` or `postgres://…`."""
    if url.startswith("sqlite:"):
        path = "/" + url.removeprefix("sqlite:").lstrip("/")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as connection:
            return connection.execute(sql).fetchall()
    import psycopg

    with psycopg.connect(url.replace("postgres://", "postgresql://", 1), connect_timeout=5) as server:
        return server.execute(sql.encode()).fetchall()


def rows_of(url: str) -> tuple[Row, ...]:
    """Every recovery."""
    return tuple(
        Row(
            id=pk, name=name, gateway=gateway, state=state, created_at=_epoch(created) or 0.0,
            finished_at=_epoch(finished), outcome=outcome, args=tuple(_json(args)), sent_payload=sent,
            cancel_requested=cancel is not None, cleanup_due=bool(cleanup), filing_key=key, parent=parent,
        )
        for pk, name, gateway, state, created, finished, outcome, args, sent, cancel, cleanup, key, parent in query(
            url, ROWS
        )
    )  # fmt: skip


def events_of(url: str) -> tuple[Event, ...]:
    """The history of every recovery."""
    return tuple(
        Event(recovery=subject, seq=seq, kind=kind, cause=cause, facts=_json(data))
        for subject, seq, kind, cause, data in query(url, EVENTS)
    )


def batches_of(ledger: Path, gateway: str) -> tuple[Batch, ...]:
    """What really started, and how it ended, from a sandbox's `ledger.jsonl`."""
    if not ledger.exists():
        return ()
    records = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
    ends = {record["seq"]: record for record in records if record["kind"] != "started"}
    return tuple(_batch(record, ends.get(record["seq"]), gateway) for record in records if record["kind"] == "started")


def _batch(start: Mapping[str, Any], end: Mapping[str, Any] | None, gateway: str) -> Batch:
    return Batch(
        gateway=gateway, name=start["name"], at=start["at"], app_id=start["app_id"], tags=tuple(start["tags"]),
        file=start["file"], args=tuple(start["args"]), conf=start["conf"],
        state=end["state"] if end else "", ended_at=end["at"] if end else None,
    )  # fmt: skip


LIES: Final = frozenset({"flip", "dead_but_alive", "delete_lies"})


def lies_in(requests: Iterable[Mapping[str, Any]]) -> frozenset[tuple[str, str]]:
    """The lies that the sandbox's record of its requests shows, by the name of the batch."""
    found: set[tuple[str, str]] = set()
    for request in requests:
        for action in LIES.intersection(request["struck"]):
            found.add((_name_in(request), action))
    return frozenset(found)


def _name_in(request: Mapping[str, Any]) -> str:
    before, slash, after = str(request["path"]).partition("/batches/")
    if slash and after:
        return after.split("/")[0].split("?")[0]
    try:
        return str(json.loads(request["body"])["name"])
    except (ValueError, KeyError, TypeError):
        return before


def _epoch(value: Any) -> float | None:
    """SQLite keeps UTC as text, PostgreSQL gives an aware datetime."""
    if value is None:
        return None
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return float((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
