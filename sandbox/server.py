"""The door: HTTP/1.1 with kept connections, one thread each, every request recorded."""

import contextlib
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sandbox.answers import Answer, to_json
from sandbox.clock import Clock, SandboxClosed
from sandbox.request import Recorded, Request
from sandbox.tally import Tally
from sandbox.wire import deliver

Handle = Callable[[Request], Answer]
CONTROL_PREFIX = "/__sandbox__/"
_MOST_RECORDED = 50_000


class Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], clock: Clock, gateway: Handle, control: Handle) -> None:
        self.clock = clock
        self.gateway = gateway
        self.control = control
        self.tally = Tally()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._recorded: deque[Recorded] = deque(maxlen=_MOST_RECORDED)
        self._seq = 0
        super().__init__(address, _Handler)

    @property
    def recorded(self) -> list[Recorded]:
        with self._lock:
            return list(self._recorded)

    def record(self, request: Request) -> Recorded:
        headers = {name: _redacted(name, value) for name, value in request.headers.items()}
        with self._lock:
            self._seq += 1
            record = Recorded(
                seq=self._seq,
                at=time.time(),
                method=request.method,
                path=request.target,
                headers=headers,
                body=request.body,
            )
            self._recorded.append(record)
            return record

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def stop(self) -> None:
        """Wake every thread that waits for a client, then wait for it to end."""
        self.shutdown()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):  # gone already
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # typeshed wants a socket


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (OSError, ValueError, SandboxClosed):
            # The client went away, or we are closing: nothing left to say on this connection.
            self.close_connection = True

    def serve(self) -> None:
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(method=self.command, target=self.path, headers=headers, body=body)
        if self.path.startswith(CONTROL_PREFIX):
            if not str(self.client_address[0]).startswith(("127.", "::1")):
                answer = Answer(status=403)
            else:
                answer = self.server.control(request)
            deliver(self, answer, self.server.clock)
            return
        record = self.server.record(request)
        try:
            answer = self.server.gateway(request)
            record.struck = tuple(request.struck)
        except SandboxClosed:
            raise
        except Exception as error:
            # A bug of the sandbox must not look like one of Livy's answers.
            body = to_json({"sandbox_bug": repr(error)})
            deliver(self, Answer(status=599, body=body, close=True), self.server.clock)
            raise RuntimeError(f"the sandbox failed on {request.method} {request.target}") from error
        if answer.delivery.kind not in ("hang", "drop", "reset"):
            record.status = answer.status
        self.server.tally.add(request, answer)
        deliver(self, answer, self.server.clock)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = serve

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(iter(self._chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline(65537).split(b";")[0], 16)
        data = self.rfile.read(size)
        self.rfile.readline(65537)
        return data


def _redacted(name: str, value: str) -> str:
    return f"{value.partition(' ')[0]} [redacted]" if name == "authorization" else value
