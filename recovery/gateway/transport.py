"""One HTTP call: a total deadline, a cap on the decompressed bytes, no redirects, no cookies, no environment (P4).

`requests` alone gives none of the first two: its read time-out is per read, so a server that drips a byte a second
never ends it. Here a watchdog shuts the socket down at the deadline, whatever it is doing then, and the connection
remembers whether it ever stood: that, not the class of the exception, decides between "not sent" and "ambiguous".
Bytes of a request leave only after that moment, so a connection that never stood has sent nothing.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, Protocol

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)
from urllib3.exceptions import SSLError as PoolSSLError

from recovery.domain.gateways import AuthKind, Condition
from recovery.gateway.endpoint import Endpoint
from recovery.gateway.errors import Ambiguous, NotSent

MAX_BYTES: Final = 16 * 1024 * 1024
"""Cap after decompression; a list page of 10,000 batches is about 10 MB (real-behaviour.md §l)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An HTTP answer, whole: status, content type in lower case, body, and the pause that Retry-After asks for.

    `location` is told and never followed here (P4).
    """

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
    """What the connection of the call under way tells: did it stand, what to do then, its socket.

    The socket is kept here because http.client lets go of it while the answer is still being read, where the answer
    ends by closing (as Knox's own 500 does).
    """

    def __init__(self) -> None:
        self.begin(None)

    def begin(self, last_act: Callable[[], None] | None) -> None:
        """A new call of this thread."""
        self.sock: socket.socket | None = None
        self.connected = False
        self.last_act = last_act
        self.passed = threading.Event()


_watch = _Watch()


class _StoppedByLastAct(Exception):
    """Carries what `last_act` raised through urllib3 untouched."""

    def __init__(self, reason: Exception) -> None:
        super().__init__()
        self.reason = reason


class _Watched:
    """Mixed into urllib3's connections."""

    sock: socket.socket | None

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]  # urllib3's connection comes next in the MRO
        self._stands()

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:  # a kept connection; a new one connects when its first bytes are to be sent
            self._stands()
        super().putrequest(*args, **kwargs)  # type: ignore[misc]

    def _stands(self) -> None:
        """Once in each call: nothing was sent so far, and nothing is when this raises."""
        if _watch.connected:
            return
        _watch.sock = self.sock
        if _watch.last_act is not None:
            try:
                _watch.last_act()
            except Exception as error:
                raise _StoppedByLastAct(error) from error
        if _watch.passed.is_set():
            raise ConnectTimeoutError(self, "the deadline passed before the connection stood")
        _watch.connected = True


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


class _Session(requests.Session):
    """Keeps nothing from answer to answer, reads nothing from the environment."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: even when told to follow nothing, requests would parse the Location and read the whole body for it,
        without our cap."""


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
            if not re.fullmatch(r"[\x21-\x7e]+", endpoint.secret):
                raise NotSent("the token is empty, or holds what no header can carry", condition=Condition.SECRET)
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
        session = _Session()
        session.trust_env = False
        session.auth = _Identity(self._endpoint)
        session.verify = self._endpoint.verify
        # Knox's session cookie would beat the credentials of the next call (real-behaviour.md, fact 8)
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter(size))
        return session

    def _send(self, session: requests.Session, call: Call) -> Answer:
        if call.deadline <= 0:
            raise NotSent("the deadline had passed before the call", condition=Condition.TIMEOUT)
        _watch.begin(call.last_act)
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
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
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
    watch = _watch.__dict__  # the dictionary of this thread
    passed: threading.Event = watch["passed"]
    lock, over = threading.Lock(), threading.Event()

    def shut() -> None:
        with lock:
            if over.is_set():
                return  # the call ended just now: the socket may serve the next one
            passed.set()
            sock = watch["sock"]
            if sock is not None:  # else it connects still, and `_stands` will stop it
                with suppress(OSError):  # closed in the meantime: nothing is left to shut
                    sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, shut)
    timer.daemon = True
    timer.start()
    try:
        yield passed
    finally:
        timer.cancel()
        with lock:
            over.set()


_NEVER_STOOD: Final[tuple[tuple[type[BaseException], Condition], ...]] = (
    (NameResolutionError, Condition.DNS),
    (LocationParseError, Condition.DNS),
    (requests.exceptions.InvalidURL, Condition.NO_ROUTE),
    (NewConnectionError, Condition.UNREACHABLE),
    (ConnectTimeoutError, Condition.TIMEOUT),
    (ReadTimeoutError, Condition.TIMEOUT),  # of the TLS handshake
    (ssl.SSLError, Condition.TLS),
    (PoolSSLError, Condition.TLS),
)
"""Most specific first: urllib3's errors are each other's subclasses."""


def _told(error: BaseException, *, connected: bool) -> NotSent | Ambiguous:
    """NotSent only when the connection never stood; then the cause says why. Everything else is ambiguous."""
    causes = list(_causes(error))
    if connected:
        return Ambiguous(f"no answer: {type(causes[-1]).__name__}")
    for kind, condition in _NEVER_STOOD:
        for cause in causes:
            if isinstance(cause, kind):
                return NotSent(f"{condition}: {_short(cause)}", condition=condition)
    # requests says so in an OSError of its own when the CA bundle is missing
    condition = Condition.TLS if "TLS CA" in str(error) else Condition.UNREACHABLE
    return NotSent(f"{condition}: {_short(error)}", condition=condition)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it wraps: causes, contexts, and the `reason` and arguments of urllib3's errors."""
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue:
        one = queue.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue  # `reason` is a text in the errors of ssl
        seen.add(id(one))
        yield one
        queue += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]


def _short(error: BaseException) -> str:
    """Without the connection object, which urllib3 puts in front."""
    return re.sub(r"^<?_?\w*HTTPS?\w*(\([^)]*\)|[^>:]*>): ", "", str(error))[:300]


def _retry_after(value: str) -> float | None:
    return float(value) if re.fullmatch(r"[0-9]{1,9}", value) else None
