"""How many requests a client made and how many bytes it was sent, by kind: what following costs a gateway."""

import threading

from sandbox.answers import Answer
from sandbox.request import Request


class Tally:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, dict[str, int]] = {}

    def add(self, request: Request, answer: Answer) -> None:
        """Before the answer leaves, so that whoever has it finds it counted."""
        kind = kind_of(request)
        with self._lock:
            count = self._counts.setdefault(kind, {"requests": 0, "bytes": 0})
            count["requests"] += 1
            count["bytes"] += len(answer.body)

    def read(self) -> dict[str, dict[str, int]]:
        with self._lock:
            return {kind: dict(count) for kind, count in self._counts.items()}


def kind_of(request: Request) -> str:
    """`GET livy/batches/{x}/log`: method, service and path, the batch left out."""
    parts = [part for part in request.path.split("/") if part][2:]
    if parts[:2] == ["livy", "v1"]:
        del parts[1]
    if parts[:2] == ["livy", "batches"]:
        parts[2:3] = ["{x}"] * len(parts[2:3])
        return f"{request.method} {'/'.join(parts[:4])}"
    return f"{request.method} {'/'.join(parts[:1])}"
