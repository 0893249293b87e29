"""What really ran. Append-only, so that a test can prove "one recovery, at most one Spark batch".

A start is written when spark-submit is launched, whatever the client was told; its end or its killing is a second
record with the same `seq`. Nothing is ever changed or removed, a restart of Livy included.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    seq: int
    #: Epoch seconds.
    at: float
    name: str | None
    batch_id: int
    tags: tuple[str, ...]
    file: str
    args: tuple[str, ...]
    conf: Mapping[str, str]
    #: Which life of Livy started it; goes up with each restart.
    generation: int
    #: The YARN application that it is, or will be in a moment; None in local mode or if YARN never sees it.
    app_id: str | None
    user: str
    kind: str = "started"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """`kind` is `ended` (by itself, or by `Sandbox.finish`) or `killed`; `state` is success, dead or killed."""

    seq: int
    at: float
    name: str | None
    batch_id: int
    state: str
    kind: str = "ended"


class Ledger:
    def __init__(self, directory: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._records: list[Started | Ended] = []
        self._ends: dict[int, Ended] = {}
        self._next = 0
        self._file: TextIO | None = None
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            self._file = (directory / "ledger.jsonl").open("a", encoding="utf-8")

    def next_seq(self) -> int:
        with self._lock:
            self._next += 1
            return self._next

    def append(self, record: Started | Ended) -> None:
        with self._lock:
            self._records.append(record)
            if isinstance(record, Ended):
                self._ends[record.seq] = record
            if self._file is not None:
                self._file.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")
                self._file.flush()

    @property
    def records(self) -> list[Started | Ended]:
        with self._lock:
            return list(self._records)

    def started(self, name: str | None = None) -> list[Started]:
        """Every start, in order; with a name, the starts of that name."""
        return [
            record for record in self.records if isinstance(record, Started) and (name is None or record.name == name)
        ]

    def ended(self, name: str | None = None) -> list[Ended]:
        return [
            record for record in self.records if isinstance(record, Ended) and (name is None or record.name == name)
        ]

    def end_of(self, start: Started) -> Ended | None:
        with self._lock:
            return self._ends.get(start.seq)

    def alive(self, name: str | None = None) -> list[Started]:
        """Starts that have not ended: what runs now."""
        return [start for start in self.started(name) if self.end_of(start) is None]

    def by_tag(self, tag: str) -> list[Started]:
        """Tags are compared in lower case, as YARN does."""
        return [start for start in self.started() if tag.lower() in start.tags]

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
