"""One HTTP call: a total deadline, a cap on the decompressed bytes, no redirects, no cookies, no environment (P4).

`requests` alone gives none of the first two: its read time-out is per read, so a server that drips a byte a second
never ends it. Here a watchdog shuts the socket down at the deadline, whatever it is doing then, and the connection
remembers whether it ever stood: that, not the class of the exception, decides between "not sent" and "ambiguous".
"""

from __future__ import annotations

import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, Protocol

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from recovery.domain.gateways import AuthKind, Condition
from recovery.gateway.endpoint import Endpoint
from recovery.gateway.errors import Ambiguous, NotSent

MAX_BYTES: Final = 16 * 1024 * 1024
"""Cap after decompression; a list page of 10,000 batches is about 10 MB (real-behaviour.md §l)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An HTTP answer, whole: status, content type in lower case, body, and the pause that Retry-After asks for."""

    status: int
    content_type: str
    body: bytes
    retry_after: float | None = None
    location: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """What to send. `deadline` is in seconds from now, in all; `last_act` runs once the connection stands, before
    the first byte, and stops the call by raising (P2)."""

    method: str
    url: str
    body: bytes | None = None
    deadline: float
    fresh: bool = False
    last_act: Callable[[], None] | None = field(default=None)


class Sender(Protocol):
    """What the client needs of a transport; tests inject their own."""

    def send(self, call: Call) -> Answer:
        """The answer, or NotSent | Ambiguous."""

    def close(self) -> None:
        """Give the kept connections back."""


class _Watch(threading.local):
    """What the connection of the call under way tells: did it stand, what to do then, its socket."""

    def __init__(self) -> None:
        self.connection: Any = None
        self.connected = False
        self.last_act: Callable[[], None] | None = None


_watch = _Watch()


class _StoppedByLastAct(Exception):
    """Carries what `last_act` raised through urllib3 untouched."""

    def __init__(self, reason: Exception) -> None:
        super().__init__()
        self.reason = reason


class _Watched:
    """Mixed into urllib3's connections."""

    def connect(self) -> None:
        _watch.connection = self
        super().connect()  # type: ignore[misc]  # urllib3's connection comes next in the MRO
        _run_last_act()
        _watch.connected = True

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        _watch.connection = self
        if getattr(self, "sock", None) is not None:
            _run_last_act()
            _watch.connected = True
        super().putrequest(*args, **kwargs)  # type: ignore[misc]


def _run_last_act() -> None:
    act, _watch.last_act = _watch.last_act, None
    if act is not None:
        try:
            act()
        except Exception as error:
            raise _StoppedByLastAct(error) from error


class _WatchedHTTP(_Watched, HTTPConnection):
    pass


class _WatchedHTTPS(_Watched, HTTPSConnection):
    pass


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


class _Adapter(HTTPAdapter):
    """No retries of any kind, our pools."""

    def __init__(self, size: int) -> None:
        super().__init__(pool_connections=size, pool_maxsize=size, max_retries=0, pool_block=False)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


