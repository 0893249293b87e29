"""Livy's JSON in, values out; and the table of answers (livy-knox-contract.md §8) as code.

Error bodies come in four shapes: an object with `msg`, a bare JSON string, HTML, nothing. Only the first two are
Livy's own verdicts.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeGuard, TypeVar

from recovery.domain.gateways import Condition
from recovery.domain.redaction import redact, storable
from recovery.gateway.errors import (
    Ambiguous,
    DuplicateName,
    Forbidden,
    Garbled,
    GatewayError,
    NotFound,
    NotSent,
    Refused,
)
from recovery.gateway.transport import Answer

T = TypeVar("T")
WORDS: Final = 2000
"""How much of a server's raw words is kept, in characters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Livy's batch object (livy-knox-contract.md §1.1). Id 0 is a valid id; unknown states are kept as they are."""

    id: int
    name: str | None
    state: str
    app_id: str | None = None
    owner: str | None = None
    proxy_user: str | None = None
    driver_log_url: str | None = None
    spark_ui_url: str | None = None
    log: tuple[str, ...] = ()
    """Its last lines as they came: to be looked at, not stored; what is kept is a `LogPage`."""

    @property
    def phantom_shape(self) -> bool:
        """`starting`, no appId, not one log line: registered and not started, or a start in progress (S2)."""
        return self.state == "starting" and self.app_id is None and not self.log


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchPage:
    """A page of `GET /batches`: `total` is the number of batches that Livy holds, not of those returned.

    `marks` stand for what each of `batches` says; `passed_over` are the names of those that were not read.
    """

    start: int
    total: int
    batches: tuple[Batch, ...]
    marks: tuple[int, ...] = ()
    passed_over: tuple[str, ...] = ()

    @property
    def length(self) -> int:
        """How many batches it holds, read or not."""
        return len(self.batches) + len(self.passed_over)


PassOver = Callable[[str, object, int], bool]
"""(name, id, mark) → this batch of a list need not be read: it says what it said before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogPage:
    """`GET /batches/{x}/log`: the lines with Livy's section markers, oldest first."""

    id: int
    total: int
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """`GET /version`."""

    text: str

    @property
    def knows_names(self) -> bool | None:
        """Names came with Livy 0.6 (P1); None when the words are no version."""
        match = re.match(r"([0-9]{1,9})\.([0-9]{1,9})", self.text)
        return (int(match[1]), int(match[2])) >= (0, 6) if match else None


class _Shape(Exception):
    """The JSON is not of the expected shape."""


