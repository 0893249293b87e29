"""Named points of a worker at which it ends itself with SIGKILL, or stops itself with SIGSTOP, when it is told to.

The portal knows nothing of them: `install` wraps functions of a worker of this run. An order is a file
`<number>.<point>.<action>.<skip>` in a folder; whoever takes it by renaming it obeys, so one order is obeyed once,
and `skip` passes go by before. What was obeyed is written to a journal first.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

KILL_WORKER, KILL_CHILD, STOP = "kill_worker", "kill_child", "stop"
FOLDER: Final = "CHAOS_ORDERS"
"""The environment variable that names the folder of orders."""
_posting = threading.local()


class Orders:
    """The folder of orders of a run, and its journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.taken = folder / "taken"
        self.journal = folder / "journal.jsonl"
        self.taken.mkdir(parents=True, exist_ok=True)

    def give(self, number: int, point: str, action: str, skip: int) -> None:
        """From now on, the pass after `skip` passes of `point` obeys."""
        (self.folder / f"{number:04}.{point}.{action}.{skip}").touch()

    def recall(self) -> list[str]:
        """Take back what nobody has obeyed; what that was."""
        left = sorted(path.name for path in self.folder.glob("[0-9]*.*"))
        for name in left:
            (self.folder / name).unlink(missing_ok=True)
        return left

    def obeyed(self) -> list[dict[str, Any]]:
        """The journal so far."""
        if not self.journal.exists():
            return []
        return [json.loads(line) for line in self.journal.read_text(encoding="utf-8").splitlines()]

    def take(self, point: str) -> tuple[int, str] | None:
        """Number and action of the first order for this point, if its pass has come."""
        for entry in sorted(path.name for path in self.folder.iterdir()):
            number, _, rest = entry.partition(".")
            if not number.isdigit() or rest.split(".")[0] != point:
                continue
            _point, action, skip = rest.split(".")
            after = self.folder / f"{number}.{point}.{action}.{int(skip) - 1}" if int(skip) else self.taken / entry
            try:
                (self.folder / entry).rename(after)
            except FileNotFoundError:
                continue  # another process was faster
            return None if int(skip) else (int(number), action)
        return None

    def write(self, **facts: Any) -> None:
        """A line of the journal; whole, because it is one write of an appending file."""
        line = json.dumps({"at": time.time(), "group": os.getpgid(0), **facts}) + "\n"
        descriptor = os.open(self.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)


def obey(action: str) -> None:
    """End or stop: the whole worker with its pool, or this child of the pool alone."""
    if action == KILL_CHILD:
        os.kill(os.getpid(), signal.SIGKILL)
    os.killpg(0, signal.SIGSTOP if action == STOP else signal.SIGKILL)


def install(orders: Orders, *, act: Callable[[str], None] = obey) -> None:
    """Wrap the functions at the named points. Django has to be set up. Fails when one of them is not there."""
    from urllib3.connection import HTTPConnection

    from recovery.domain.states import TERMINAL
    from recovery.gateway.livy import KnoxLivyClient
    from recovery.services import attempts, events, phantoms, sweeping, transitions

    def at(point: str, name: str = "") -> None:
        taken = orders.take(point)
        if taken is not None:
            number, action = taken
            orders.write(order=number, point=point, action=action, name=name)
            act(action)

    def wrap(owner: Any, attribute: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        inner = getattr(owner, attribute)
        setattr(owner, attribute, functools.wraps(inner)(make(inner)))

    def create(inner: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            name = str(kwargs.get("name"))
            at("before_post", name)
            _posting.name = name
            try:
                return inner(*args, **kwargs)
            finally:
                _posting.name = ""
                at("post_answered", name)

        return run

    def getresponse(inner: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            if name := getattr(_posting, "name", ""):
                at("post_sent", name)
            return inner(*args, **kwargs)

        return run

    def last_act(inner: Callable[..., Any]) -> Callable[..., Any]:
        def run(self: Any, *args: Any, **kwargs: Any) -> Any:
            inner(self, *args, **kwargs)
            at("before_first_byte", self.recovery.batch_name)

        return run

    def around(before: str = "", after: str = "", only: Callable[..., bool] = lambda *a, **k: True) -> Any:
        def make(inner: Callable[..., Any]) -> Callable[..., Any]:
            def run(*args: Any, **kwargs: Any) -> Any:
                chosen = only(*args, **kwargs)
                if chosen and before:
                    at(before)
                value = inner(*args, **kwargs)
                if chosen and after:
                    at(after)
                return value

            return run

        return make

    def to_an_end(recovery_id: int, to: Any, **more: Any) -> bool:
        return to in TERMINAL

    def adopted(*args: Any, **more: Any) -> bool:
        return more.get("kind") == "adopted"

    wrap(KnoxLivyClient, "create", create)
    wrap(KnoxLivyClient, "delete", around("deleting", "deleted"))
    wrap(HTTPConnection, "getresponse", getresponse)
    wrap(attempts.Attempt, "last_act", last_act)
    wrap(attempts, "claim", around(after="claimed"))
    wrap(attempts, "take_over", around("adopting", only=adopted))
    wrap(events, "of_recovery", around("uncommitted", only=lambda *a, **k: "to" in k))
    wrap(phantoms, "clean_up", around("refused"))
    wrap(phantoms, "remove", around("phantom_proved"))
    wrap(transitions, "advance", around("ending", "ended", only=to_an_end))
    wrap(sweeping, "wake_gateways", around("sweeping"))
