"""Those who file, cancel and resubmit through the API, and do not let go: a request without an answer is sent again."""

from __future__ import annotations

import http.client
import json
import secrets
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any, Final

JAR: Final = "hdfs:///user/sddesigner/recovery.jar"
PATIENCE: Final = 60.0
"""Seconds for which a request is repeated."""
TIMEOUT: Final = 30.0
_CONFLICTS: Final = frozenset({"not_ended", "live_child", "unsettled", "not_cancellable"})


class Unserved(Exception):
    """The portal gave no answer that settles the request, however often it was asked."""


@dataclass(kw_only=True)
class People:
    """One steward at several keyboards. `filed` is what was answered 202: key → id."""

    url: str
    token: str
    filed: dict[str, int] = field(default_factory=dict)
    by_number: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def file(self, number: str, *, profile: str, args: str) -> None:
        """File the recovery `number` of the plan, once, however often it has to be sent."""
        key = f"plan-{number}-{secrets.token_hex(4)}"
        body = {"jarPath": JAR, "jarArgs": args, "profile": profile, "reason": "chaos"}
        status, answer = self._ask("POST", "recoveries/", body, key)
        if status != 202:
            self._wrong(f"filing {number}: {status} {answer}")
            return
        with self._lock:
            self.filed[key] = self.by_number[number] = int(answer["id"])
        self._count("filed")

    def cancel(self, number: str) -> None:
        """Ask for a cancel; one that comes too late is told so."""
        pk = self._known(number)
        if pk is None:
            return
        status, answer = self._ask("POST", f"recoveries/{pk}/cancel/", {"reason": "chaos"})
        if status == 202 or answer.get("code") == "not_cancellable":
            self._count("cancels" if status == 202 else "cancels that came too late")
        else:
            self._wrong(f"cancelling {pk}: {status} {answer}")

    def resubmit(self, number: str) -> None:
        """Resubmit it once it has ended; what is `lost` and not settled is refused to a steward (H2)."""
        pk = self._known(number)
        key = f"plan-{number}-again-{secrets.token_hex(4)}"
        while pk is not None and not self.closing.is_set():
            status, answer = self._ask("POST", f"recoveries/{pk}/resubmit/", {"reason": "chaos again"}, key)
            if status == 202:
                with self._lock:
                    self.filed[key] = int(answer["id"])
                self._count("resubmitted")
                return
            if answer.get("code") not in _CONFLICTS:
                self._wrong(f"resubmitting {pk}: {status} {answer}")
                return
            if answer["code"] != "not_ended":
                self._count(f"resubmissions refused ({answer['code']})")
                return
            self.closing.wait(2.0)

    def _known(self, number: str) -> int | None:
        """The id of a recovery of the plan; waits for a filing that is under way."""
        end = time.monotonic() + PATIENCE
        while number not in self.by_number:
            if time.monotonic() > end or self.closing.wait(0.2):
                return None
        return self.by_number[number]

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def _wrong(self, words: str) -> None:
        with self._lock:
            self.errors.append(words[:500])

    def _ask(self, method: str, path: str, body: dict[str, Any], key: str = "") -> tuple[int, dict[str, Any]]:
        """The answer that settles it; a 5xx, a cut or a refused connection is asked again under the same key."""
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        end = time.monotonic() + PATIENCE
        last = ""
        while time.monotonic() < end:
            request = urllib.request.Request(  # noqa: S310  # our own address
                f"{self.url}/api/v1/{path}", method=method, data=json.dumps(body).encode(), headers=headers
            )
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                    return answer.status, json.load(answer)
            except urllib.error.HTTPError as error:
                text = error.read()
                if error.code < 500:
                    return error.code, json.loads(text)
                last = f"{error.code} {text[:200]!r}"
            except (OSError, http.client.HTTPException, ValueError) as error:
                last = repr(error)
            self._count("requests sent again")
            time.sleep(0.4)
        raise Unserved(f"{method} {path}: {last}")
