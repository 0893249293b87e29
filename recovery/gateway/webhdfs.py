"""HDFS through Knox, as far as a look before filing needs it (livy-knox-contract.md §12, real-behaviour.md §m).

HDFS's verdict is the `exception` of its `RemoteException`, never the status: 403 is a denial, a path below a file (in
truth missing), and whatever will pass by itself (safe mode, a NameNode that is just starting). GETFILESTATUS says
nothing about reading; CHECKACCESS does. All of it is about the user that Knox knows us as: `doAs` is dropped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self, TypeGuard
from urllib.parse import urlencode

from recovery.domain.gateways import Condition
from recovery.domain.pacing import Pacing
from recovery.domain.redaction import redact, storable
from recovery.gateway import wire
from recovery.gateway.endpoint import Endpoint
from recovery.gateway.errors import Forbidden, NotFound, NotSent
from recovery.gateway.livy import answer_of
from recovery.gateway.transport import Answer, Call, Sender, Transport

READ: Final = "r--"
WRITE_INTO: Final = "-wx"
"""On a directory: files may be made in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileStatus:
    """A path that exists. `kind` is FILE, DIRECTORY or SYMLINK; `modified` by the cluster's clock."""

    kind: str
    length: int
    modified: datetime
    owner: str = ""
    permission: str = ""

    @property
    def is_file(self) -> bool:
        """A link may lead to one: only a directory is certainly none."""
        return self.kind != "DIRECTORY"


class WebHdfsClient:
    """The HDFS behind one gateway. Not for several threads at once; use it in a `with`."""

    def __init__(
        self,
        endpoint: Endpoint,
        webhdfs_path: str,
        *,
        pacing: Pacing | None = None,
        limit: float | None = None,
        transport: Sender | None = None,
    ) -> None:
        """`webhdfs_path` is `webhdfs/v1` behind a stock Knox; `limit`: seconds from now for all calls together."""
        pacing = pacing or Pacing()
        self._endpoint = replace(endpoint, livy_path=webhdfs_path)
        self._deadline = pacing.get_deadline
        self._end = None if limit is None else time.monotonic() + limit
        self._transport: Sender = transport or Transport(
            endpoint, connect_timeout=pacing.connect_timeout, read_timeout=pacing.read_timeout
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

    def status(self, path: str) -> FileStatus:
        """GETFILESTATUS; needs only `x` on the parents. Raises NotFound, Forbidden (a parent is closed), NotSent."""
        inner = _inside(self._value(path, "GETFILESTATUS"), "FileStatus")
        kind, length, modified = inner.get("type"), inner.get("length"), inner.get("modificationTime")
        if not isinstance(kind, str) or not _is_count(length) or not _is_count(modified):
            raise _other_shape()
        return FileStatus(
            kind=storable(kind),
            length=length,
            modified=_time(modified),
            owner=storable(str(inner.get("owner", ""))),
            permission=storable(str(inner.get("permission", ""))),
        )

    def check_access(self, path: str, action: str = READ) -> None:
        """CHECKACCESS (Hadoop 2.6 and later): returns when it is allowed. Raises Forbidden, NotFound, NotSent."""
        answer = self._ask(path, "CHECKACCESS", fsaction=action)
        if answer.body:  # a yes is empty; a page that answers 200 is no yes
            raise _other_shape()

    def home(self) -> str:
        """GETHOMEDIRECTORY: where our home is, existing or not; its last part is who we are. Raises NotSent."""
        value = self._value("/", "GETHOMEDIRECTORY")
        home = value.get("Path") if isinstance(value, Mapping) else None
        if not isinstance(home, str) or not home.startswith("/"):
            raise _other_shape()
        return storable(home)

    def checksum(self, path: str) -> str:
        """GETFILECHECKSUM as `algorithm:bytes`; a DataNode computes it. Raises NotFound, Forbidden, NotSent.

        The NameNode redirects to a DataNode, and Knox rewrites the address to one of its own: only such a one is
        followed, since our credentials go with it.
        """
        answer = self._ask(path, "GETFILECHECKSUM")
        if answer.status == 307:
            if not answer.location.startswith(self._endpoint.base_url.rstrip("/") + "/"):
                raise NotSent("sent elsewhere than to this gateway", condition=Condition.REDIRECT, status=307)
            answer = self._checked(self._send(answer.location))
        inner = _inside(self._json(answer), "FileChecksum")
        algorithm, digest = inner.get("algorithm"), inner.get("bytes")
        if not isinstance(algorithm, str) or not isinstance(digest, str) or not digest:
            raise _other_shape()
        return storable(f"{algorithm}:{digest}")

    def _value(self, path: str, operation: str) -> Any:
        return self._json(self._ask(path, operation))

    def _json(self, answer: Answer) -> Any:
        return wire.read_value(answer, secret=self._endpoint.secret)

    def _ask(self, path: str, operation: str, **options: str) -> Answer:
        query = urlencode({"op": operation, **options})
        segments = [segment for segment in path.split("/") if segment]
        return self._checked(self._send(self._endpoint.livy(*segments, query=query)))

    def _send(self, url: str) -> Answer:
        left = self._deadline if self._end is None else min(self._deadline, self._end - time.monotonic())
        return answer_of(self._transport, Call(method="GET", url=url, deadline=left))

    def _checked(self, answer: Answer) -> Answer:
        """A 200, or the 307 to a DataNode; else what HDFS or Knox says."""
        if (told := _remote(answer)) is not None:
            raise _verdict(*told, status=answer.status, secret=self._endpoint.secret)
        if answer.status == 307 and answer.location:
            return answer
        words = wire.words_of(answer, self._endpoint.secret)
        if (condition := wire.gateway_condition(answer, words)) is not None:
            raise condition
        if answer.status != 200:
            kind = Condition.FORBIDDEN if answer.status == 403 else Condition.SERVER_ERROR
            raise NotSent(words, condition=kind, status=answer.status)
        return answer


def _remote(answer: Answer) -> tuple[str, str] | None:
    """(exception, message) of HDFS's own error; None for every other body."""
    if answer.status < 400:
        return None
    try:
        remote = json.loads(answer.body).get("RemoteException")
    except (ValueError, AttributeError, RecursionError):
        return None
    if not isinstance(remote, Mapping) or not isinstance(remote.get("exception"), str):
        return None
    return str(remote["exception"]), str(remote.get("message", ""))


def _verdict(exception: str, message: str, *, status: int, secret: str) -> NotFound | Forbidden | NotSent:
    words = redact(storable(message), secret).strip().split("\n", 1)[0][: wire.WORDS] or exception
    if exception == "FileNotFoundException" or (
        exception == "AccessControlException" and "(is not a directory)" in message
    ):
        return NotFound(words, status=status)
    if exception == "AccessControlException":
        return Forbidden(words, status=status)
    # safe mode, a NameNode in standby or just starting, an operation that this Hadoop does not have
    return NotSent(f"{exception}: {words}", condition=Condition.SERVER_ERROR, status=status)


def _inside(value: object, key: str) -> Mapping[str, Any]:
    inner = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(inner, Mapping):
        raise _other_shape()
    return inner


def _is_count(number: object) -> TypeGuard[int]:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 0


def _time(milliseconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise _other_shape() from error


def _other_shape() -> NotSent:
    return NotSent("an answer of another shape", condition=Condition.GARBLED)
