"""One pass of one worker, as a process: it meets troubles, and when it is killed nothing of it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.machine.troubles import Crash, Trouble

_ENDS_A_TRANSACTION = ("ROLLBACK", "SAVEPOINT", "RELEASE")


@dataclass(kw_only=True, slots=True)
class Worker:
    """Counts its calls; `fuse` is how many more statements it may send to the database before it is killed."""

    kind: str
    troubles: Sequence[Trouble] = ()
    calls: dict[str, int] = field(default_factory=dict)
    dead: bool = False
    fuse: int | None = None
    heard: list[tuple[str, int]] = field(default_factory=list)
    """The 201s that came back to it: name and id."""

    def meets(self, kind: str) -> Trouble | None:
        """What strikes this call."""
        for counted in (kind, "any"):
            self.calls[counted] = self.calls.get(counted, 0) + 1
        for trouble in self.troubles:
            if trouble.on in (kind, "any") and self.calls[trouble.on] == trouble.nth:
                return trouble
        return None

    def kill(self) -> None:
        """Raises Crash."""
        self.dead = True
        raise Crash

    def hears_201(self, body: bytes) -> None:
        """A6: from now on it owes the history a word about it, unless it is killed."""
        try:
            batch = json.loads(body)
            self.heard.append((str(batch["name"]), int(batch["id"])))
        except (ValueError, TypeError, KeyError):
            return  # spoiled on its way


class Workers(list[Worker]):
    """Who is at work now, the innermost last; the others stand still. Wraps every statement of the database."""

    looking = False
    """The test itself reads."""

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if self and not self.looking and not sql.startswith(_ENDS_A_TRANSACTION):
            worker = self[-1]
            if worker.fuse is not None and worker.fuse <= 0:
                worker.dead = True
            if worker.dead:
                raise Crash
            if worker.fuse is not None:
                worker.fuse -= 1
        return execute(sql, params, many, context)


class HandsOff:
    """A person or the test itself uses the database: it is no statement of the worker that stands still."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def __enter__(self) -> None:
        self._before = self._workers.looking
        self._workers.looking = True

    def __exit__(self, *_: object) -> None:
        self._workers.looking = self._before
