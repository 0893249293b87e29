"""The gateway: which topology, which service, who calls, and what Knox does to a request on its way (§h)."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from sandbox import fault_actions, livy_routes
from sandbox.answers import Answer, bad_message, http_date, knox_failure, knox_page, negotiated
from sandbox.clock import Clock
from sandbox.faults import Effects, Faults
from sandbox.identity import Caller, Identities
from sandbox.livy import BackendGone
from sandbox.livy_service import Livy
from sandbox.request import Request
from sandbox.settings import Settings
from sandbox.webhdfs import WebHdfs
from sandbox.yarn import Yarn

TOKEN_TOPOLOGY, DOWN_TOPOLOGY = "tokenbased", "livydown"
DATA = "/data/v1/webhdfs/v1"
"""Where Knox puts the DataNodes, below a service of its own."""
_MOST_CALLS = 2_000
#: `gateway.httpserver.requestHeaderBuffer` (contract §9.1).
_MOST_HEADER_BYTES = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a request goes: the path inside the service is still percent-encoded, and has lost Livy's `/v1`."""

    topology: str
    service: str
    path: str

    @property
    def fault_path(self) -> str:
        return self.path if self.service == "livy" else f"/{self.service}{self.path}"


class Knox:
    def __init__(
        self, *, settings: Settings, clock: Clock, livy: Livy, yarn: Yarn, hdfs: WebHdfs, faults: Faults
    ) -> None:
        self.identities = Identities(settings.users, settings.tokens)
        self._settings = settings
        self._clock = clock
        self._livy = livy
        self._yarn = yarn
        self._hdfs = hdfs
        self._faults = faults
        # Calls to Livy live on their own threads: Knox gives up on them, Livy goes on.
        self._calls = ThreadPoolExecutor(_MOST_CALLS, thread_name_prefix="sandbox-livy")

    def close(self) -> None:
        self._calls.shutdown(wait=True, cancel_futures=True)

    def handle(self, request: Request) -> Answer:
        return negotiated(self._handle(request), request.method, request.headers)

    def _handle(self, request: Request) -> Answer:
        if sum(len(name) + len(value) + 4 for name, value in request.headers.items()) > _MOST_HEADER_BYTES:
            return bad_message(431)
        place = self._place(request.path)
        if place is None:
            return knox_page(404, request.path)
        effects = self._faults.effects(request.method, place.fault_path)
        request.struck.extend(effects.actions)
        door = effects.door
        if door is not None and not door.strikes_after:
            early = fault_actions.instead(door, self._clock, request, place.topology)
            if early is not None:
                return early
        answer = self._serve(request, place, effects)
        if door is not None and door.strikes_after:
            answer = fault_actions.spoiled(door, self._clock, request, place.topology, answer)
        return answer

    def _place(self, path: str) -> Place | None:
        parts = path.split("/")
        if len(parts) < 3 or parts[1] != "gateway":
            return None
        topology = parts[2]
        if topology not in (self._settings.topology, TOKEN_TOPOLOGY, DOWN_TOPOLOGY):
            return None
        service = parts[3] if len(parts) > 3 else ""
        inner = parts[4:]
        if service == "livy" and inner[:1] == ["v1"]:
            inner = inner[1:]
        return Place(topology=topology, service=service, path="/" + "/".join(inner))

    def _serve(self, request: Request, place: Place, effects: Effects) -> Answer:
        serve: Callable[[Request, Place, Caller, Effects], Answer]
        match place.service:
            case "livy":
                serve = self._serve_livy
            case "resourcemanager":
                serve = self._serve_yarn
            case "webhdfs":
                serve = self._serve_hdfs
            case "knoxtoken" if place.path == "/api/v1/token" and place.topology != TOKEN_TOPOLOGY:
                serve = self._serve_token
            case _:
                # No such service in the topology: empty, even without credentials.
                return Answer(status=404, headers=(("Date", http_date()),))
        identify = self.identities.bearer if place.topology == TOKEN_TOPOLOGY else self.identities.basic
        caller = identify(request, place.topology)
        if isinstance(caller, Answer):
            return caller
        answer = serve(request, place, caller, effects)
        if answer.close:
            # Knox's error pages carry neither a date nor the word that keeps a session's answers out of caches.
            cookies = tuple(header for header in caller.headers if header[0] != "Expires")
            return replace(answer, headers=(*cookies, *answer.headers))
        # A date of Knox's own goes before the backend's.
        return replace(answer, headers=(("Date", http_date()), *caller.headers, *answer.headers))

    def _serve_livy(self, request: Request, place: Place, caller: Caller, effects: Effects) -> Answer:
        body: Mapping[str, object] = {}
        if request.method == "POST" and place.path.rstrip("/") in ("/batches", "/sessions"):
            try:
                body = with_proxy_user(request.body, caller.user)
            except ValueError as error:
                cause = f"com.fasterxml.jackson.core.JsonParseException: {error}"
                return knox_failure(request.path, place.topology, cause)
        failure = knox_failure(request.path, place.topology)
        late = effects.get("late_accept")
        try:
            if place.topology == DOWN_TOPOLOGY:
                raise BackendGone
            process = self._livy.current()

            def call() -> Answer:
                if late is not None:
                    process.sleep(late.seconds)
                query, headers = request.query, request.headers
                return livy_routes.handle(process, request.method, place.path, query, headers, body, effects)

            future: Future[Answer] = self._calls.submit(call)
            if late is not None:
                return failure
            return future.result(self._settings.knox_timeout)
        except (BackendGone, TimeoutError):
            # Refused, died half-way, too slow: all the same to Knox, and Livy may go on (fact 2).
            return failure

    def _serve_yarn(self, request: Request, place: Place, caller: Caller, effects: Effects) -> Answer:
        if not self._yarn.reachable:
            return knox_failure(request.path, place.topology)
        segments = [part for part in place.path.split("/") if part]
        return self._yarn.handle(request.method, segments, request.query, request.body, request.headers, caller.user)

    def _serve_hdfs(self, request: Request, place: Place, caller: Caller, effects: Effects) -> Answer:
        path = place.path.removeprefix("/v1")
        if not self._hdfs.reachable or "[" in path or "%7E" in path.upper():
            return knox_failure(request.path, place.topology)
        if place.path.startswith(DATA):
            return self._hdfs.data(place.path.removeprefix(DATA), caller.user)
        answer = self._hdfs.handle(request.method, path, request.query, caller.user)
        front = f"http://{request.headers.get('host', '')}/gateway/{place.topology}"
        headers = tuple((name, front + text if name == "Location" else text) for name, text in answer.headers)
        return replace(answer, headers=headers)

    def _serve_token(self, request: Request, place: Place, caller: Caller, effects: Effects) -> Answer:
        return self.identities.issue_token(caller.user, request.query.get("lifespan"))


def with_proxy_user(body: bytes, user: str) -> dict[str, object]:
    """Knox parses the body itself and sets `proxyUser`, whatever was there (fact 9). ValueError if it can't."""

    def no_constant(text: str) -> object:
        raise ValueError(f"Unrecognized token '{text}'")

    parsed = json.loads(body.decode("utf-8"), parse_constant=no_constant)
    if not isinstance(parsed, dict):
        raise ValueError("Cannot deserialize instance of `java.util.LinkedHashMap`")
    return {**parsed, "proxyUser": user}
