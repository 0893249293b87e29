"""What can happen to one call of a worker, as data: the wire (`wire.py`) plays it, the rules (`machine.py`) draw it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sandbox import Fault

Act = tuple[Any, ...]
"""Something that happens meanwhile: the name of a method of the world, and its arguments."""


class Crash(BaseException):
    """A worker is killed here: nothing of it goes on, no `finally` writes to the database."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """Strikes the `nth` call (from 1) of kind `on` in one pass of a worker."""

    on: str
    """GET, LOG, POST, DELETE, YARN, or "any"."""
    what: str
    nth: int = 1
    count: int = 0
    """crash_then: so many statements of the database after the answer."""
    acts: tuple[Act, ...] = ()
    """meanwhile_before, meanwhile_after, stalls: what others do while this call stands still."""


def _door(action: str, **options: Any) -> Fault:
    return Fault(route="* /{path}", action=action, **options)


DOORS: dict[str, Fault] = {
    "lost_before": _door("drop", when="before"),
    "lost_after": _door("drop", when="after"),
    "knox_500_before": _door("knox_500", when="before"),
    "knox_500_after": _door("knox_500", when="after"),
    "401": _door("status", code=401, body="empty"),
    "403_page": _door("status", code=403, body="html"),
    "404_page": _door("status", code=404, body="html"),
    "429": _door("status", code=429, body="html"),
    "502_before": _door("status", code=502, body="html", when="before"),
    "502_after": _door("status", code=502, body="html", when="after"),
    "503_inactive": _door("status", code=503, body="html", message="Service Unavailable"),
    "503_cut": _door("status", code=503, body="html", when="after", message="upstream connect error: reset"),
    "504_after": _door("status", code=504, body="html", when="after"),
    "redirect": _door("redirect"),
    "login_page": _door("login_page_200"),
    "empty_200_after": _door("empty_200", when="after"),
    "half_body": _door("half_body"),
    "not_utf8": _door("invalid_utf8"),
    "wrong_types": _door("wrong_json_types"),
    "wrong_name": _door("wrong_name"),
}
"""At the gateway's door. Not here: a gateway that forges Livy's own words ("refused", "not found")."""

LIES: dict[str, Fault] = {
    "phantom": _door("phantom"),
    "too_many": _door("too_many_sessions"),
    "flip": _door("flip"),
    "lost_sight": _door("dead_but_alive", variant="no_application"),
    "lost_polling": _door("dead_but_alive", variant="polling"),
    "delete_lies": _door("delete_lies"),
}
"""Inside Livy."""

ANY_CALL = ("unreachable", "crash_before", "crash_after", "crash_then", "slow", "meanwhile_before", "meanwhile_after")
ANSWERS = tuple(DOORS)
OF_POST = (
    "stalls",
    "late",
    "twice",
    "stuck",
    "phantom_lost",
    "phantom",
    "too_many",
    "flip",
    "lost_sight",
    "lost_polling",
)
OF_DELETE = ("delete_lies",)
OF_GET = ("flip", "lost_sight", "lost_polling")


def comes_to_livy(what: str) -> bool:
    """Livy acts on the call, whatever its caller is told."""
    return what not in DOORS or DOORS[what].strikes_after


def faults_of(trouble: Trouble) -> list[Fault]:
    """What the sandbox is armed with for this one call."""
    what = trouble.what
    if what == "phantom_lost":
        return [replace(LIES["phantom"], times=1), replace(DOORS["lost_after"], times=1)]
    fault = DOORS.get(what) or LIES.get(what)
    return [replace(fault, times=1)] if fault else []
