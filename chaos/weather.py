"""The faults that a plan draws from: each kind with how many of a gateway's recoveries it meets.

A fault strikes the n-th request of its route, and no two of a route the same one, so that a plan's faults come true
however fast the machine is.

Seconds are real, and in step with the pacing: Knox gives up after `KNOX`, nothing that Livy does late takes longer
than a fraction of the settle time.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Final

KNOX: Final = 2.0
"""Knox's 20 s, scaled."""
_POST, _GET, _LIST, _DELETE = "POST /batches", "GET /batches/{x}", "GET /batches", "DELETE /batches/{x}"
_LOG, _YARN, _ALL = "GET /batches/{x}/log", "* /resourcemanager/{path}", "* /{path}"
REQUESTS: Final = {_POST: 1.0, _GET: 5.0, _LIST: 0.3, _DELETE: 0.12, _LOG: 2.0, _YARN: 1.0, _ALL: 8.0}
"""Requests of each route that a recovery makes, about."""


def _door(route: str, action: str, often: float, **more: Any) -> tuple[float, dict[str, Any]]:
    return often, {"route": route, "action": action, "times": 1, **more}


def _page(code: int, message: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "body": "html", "message": message, **more}


SUBMITTING: Final = (
    # the answer is lost, and Livy has taken it
    _door(_POST, "drop", 0.05, when="after"),
    _door(_POST, "reset", 0.04, when="after"),
    _door(_POST, "knox_500", 0.06, when="after"),
    _door(_POST, "status", 0.04, when="after", **_page(502, "Bad Gateway")),
    _door(_POST, "status", 0.03, when="after", **_page(200, "Welcome")),
    _door(_POST, "empty_200", 0.02, when="after"),
    _door(_POST, "half_body", 0.02),
    _door(_POST, "wrong_json_types", 0.01),
    _door(_POST, "invalid_utf8", 0.01),
    _door(_POST, "wrong_name", 0.01),
    _door(_POST, "hang", 0.015, when="after", seconds=2 * KNOX),
    # it never arrived
    _door(_POST, "drop", 0.02, when="before"),
    _door(_POST, "reset", 0.01, when="before"),
    _door(_POST, "knox_500", 0.02, when="before"),
    _door(_POST, "status", 0.02, when="before", **_page(502, "Bad Gateway")),
    # nobody acted on it
    _door(_POST, "status", 0.015, **_page(429, "Too Many Requests", headers={"Retry-After": "1"})),
    _door(_POST, "status", 0.02, **_page(503, "Service Unavailable")),
    _door(_POST, "login_page_200", 0.01),
    _door(_POST, "redirect", 0.01),
    _door(_POST, "too_many_sessions", 0.02, times=2),
    # Livy
    _door(_POST, "late_accept", 0.03, seconds=2 * KNOX),
    _door(_POST, "slow_start", 0.03, seconds=1.5 * KNOX),
    _door(_POST, "phantom", 0.06),
)
FOLLOWING: Final = (
    _door(_GET, "knox_500", 0.08, times=2),
    _door(_GET, "drop", 0.05),
    _door(_GET, "reset", 0.04),
    _door(_GET, "half_body", 0.04),
    _door(_GET, "empty_200", 0.04),
    _door(_GET, "invalid_utf8", 0.02),
    _door(_GET, "wrong_json_types", 0.03),
    _door(_GET, "wrong_name", 0.03),
    _door(_GET, "login_page_200", 0.02),
    _door(_GET, "redirect", 0.02),
    _door(_GET, "hang", 0.02, seconds=KNOX),
    _door(_GET, "status", 0.03, times=3, **_page(502, "Bad Gateway")),
    _door(_GET, "status", 0.02, times=2, **_page(503, "Service Unavailable")),
    _door(_GET, "status", 0.02, times=2, **_page(404, "Not Found")),
    _door(_GET, "flip", 0.06),
    _door(_LIST, "knox_500", 0.03),
    _door(_LIST, "wrong_json_types", 0.03),
    _door(_LOG, "knox_500", 0.06),
    _door(_LOG, "status", 0.03, code=403, body="empty"),
    _door(_DELETE, "delete_lies", 0.05),
    _door(_DELETE, "knox_500", 0.03, when="after"),
    _door(_DELETE, "knox_500", 0.02, when="before"),
    _door(_DELETE, "drop", 0.02, when="after"),
    _door(_DELETE, "hang", 0.02, when="after", seconds=2 * KNOX),
    _door(_ALL, "status", 0.02, times=5, **_page(401, "Unauthorized")),
)
ON_YARN: Final = (
    _door(_GET, "dead_but_alive", 0.05, variant="no_application"),
    _door(_GET, "dead_but_alive", 0.03, variant="polling"),
)
ASKING_YARN: Final = (
    _door(_YARN, "knox_500", 0.04, times=2),
    _door(_YARN, "status", 0.02, times=2, **_page(401, "Unauthorized")),
    _door(_YARN, "hang", 0.01, seconds=KNOX),
    _door(_YARN, "half_body", 0.02),
)

