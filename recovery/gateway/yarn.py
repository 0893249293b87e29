"""YARN's ResourceManager through Knox: the second witness of a batch (livy-knox-contract.md §11, real-behaviour.md §n).

An application is found by its tag, which is the recovery's batch name (N2), or by its id. Its verdict is `finalStatus`,
not `state`: a job that threw is FINISHED and FAILED. A restarted ResourceManager has forgotten everything, with the
same answer as for what never existed: `ClusterInfo.started` tells.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

from recovery.domain.gateways import Condition
from recovery.domain.pacing import Pacing
from recovery.domain.redaction import storable
from recovery.gateway import wire
from recovery.gateway.endpoint import Endpoint
from recovery.gateway.errors import Ambiguous, Forbidden, NotFound, NotSent
from recovery.gateway.livy import answer_of
from recovery.gateway.transport import Answer, Call, Sender, Transport

OVER: Final = frozenset({"SUCCEEDED", "FAILED", "KILLED", "ENDED"})
"""`finalStatus` of what has ended; UNDEFINED means alive."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """One application of YARN. `diagnostics` up to 10 kB."""

    id: str
    state: str
    final_status: str
    name: str = ""
    tags: tuple[str, ...] = ()
    user: str = ""
    diagnostics: str = ""

    @property
    def is_over(self) -> bool:
        """It has ended, however."""
        return self.final_status in OVER


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterInfo:
    """`started`: since when this ResourceManager remembers."""

    started: datetime


class YarnClient:
    """The ResourceManager behind one gateway. Use it in a `with`."""

    def __init__(
        self, endpoint: Endpoint, yarn_path: str, *, pacing: Pacing | None = None, transport: Sender | None = None
    ) -> None:
        """`yarn_path` is `resourcemanager/v1/cluster` behind a stock Knox."""
        self._endpoint = replace(endpoint, livy_path=yarn_path)
        self._pacing = pacing or Pacing()
        self._transport: Sender = transport or Transport(
            endpoint, connect_timeout=self._pacing.connect_timeout, read_timeout=self._pacing.read_timeout
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

    def info(self) -> ClusterInfo:
        """Raises NotSent."""
        value = self._get("info")
        started = _inside(value, "clusterInfo").get("startedOn")
        if not isinstance(started, int):
            raise _other_shape()
        return ClusterInfo(started=datetime.fromtimestamp(started / 1000, tz=UTC))

    def by_tag(self, tag: str) -> tuple[Application, ...]:
        """Every application with this tag (compared in lower case). None: `{"apps": {}}` or `{"apps": null}`.

        Raises NotSent.
        """
        value = self._get("apps", query=urlencode({"applicationTags": tag}))
        apps = _inside(value, "apps", empty=True).get("app") or []
        if not isinstance(apps, list):
            raise _other_shape()
        return tuple(_application(one) for one in apps)

    def by_id(self, app_id: str) -> Application:
        """Raises NotFound (never existed, or forgotten), NotSent."""
        return _application(_inside(self._get("apps", app_id), "app"))

    def kill(self, app_id: str) -> None:
        """Ask for its end; nothing happens to an ended one. Raises NotFound, Forbidden, NotSent, Ambiguous."""
        body = json.dumps({"state": "KILLED"}).encode()
        url = self._endpoint.livy("apps", app_id, "state")
        answer = self._transport.send(Call(method="PUT", url=url, body=body, deadline=self._pacing.get_deadline))
        if answer.status in {200, 202}:
            return
        _raise(answer, self._endpoint.secret)
        raise Ambiguous(wire.words_of(answer, self._endpoint.secret), status=answer.status)

    def _get(self, *segments: str, query: str = "") -> Any:
        call = Call(method="GET", url=self._endpoint.livy(*segments, query=query), deadline=self._pacing.get_deadline)
        answer = answer_of(self._transport, call)
        if answer.status == 200:
            return wire.read_value(answer, secret=self._endpoint.secret)
        _raise(answer, self._endpoint.secret)
        raise NotSent(
            wire.words_of(answer, self._endpoint.secret), condition=Condition.SERVER_ERROR, status=answer.status
        )


def _raise(answer: Answer, secret: str) -> None:
    """What Knox says, or YARN's own `RemoteException`."""
    words = wire.words_of(answer, secret)
    if answer.status == 404 and b"NotFoundException" in answer.body:
        raise NotFound(words, status=404)
    if answer.status == 403 and not answer.body:
        raise Forbidden(words, status=403)
    if (condition := wire.gateway_condition(answer, words)) is not None:
        raise condition


def _inside(value: object, key: str, *, empty: bool = False) -> Mapping[str, Any]:
    inner = value.get(key) if isinstance(value, Mapping) else None
    if empty and inner is None and isinstance(value, Mapping) and key in value:
        return {}
    if not isinstance(inner, Mapping):
        raise _other_shape()
    return inner


def _application(value: object) -> Application:
    if not isinstance(value, Mapping):
        raise _other_shape()
    texts = {}
    for name in ("id", "name", "state", "finalStatus", "applicationTags", "user", "diagnostics"):
        text = value.get(name) or ""
        if not isinstance(text, str):
            raise _other_shape()
        texts[name] = storable(text)
    if not texts["id"] or not texts["finalStatus"]:
        raise _other_shape()
    return Application(
        id=texts["id"],
        state=texts["state"],
        final_status=texts["finalStatus"],
        name=texts["name"],
        tags=tuple(tag for tag in texts["applicationTags"].split(",") if tag),
        user=texts["user"],
        diagnostics=texts["diagnostics"],
    )


def _other_shape() -> NotSent:
    return NotSent("an answer of another shape", condition=Condition.GARBLED)
