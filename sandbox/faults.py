"""Faults as data: which request, which time, what goes wrong. What each action does to an answer: `fault_actions`.

Two families. *Door* actions happen in front of Knox: the answer is delayed, lost or made up; with `when="before"`
Livy never heard of the request, with `when="after"` it handled it. *Livy* actions change what Livy itself does.
"""

import json
import random
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

#: By default these act before Livy is asked …
BEFORE = frozenset(
    {
        "delay", "hang", "drop", "reset", "status", "empty_200", "login_page_200", "redirect", "big_body",
        "gzip_bomb", "knox_500",
    }
)  # fmt: skip
#: … and these need Livy's own answer, and spoil it.
AFTER = frozenset({"half_body", "drip", "invalid_utf8", "wrong_json_types", "wrong_id", "wrong_name"})
LIVY = frozenset(
    {
        "too_many_sessions", "late_accept", "slow_start", "phantom", "delete_lies", "flip", "dead_but_alive",
    }
)  # fmt: skip
ACTIONS = BEFORE | AFTER | LIVY


@dataclass(frozen=True, slots=True)
class Fault:
    """`route` is "METHOD /path" as Livy sees it, without query: "POST /batches", "GET /batches/{x}/log"; `{x}` is
    one segment, METHOD may be `*`. Other services keep their name: "GET /webhdfs/v1/{path}" where `{path}` takes
    any number of segments. A route that begins with `^` is a regular expression.
    """

    route: str
    action: str
    #: Only the n-th matching request(s), from 1. None: all of them.
    nth: int | Sequence[int] | None = None
    #: Strike with this probability (own generator, seeded).
    probability: float | None = None
    seed: int = 0
    #: At most so many strikes.
    times: int | None = None
    #: before | after; None: what the action needs.
    when: str | None = None
    #: Real seconds: delay, hang, drip (pause between bytes), late_accept, slow_start.
    seconds: float = 1.0
    #: status, redirect.
    code: int = 500
    #: Kind of body of `status`: json, html, empty.
    body: str = "html"
    message: str = "sandbox fault"
    headers: Mapping[str, str] = field(default_factory=dict)
    #: redirect: same | other host. dead_but_alive: no_application | polling. drip: body | headers.
    variant: str = ""
    #: big_body, gzip_bomb: bytes after decompression.
    size: int = 50 * 1024 * 1024

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"unknown action {self.action!r}; known: {', '.join(sorted(ACTIONS))}")
        if self.when not in (None, "before", "after"):
            raise ValueError(f"when must be before or after, not {self.when!r}")
        if self.action in AFTER and self.when == "before":
            raise ValueError(f"{self.action} spoils Livy's own answer: it cannot come before it")

    @property
    def strikes_after(self) -> bool:
        return self.when == "after" or self.action in AFTER

    @classmethod
    def from_json(cls, value: object) -> "Fault":
        if not isinstance(value, dict):
            raise ValueError(f"a fault is an object, not {value!r}")
        known = {item.name for item in fields(cls)}
        unknown = set(value) - known
        if unknown:
            raise ValueError(f"unknown field(s) of a fault: {', '.join(sorted(unknown))}")
        return cls(**value)


def load_faults(path: Path) -> list[Fault]:
    return [Fault.from_json(item) for item in json.loads(path.read_text("utf-8"))]


@dataclass(frozen=True, slots=True)
class Effects:
    """What strikes one request: at most one fault at the door, any number inside Livy."""

    door: Fault | None = None
    livy: Mapping[str, Fault] = field(default_factory=dict)

    def has(self, action: str) -> bool:
        return action in self.livy

    def get(self, action: str) -> Fault | None:
        return self.livy.get(action)

    @property
    def actions(self) -> list[str]:
        return [*([self.door.action] if self.door is not None else []), *self.livy]


@dataclass(slots=True)
class _Armed:
    fault: Fault
    pattern: re.Pattern[str]
    dice: random.Random
    seen: int = 0
    struck: int = 0

    def strikes(self, request_line: str) -> bool:
        if not self.pattern.fullmatch(request_line):
            return False
        self.seen += 1
        fault = self.fault
        if fault.times is not None and self.struck >= fault.times:
            return False
        if fault.nth is not None:
            numbers = (fault.nth,) if isinstance(fault.nth, int) else fault.nth
            if self.seen not in numbers:
                return False
        if fault.probability is not None and self.dice.random() >= fault.probability:
            return False
        self.struck += 1
        return True


class Faults:
    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._armed.append(_Armed(fault, _pattern(fault.route), random.Random(fault.seed)))  # noqa: S311  # dice, not a secret

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

    def struck(self) -> list[tuple[Fault, int]]:
        """Each armed fault with how often it struck, so that a test can assert that its fault came true."""
        with self._lock:
            return [(armed.fault, armed.struck) for armed in self._armed]

    def effects(self, method: str, path: str) -> Effects:
        """Which faults strike this request. Every matching fault counts it, struck or not."""
        with self._lock:
            if not self._armed:
                return Effects()
            line = f"{method} {path}"
            struck = [armed.fault for armed in self._armed if armed.strikes(line)]
        doors = [fault for fault in struck if fault.action not in LIVY]
        return Effects(
            door=doors[0] if doors else None,
            livy={fault.action: fault for fault in struck if fault.action in LIVY},
        )


def _pattern(route: str) -> re.Pattern[str]:
    if route.startswith("^"):
        return re.compile(route)
    escaped = re.escape(route).replace(re.escape("{path}"), ".*")
    escaped = re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", escaped)
    if escaped.startswith(re.escape("* ")):
        escaped = r"[A-Z]+ " + escaped[len(re.escape("* ")) :]
    return re.compile(escaped + "/?")
