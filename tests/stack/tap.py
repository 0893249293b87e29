"""Between Knox and Livy: what makes a fault happen in the very middle of a submission, and sees each one that arrives.

Every byte goes on as it came, in both directions; a connection that one side closes is closed to the other.
"""

from __future__ import annotations

import os
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.contract.wires import eventually, knox_status

TOPOLOGY = "tapped"
POST = b"POST /batches"


class Tap(socketserver.ThreadingTCPServer):
    """Listens on `port`; Livy's own is `livy`."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, livy: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.livy = livy
        self.port: int = self.server_address[1]
        self.requests: list[bytearray] = []
        self._acts: dict[str, Callable[[], None]] = {}

    def before_post(self, act: Callable[[], None]) -> None:
        """Once: when the next POST of a batch is here, and not yet at Livy."""
        self._acts["request"] = act

    def before_answer(self, act: Callable[[], None]) -> None:
        """Once: when Livy has answered the next POST of a batch, and Knox does not know it yet."""
        self._acts["answer"] = act

    def calm(self) -> None:
        """What was ordered and has not come to pass is not to be."""
        self._acts.clear()

    def act(self, when: str) -> None:
        """What was ordered for this moment."""
        self._acts.pop(when, lambda: None)()

    def posts(self, name: str) -> int:
        """How many POSTs of a batch of that name came this way."""
        return sum(request.startswith(POST) and name.encode() in request for request in self.requests)


class _Connection(socketserver.BaseRequestHandler):
    server: Tap
    request: socket.socket

    def handle(self) -> None:
        """Knox has connected."""
        try:
            livy = socket.create_connection(("127.0.0.1", self.server.livy))
        except ConnectionRefusedError:
            return  # Livy is down; Knox sees a connection that closes
        with livy:
            self.current = bytearray()
            back = threading.Thread(target=self._back, args=(livy,), daemon=True)
            back.start()
            for received in _chunks(self.request):
                # Knox waits for each answer, so a request begins where a piece begins
                if received.startswith((b"GET ", b"DELETE ", b"POST ")):
                    self.server.requests.append(bytearray())
                    self.current = self.server.requests[-1]
                self.current += received
                if received.startswith(POST):
                    self.server.act("request")
                with suppress(OSError):
                    livy.sendall(received)
            _shut(livy)
            back.join()

    def _back(self, livy: socket.socket) -> None:
        for received in _chunks(livy):
            if self.current.startswith(POST) and received.startswith(b"HTTP/"):
                self.server.act("answer")
            with suppress(OSError):
                self.request.sendall(received)
        _shut(self.request)


def _chunks(connection: socket.socket) -> Iterator[bytes]:
    """What arrives, until the other side has closed or is gone."""
    with suppress(ConnectionResetError):
        while received := connection.recv(64 * 1024):
            yield received


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        connection.shutdown(socket.SHUT_WR)


@contextmanager
def tapped(env: dict[str, str]) -> Iterator[Tap]:
    """A tap, and a topology of that name whose way to Livy leads through it; else it is the topology `sandbox`."""
    livy = int(env["LIVY_URL"].rpartition(":")[2])
    topologies = Path(env["KNOX_CA"]).parent / "knox" / "home" / "conf" / "topologies"
    place = topologies / f"{TOPOLOGY}.xml"
    with Tap(livy) as tap:
        threading.Thread(target=tap.serve_forever, daemon=True).start()
        text = (topologies / "sandbox.xml").read_text(encoding="utf-8")
        assert text.count(f"http://127.0.0.1:{livy}<") == 1
        aside = place.with_suffix(".new")
        aside.write_text(text.replace(f":{livy}<", f":{tap.port}<"), encoding="utf-8")
        os.replace(aside, place)
        try:
            # Knox looks for new ones every few seconds
            eventually(lambda: knox_status(env, TOPOLOGY) == 401, seconds=120, pause=0.3)
            yield tap
        finally:
            place.unlink()
            tap.shutdown()
