"""Livy's paths, verbs and query parameters (real-behaviour.md §c, §d). `/v1` is Knox's and gone by now."""

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import unquote

from sandbox.answers import HTML_TYPE, Answer, backend, backend_json, jetty_page, livy_message
from sandbox.faults import Effects
from sandbox.livy import LivyProcess

VERSION = {
    "url": "https://github.com/apache/incubator-livy.git",
    "branch": "branch-0.7",
    "revision": "972b600d72629884140aec315ea925858eb67884",
    "version": "0.7.1-incubating",
    "date": "2021-02-04T05:14:46Z",
    "user": "root",
}
METRICS = {"version": "3.0.0", "gauges": {}, "counters": {}, "histograms": {}, "meters": {}, "timers": {}}
READS = ("GET", "HEAD")


def handle(
    process: LivyProcess,
    method: str,
    raw_path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: Mapping[str, object],
    effects: Effects,
) -> Answer:
    """One request inside a Livy process. May block (a start, a kill, a paused process); may raise BackendGone."""
    process.enter()
    settings = process.cluster.settings
    if settings.csrf and method not in ("GET", "HEAD", "OPTIONS") and "x-requested-by" not in headers:
        page = jetty_page(400, "Missing Required Header for CSRF protection.", raw_path)
        return backend(400, page, HTML_TYPE)
    # Segments are decoded one by one: a `%2F` stays inside its segment.
    segments = [unquote(part) for part in raw_path.split("/")[1:]]
    while segments and not segments[-1]:
        segments.pop()
    match segments:
        case []:
            location = f"{process.front}/livy/ui/"
            return backend(302, b"", "text/html;charset=utf-8", Location=location)
        case ["version"]:
            return backend_json(VERSION) if method in READS else _not_allowed("GET, HEAD")
        case ["metrics", "ping"]:
            return backend(
                200,
                b"pong\n",
                "text/plain;charset=iso-8859-1",
                Cache_Control="must-revalidate,no-cache,no-store",
            )
        case ["metrics", "metrics"]:
            return backend_json(METRICS)
        case ["sessions"] if method in READS:
            # Interactive sessions only; the sandbox has none.
            return _zip(backend_json({"from": 0, "total": 0, "sessions": []}))
        case ["batches"]:
            return _zip(_batches(process, method, query, body, effects))
        case ["batches", id_or_name, *rest]:
            return _zip(_batch(process, method, id_or_name, rest, query, effects))
    return backend(404, b"", "text/html;charset=utf-8")


def _zip(answer: Answer) -> Answer:
    return replace(answer, compressible=True)


def _batches(
    process: LivyProcess, method: str, query: Mapping[str, str], body: Mapping[str, object], effects: Effects
) -> Answer:
    if method == "POST":
        return process.post(body, effects)
    if method not in READS:
        return _not_allowed("POST, GET, HEAD")
    try:
        start, size = _integer(query, "from", "0"), _integer(query, "size", "100")
    except ValueError as error:
        return livy_message(400, str(error))
    batches = process.all()
    # Scala's slice(from, from + size): a negative start shortens it.
    page = batches[max(0, start) : max(0, start + size)] if size > 0 else []
    now = process.cluster.clock.now()
    sessions = [batch.describe(now) for batch in page]
    return backend_json({"from": start, "total": len(batches), "sessions": sessions})


def _batch(
    process: LivyProcess,
    method: str,
    id_or_name: str,
    rest: list[str],
    query: Mapping[str, str],
    effects: Effects,
) -> Answer:
    if rest not in ([], ["state"], ["log"]):
        return backend(404)
    allowed = "DELETE, GET, HEAD" if not rest else "GET, HEAD"
    if method not in READS and not (method == "DELETE" and not rest):
        return _not_allowed(allowed)
    try:
        batch = process.find(id_or_name)
        start, size = _integer(query, "from", "-1"), _integer(query, "size", "100")
    except ValueError as error:
        return livy_message(400, str(error))
    if batch is None:
        return livy_message(404, f"Session '{id_or_name}' not found.")
    if batch.job is not None:
        process.spoil(batch, effects)  # nobody watches over what never started
    now = process.cluster.clock.now()
    if method == "DELETE":
        return process.delete(batch, effects)
    if rest == ["state"]:
        return backend_json({"id": batch.id, "state": batch.read_state(now)})
    if rest == ["log"]:
        return backend_json(log_page(batch.id, batch.log(now), start, size))
    return backend_json(batch.describe(now))


def log_page(batch_id: int, lines: list[str], start: int, size: int) -> dict[str, object]:
    """No `from`, or a negative one: the tail. A negative size: all. `from` beyond the end is echoed (§d)."""
    wanted = len(lines) if size < 0 else size
    first = max(0, len(lines) - wanted) if start < 0 else start
    return {"id": batch_id, "from": first, "total": len(lines), "log": lines[first : first + wanted]}


def _integer(query: Mapping[str, str], key: str, default: str) -> int:
    """As Java's Integer.parseInt, its message included."""
    text = query.get(key, default)
    if not re.fullmatch(r"[+-]?[0-9]+", text) or not -(2**31) <= int(text) < 2**31:
        raise ValueError(f'For input string: "{text}"')
    return int(text)


def _not_allowed(verbs: str) -> Answer:
    return backend(405, b"", Allow=verbs)
