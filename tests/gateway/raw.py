"""A server that says exactly what a test scripts, byte by byte: for what no honest server, and no sandbox, sends."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from types import TracebackType

Script = Callable[["Peer"], None]


class Peer:
    """One accepted connection, as the script sees it. `number` counts from 1."""

    def __init__(self, server: RawServer, connection: socket.socket, number: int) -> None:
        self._server = server
        self.connection = connection
        self.number = number

    def read(self) -> bytes:
        """One whole request, which the server keeps too; b"" when the client closed instead."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more(data)
            if not data:
                return b""
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(body) < length:
            body += self._more(body)
        self._server.requests.append(head + b"\r\n\r\n" + body)
        return self._server.requests[-1]

    def _more(self, so_far: bytes) -> bytes:
        data = self.connection.recv(65536)
        self._server.bytes_seen += len(data)
        if not data and so_far:
            raise ConnectionError("closed in the middle of a request")
        return data

    def say(self, data: bytes) -> None:
        self.connection.sendall(data)

    def drip(self, data: bytes, *, every: float = 0.05) -> None:
        """A byte, a pause, a byte …, until the client or the test has enough."""
        for one in data:
            if self._server.closing.wait(every):
                return
            self.say(bytes([one]))

    def stay(self) -> None:
        """Silence, until the test is over."""
        self._server.closing.wait(30)

    def reset(self) -> None:
        """RST in place of an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class RawServer:
    """`with RawServer(script) as server:` accepts on 127.0.0.1 and runs the script on each connection."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.accepted = 0
        self.bytes_seen = 0
        self.closing = threading.Event()
        self._script = script
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> RawServer:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in (self._listener, *self._open):
            one.close()

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        for connection in self._connections():
            self._open.append(connection)
            self.accepted += 1
            number = self.accepted
            self._start(lambda connection=connection, number=number: self._serve(connection, number))  # type: ignore[misc]

    def _connections(self) -> Iterator[socket.socket]:
        while not self.closing.is_set():
            try:
                yield self._listener.accept()[0]
            except OSError:
                return

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError, ValueError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            self._script(Peer(self, connection, number))
            connection.shutdown(socket.SHUT_RDWR)


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    """An HTTP answer with its Content-Length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def json_answer(status: str, text: str, *headers: str) -> bytes:
    return answer(status, text.encode(), "Content-Type: application/json", *headers)