def json_of(answer: Answer) -> Any:
    """The body as JSON; raises _Shape when it is none."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise _Shape(type(error).__name__) from error


def _text_or_none(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise _Shape("text expected")
    return None if value is None else storable(value)


def _is_id(number: object) -> TypeGuard[int]:
    """An Int of Scala, from 0 (livy-knox-contract.md §2)."""
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**31


def batch_of(value: object) -> Batch:
    """A batch object as a value; raises _Shape for wrong types."""
    if not isinstance(value, Mapping):
        raise _Shape("object expected")
    number, state = value.get("id"), value.get("state")
    if not _is_id(number) or not isinstance(state, str):
        raise _Shape("id and state expected")
    info = value.get("appInfo") or {}
    log = value.get("log") or []
    if not isinstance(info, Mapping) or not isinstance(log, list) or not all(isinstance(x, str) for x in log):
        raise _Shape("appInfo or log")
    return Batch(
        id=number,
        name=_text_or_none(value.get("name")),
        state=storable(state),
        app_id=_text_or_none(value.get("appId")),
        owner=_text_or_none(value.get("owner")),
        proxy_user=_text_or_none(value.get("proxyUser")),
        driver_log_url=_text_or_none(info.get("driverLogUrl")),
        spark_ui_url=_text_or_none(info.get("sparkUiUrl")),
        log=tuple(log),
    )


def _marked(value: object) -> tuple[str, object, int] | None:
    """(name, id, mark): the mark stands for all that a batch object says but its log; equal ones, in one process, say
    the same. None for what has no name, or no scalars."""
    if not isinstance(value, Mapping) or not isinstance(name := value.get("name"), str):
        return None
    info = value.get("appInfo") or {}
    if not isinstance(info, Mapping):
        return None
    said = [value.get(key) for key in ("id", "state", "appId", "owner", "proxyUser")]
    try:
        return name, said[0], hash((*said, info.get("driverLogUrl"), info.get("sparkUiUrl")))
    except TypeError:
        return None


def page_of(value: object, pass_over: PassOver | None = None) -> BatchPage:
    """A list page as a value, without the batches that `pass_over` leaves out; raises _Shape."""
    if not isinstance(value, Mapping) or not isinstance(value.get("sessions"), list):
        raise _Shape("sessions expected")
    start, total = value.get("from", 0), value.get("total")
    if not isinstance(start, int) or not isinstance(total, int):
        raise _Shape("from and total expected")
    batches, marks, passed_over = [], [], []
    for one in value["sessions"]:
        marked = _marked(one)
        if marked is not None and pass_over is not None and pass_over(*marked):
            passed_over.append(marked[0])
        else:
            batches.append(batch_of(one))
            marks.append(0 if marked is None else marked[2])
    return BatchPage(
        start=start, total=total, batches=tuple(batches), marks=tuple(marks), passed_over=tuple(passed_over)
    )


def log_of(value: object) -> LogPage:
    """A log page as a value; raises _Shape."""
    if not isinstance(value, Mapping) or not isinstance(value.get("log"), list):
        raise _Shape("log expected")
    number, total, lines = value.get("id"), value.get("total", 0), value["log"]
    if not _is_id(number) or not isinstance(total, int) or not all(isinstance(x, str) for x in lines):
        raise _Shape("id, total, log")
    return LogPage(id=number, total=total, lines=tuple(storable(line) for line in lines))


def version_of(value: object) -> Version:
    """`/version` as a value; raises _Shape."""
    if not isinstance(value, Mapping) or not isinstance(value.get("version"), str):
        raise _Shape("version expected")
    return Version(text=storable(value["version"]))


def words_of(answer: Answer, *secrets: str) -> str:
    """What the server said, for people: `msg`, the string, the page's message or text; at most 2,000 characters."""
    text = answer.body[: 4 * WORDS].decode("utf-8", "replace")
    verdict = livy_words(answer)
    if verdict is not None:
        text = verdict
    elif (message := _page_message(answer)) is not None:
        text = message
    elif "html" in answer.content_type or text.lstrip().startswith("<"):
        text = html.unescape(re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL | re.I))
    text = redact(re.sub(r"\s+", " ", storable(text[: 4 * WORDS])).strip(), *secrets)
    return text[:WORDS] or f"HTTP {answer.status}"


def _page_message(answer: Answer) -> str | None:
    """The message of an error page as Knox's Jetty writes it for whoever accepts JSON: its line ends are raw and its
    values escaped for HTML (real-behaviour.md §h; seen on Knox 2.0)."""
    try:
        value = json.loads(answer.body, strict=False)
    except (ValueError, RecursionError):
        return None
    message = value.get("message") if isinstance(value, Mapping) and "status" in value else None
    return html.unescape(message) if isinstance(message, str) else None


def livy_words(answer: Answer) -> str | None:
    """Livy's own words: `{"msg": …}` or a bare JSON string; None when the body is not Livy's."""
    try:
        value = json_of(answer)
    except _Shape:
        return None
    if isinstance(value, Mapping):
        value = value.get("msg")
    return value if isinstance(value, str) else None


def gateway_condition(answer: Answer, words: str) -> NotSent | None:
    """A2: the answers that say "not acted on", whatever was asked; None for all others."""
    status, kind = answer.status, None
    livy = livy_words(answer)
    if 300 <= status < 400:
        kind = Condition.REDIRECT
    elif status == 401:
        kind = Condition.CREDENTIALS
    elif status == 403 and livy is None and answer.body:
        kind = Condition.FORBIDDEN
    elif status == 404 and livy is None:
        kind = Condition.NO_ROUTE
    elif status == 429:
        kind = Condition.THROTTLED
    elif status == 503:
        kind = Condition.INACTIVE
    elif status == 400 and livy is None and re.search(r"CSRF|Missing Required Header", words):
        kind = Condition.CSRF
    elif 200 <= status < 300 and _is_login_page(answer):
        kind = Condition.LOGIN_PAGE
    if kind is None:
        return None
    return NotSent(words, condition=kind, status=status, retry_after=answer.retry_after)


_INACTIVE: Final = re.compile(r"Service (Temporarily )?Unavailable", re.IGNORECASE)
"""Knox's words for a topology that is inactive or being deployed (contract §8)."""
_CUT: Final = re.compile(r"upstream|reset|time-?out|timed out|terminat|disconnect|connect error", re.IGNORECASE)
"""Words of a proxy whose connection broke after the request may have gone through it."""
_NO_SUCH_BATCH: Final = re.compile(r"Session '.*' (not found|already stopped)", re.DOTALL)
"""Livy's own 404 (contract §2); an API gateway's "Not Found" says nothing about a batch."""


