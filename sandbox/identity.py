"""Who is calling: HTTP basic with session cookies, or bearer tokens, as the two Knox topologies do it.

A kept session cookie beats the Authorization header, a wrong password and another user's credentials included
(real-behaviour.md, fact 8): that trap is the reason why cookies are played here at all.
"""

import base64
import binascii
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.answers import Answer, http_date, knox_page, to_json
from sandbox.request import Request

SESSION_COOKIE = "KNOXSESSIONID"
_MOST_SESSIONS = 10_000
_LIFESPAN = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_DEFAULT_LIFESPAN = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    user: str
    #: Set-Cookie and Expires headers of the answer.
    headers: tuple[tuple[str, str], ...] = ()


class Identities:
    def __init__(self, users: Mapping[str, str], tokens: Mapping[str, str]) -> None:
        self._users = dict(users)
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, str] = OrderedDict()
        self._tokens: dict[str, tuple[str, float | None]] = {token: (user, None) for token, user in tokens.items()}

    def basic(self, request: Request, topology: str) -> Caller | Answer:
        cookie = _cookie(request.headers.get("cookie", ""))
        with self._lock:
            known = self._sessions.get(cookie) if cookie else None
        if known is not None:
            return Caller(user=known)
        user, password = _credentials(request.headers.get("authorization", ""))
        if user is None or self._users.get(user) != password:
            # Empty body, no content type (§h); who did say something is told to forget it.
            said = "basic" in request.headers.get("authorization", "").lower()
            forget = (_forget_me(f"/gateway/{topology}"),) if said else ()
            challenge = ("WWW-Authenticate", 'BASIC realm="application"')
            return Answer(status=401, headers=(("Date", http_date()), *forget, challenge))
        return Caller(user=user, headers=self._new_session(user, topology))

    def bearer(self, request: Request, topology: str) -> Caller | Answer:
        header = request.headers.get("authorization", "")
        kind, _, token = header.partition(" ")
        if kind.lower() == "basic":
            name, password = _credentials(header)
            token = password if name == "Token" and password is not None else ""
        elif kind.lower() != "bearer":
            token = ""
        with self._lock:
            user, expires = self._tokens.get(token.strip(), (None, None))
        servlet = f"{topology}-knox-gateway-servlet"
        if user is None:
            return knox_page(401, request.path, servlet)
        if expires is not None and time.time() >= expires:
            return knox_page(401, request.path, servlet, "Token has expired")
        return Caller(user=user)

    def issue_token(self, user: str, lifespan: str | None) -> Answer:
        """KNOXTOKEN: `expires_in` is an epoch in milliseconds, not a duration (§h)."""
        expires = time.time() + _seconds(lifespan)
        token = f"{secrets.token_hex(8)}.{secrets.token_hex(24)}.{secrets.token_hex(16)}"
        with self._lock:
            self._tokens[token] = (user, expires)
        body = {
            "access_token": token,
            "token_id": secrets.token_hex(16),
            "managed": "false",
            "token_type": "Bearer",
            "expires_in": int(expires * 1000),
        }
        return Answer(status=200, body=to_json(body), content_type="application/json")

    def forget_sessions(self) -> None:
        """What a restart of Knox does to cookies; tokens stay valid (§h)."""
        with self._lock:
            self._sessions.clear()

    def _new_session(self, user: str, topology: str) -> tuple[tuple[str, str], ...]:
        session = f"node0{secrets.token_hex(12)}.node0"
        with self._lock:
            self._sessions[session] = user
            if len(self._sessions) > _MOST_SESSIONS:
                self._sessions.popitem(last=False)
        path = f"/gateway/{topology}"
        # Without `Secure`, which the real one has: over plain http no client would send it back.
        return (
            ("Set-Cookie", f"{SESSION_COOKIE}={session}; Path={path}; HttpOnly"),
            ("Expires", "Thu, 01 Jan 1970 00:00:00 GMT"),
            _forget_me(path),
        )


def _forget_me(path: str) -> tuple[str, str]:
    return "Set-Cookie", f"rememberMe=deleteMe; Path={path}; Max-Age=0; SameSite=lax"


def _cookie(header: str) -> str | None:
    for pair in header.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == SESSION_COOKIE:
            return value
    return None


def _credentials(header: str) -> tuple[str | None, str | None]:
    kind, _, encoded = header.partition(" ")
    if kind.lower() != "basic":
        return None, None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return (user, password) if colon else (None, None)


def _seconds(lifespan: str | None) -> float:
    match = _LIFESPAN.fullmatch(lifespan or "")
    if match is None:
        return _DEFAULT_LIFESPAN
    days, hours, minutes, seconds = (int(text or 0) for text in match.groups())
    return min(_DEFAULT_LIFESPAN, days * 86400 + hours * 3600 + minutes * 60 + seconds)