class _Identity(AuthBase):
    """Shows who we are; never reads .netrc."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        endpoint = self._endpoint
        if endpoint.auth is AuthKind.BASIC:
            pair = f"{endpoint.user}:{endpoint.secret}".encode()
            request.headers["Authorization"] = f"Basic {b64encode(pair).decode()}"
        if endpoint.auth is AuthKind.BEARER:
            request.headers["Authorization"] = f"Bearer {endpoint.secret}"
        return request


class Transport:
    """`Sender` over requests. Keeps connections for GETs; a POST always gets a connection of its own (P4)."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        connect_timeout: float = 10,
        read_timeout: float = 35,
        max_bytes: int = MAX_BYTES,
        pool_size: int = 4,
    ) -> None:
        self._endpoint = endpoint
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._max_bytes = max_bytes
        self._pool_size = pool_size
        self._kept: requests.Session | None = None

    def send(self, call: Call) -> Answer:
        """Send once, never again by itself. Raises NotSent (certainly not acted on) or Ambiguous."""
        if call.fresh:
            with self._session(1) as session:
                return self._send(session, call)
        if self._kept is None:
            self._kept = self._session(self._pool_size)
        return self._send(self._kept, call)

    def close(self) -> None:
        """Close the kept connections."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _session(self, size: int) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.auth = _Identity(self._endpoint)
        session.verify = self._endpoint.verify
        # Knox's session cookie would beat the credentials of the next call (real-behaviour.md, fact 8)
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter(size))
        return session

    def _send(self, session: requests.Session, call: Call) -> Answer:
        _watch.connection, _watch.connected, _watch.last_act = None, False, call.last_act
        end = time.monotonic() + call.deadline
        timeouts = (min(self._connect_timeout, call.deadline), min(self._read_timeout, call.deadline))
        headers: Mapping[str, str] = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "X-Requested-By": "recovery-portal",
            "X-XSRF-Header": "recovery-portal",
        }
        if call.body is not None:
            headers = {**headers, "Content-Type": "application/json"}
        try:
            with _deadline(call.deadline) as passed:
                response = session.request(
                    call.method, call.url, data=call.body, headers=headers, timeout=timeouts,
                    allow_redirects=False, stream=True,
                )  # fmt: skip
                try:
                    body = self._body(response, end, passed)
                finally:
                    response.close()
        except _StoppedByLastAct as stopped:
            raise stopped.reason from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _told(error, connected=_watch.connected) from error
        return Answer(
            status=response.status_code,
            content_type=response.headers.get("Content-Type", "").split(";")[0].strip().lower(),
            body=body,
            retry_after=_retry_after(response.headers.get("Retry-After", "")),
            location=response.headers.get("Location", ""),
        )

    def _body(self, response: requests.Response, end: float, passed: threading.Event) -> bytes:
        chunks: list[bytes] = []
        size = 0
        for chunk in _chunks(response):
            size += len(chunk)
            if size > self._max_bytes:
                raise Ambiguous(f"the answer is larger than {self._max_bytes} bytes", status=response.status_code)
            if passed.is_set() or time.monotonic() > end:
                break
            chunks.append(chunk)
        if passed.is_set() or time.monotonic() > end:
            raise Ambiguous("the answer was not whole at the deadline", status=response.status_code)
        return b"".join(chunks)


def _chunks(response: requests.Response) -> Iterator[bytes]:
    return response.iter_content(64 * 1024)


@contextmanager
def _deadline(seconds: float) -> Iterator[threading.Event]:
    """Shuts the call's socket down after `seconds`, so that no read of it can last longer."""
    passed = threading.Event()
    watch = _watch.__dict__  # the dictionary of this thread

    def shut() -> None:
        passed.set()
        sock = getattr(watch.get("connection"), "sock", None)
        if sock is not None:
            try:
                sock.shutdown(2)
            except OSError:
                return  # it was closed in the meantime: nothing is left to shut

    timer = threading.Timer(seconds, shut)
    timer.daemon = True
    timer.start()
    try:
        yield passed
    finally:
        timer.cancel()


def _told(error: BaseException, *, connected: bool) -> NotSent | Ambiguous:
    """NotSent only when the connection never stood and the cause says the same; everything else is ambiguous."""
    causes = list(_causes(error))
    words = type(causes[-1]).__name__
    if not connected:
        for kind, condition in (
            (NameResolutionError, Condition.DNS),
            (ConnectTimeoutError, Condition.TIMEOUT),
            (requests.ConnectTimeout, Condition.TIMEOUT),
            (ssl.SSLError, Condition.TLS),
            (NewConnectionError, Condition.UNREACHABLE),
            (requests.exceptions.InvalidURL, Condition.NO_ROUTE),
        ):
            for cause in causes:
                if isinstance(cause, kind):
                    return NotSent(f"{condition}: {_short(cause)}", condition=condition)
        if isinstance(error, OSError) and any("CA cert" in str(c) or "TLS CA" in str(c) for c in causes):
            return NotSent(f"tls: {_short(error)}", condition=Condition.TLS)
    return Ambiguous(f"no answer: {words}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it wraps: causes, contexts, and the `reason` and arguments of urllib3's errors."""
    seen: set[int] = set()
    queue: list[BaseException | None] = [error]
    while queue:
        one = queue.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        queue += [one.__cause__, one.__context__, getattr(one, "reason", None)]
        queue += [arg for arg in one.args if isinstance(arg, BaseException)]


def _short(error: BaseException) -> str:
    return str(error)[:300]


def _retry_after(value: str) -> float | None:
    return float(value) if value.isdigit() else None