def _is_login_page(answer: Answer) -> bool:
    return "html" in answer.content_type and re.search(rb"(?i)<form|password|log-?in", answer.body) is not None


def read_created(answer: Answer, *, name: str | None, secret: str = "") -> Batch:
    """The answer to `POST /batches` by the rules A1 to A4 and A7: our batch, or the error that says what happened.

    `name` is ours, or None for the guide's unnamed POST.
    """
    words = words_of(answer, secret)
    if answer.status == 201:
        try:
            batch = batch_of(json_of(answer))
        except _Shape as error:
            raise Garbled(f"201 without Livy's batch ({error}): {words}", status=201) from error
        if batch.name != name:
            raise Garbled(f"201 about another batch, named {batch.name!r}", status=201)
        return batch
    if answer.status == 503 and (_CUT.search(words) or not _INACTIVE.search(words)):
        raise Ambiguous(words, status=503)
    if 200 <= answer.status < 300:  # a login page too: the look before has passed it, so it may have come after Livy
        raise Garbled(f"{answer.status} instead of 201: {words}", status=answer.status)
    if (condition := gateway_condition(answer, words)) is not None:
        raise condition
    raise _verdict(answer, words)


def _verdict(answer: Answer, words: str) -> GatewayError:
    status, livy = answer.status, livy_words(answer)
    if status in {413, 414, 415, 431}:
        return Refused(words, status=status)
    if status == 403 and livy is None:
        return NotSent(words, condition=Condition.FORBIDDEN, status=status)
    if livy is None or status not in {400, 403, 406, 422, 500}:
        return Ambiguous(words, status=status)
    if status == 500 and not isinstance(json_of(answer), str):
        return Ambiguous(words, status=status)  # Livy's own 500 is a bare JSON string
    if "too many sessions" in livy:
        return NotSent(words, condition=Condition.TOO_MANY_SESSIONS, status=status)
    if "Duplicate session name" in livy:
        return DuplicateName(words, status=status)
    if "No content to map" in livy or "end-of-input" in livy:
        # a gateway sent the request again after its body was spent: the first one may have started (§9.1)
        return Ambiguous(words, status=status)
    return Refused(words, status=status)


def read_value(answer: Answer, *, secret: str = "") -> Any:
    """The JSON of a GET's 200; NotFound, Forbidden, or NotSent with the gateway's condition.

    A GET changes nothing, so an answer that cannot be understood is just "no answer".
    """
    if answer.status == 200 and "html" not in answer.content_type:  # no login page: nothing else is looked for in it
        with suppress(_Shape):
            return json_of(answer)
    words = words_of(answer, secret)
    if (condition := gateway_condition(answer, words)) is not None:
        raise condition
    if answer.status == 200:
        try:
            return json_of(answer)
        except _Shape as error:
            raise NotSent(f"200 without JSON: {words}", condition=Condition.GARBLED, status=200) from error
    if answer.status == 404:
        raise _not_found(answer, words)
    if answer.status == 403:
        raise Forbidden(words, status=403)
    raise NotSent(words, condition=Condition.SERVER_ERROR, status=answer.status)


def _not_found(answer: Answer, words: str) -> NotFound | NotSent:
    if _NO_SUCH_BATCH.search(livy_words(answer) or ""):
        return NotFound(words, status=404)
    return NotSent(words, condition=Condition.NO_ROUTE, status=404)


def shaped(parse: Callable[[object], T], value: object) -> T:
    """`parse(value)`, with a wrong shape told as "no answer"."""
    try:
        return parse(value)
    except _Shape as error:
        raise NotSent(f"an answer of another shape: {error}", condition=Condition.GARBLED) from error


def read_deleted(answer: Answer, *, secret: str = "") -> None:
    """The answer to DELETE: None for "deleted"; NotFound, Forbidden, NotSent, or Ambiguous (Knox cut it)."""
    words = words_of(answer, secret)
    if (condition := gateway_condition(answer, words)) is not None:
        raise condition
    livy = livy_words(answer)
    if answer.status == 200 and livy is not None:
        return
    if answer.status == 404:
        raise _not_found(answer, words)
    if answer.status == 403:
        raise Forbidden(words, status=403)
    raise Ambiguous(words, status=answer.status)