POINTS: Final[tuple[str, ...]] = (
    "claimed", "before_post", "before_first_byte", "post_sent", "post_answered", "uncommitted", "adopting", "deleting",
    "deleted", "refused", "phantom_proved", "ending", "ended", "sweeping",
)  # fmt: skip
"""Where a worker can be killed (`chaos.points`)."""
STOP_POINTS: Final[tuple[str, ...]] = (
    "claimed", "before_post", "before_first_byte", "post_sent", "post_answered", "adopting", "deleting", "ending",
)  # fmt: skip
"""Where it can be stopped for twice its lease; `before_first_byte` is what remains possible."""


def faults(dice: random.Random, recoveries: float, *, local: bool, yarn: bool) -> Iterator[dict[str, Any]]:
    """The faults of one gateway with so many recoveries, each with the numbers of the requests that it strikes."""
    kinds = SUBMITTING + FOLLOWING + (() if local else ON_YARN) + (ASKING_YARN if yarn else ())
    chosen: dict[str, list[dict[str, Any]]] = {}
    for often, fault in kinds:
        wanted = often * recoveries
        number = int(wanted) + (dice.random() < wanted - int(wanted))
        chosen.setdefault(fault["route"], []).extend(dict(fault) for _ in range(number))
    for route, queue in chosen.items():
        dice.shuffle(queue)
        yield from _numbered(dice, queue, REQUESTS[route] * recoveries)


def _numbered(dice: random.Random, queue: list[dict[str, Any]], requests: float) -> Iterator[dict[str, Any]]:
    """Spread over so many requests of one route, with gaps."""
    spare = max(0.0, requests - sum(fault["times"] for fault in queue)) / max(1, len(queue))
    number = 1.0
    for fault in queue:
        number += dice.uniform(0, 2 * spare)
        first = int(number)
        yield fault | {"nth": list(range(first, first + fault["times"]))}
        number = first + fault["times"]


def orders(dice: random.Random, *, recovery: bool, yarn: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """What happens to the servers of one gateway: restarts, silence, and the way to them cut."""
    for _ in range(dice.randint(1, 2)):
        graceful = not recovery and dice.random() < 0.3
        yield "restart", {"recovery": recovery, "graceful": graceful, "downtime": dice.choice((0.0, 1.0, 3.0))}
    yield "pause", {"for": dice.uniform(1, 2 * KNOX)}
    yield "down", {"for": dice.uniform(1, 4)}
    yield "knox_restart", {}
    if yarn:
        yield "yarn_down", {"for": dice.uniform(1, 4)}  # shorter than the silence after which Livy's word counts
    if yarn and not recovery and dice.random() < 0.4:
        yield "yarn_restart", {}
