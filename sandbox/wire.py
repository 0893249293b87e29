"""Bytes on the socket: an answer sent whole, or as a fault wants it."""

import os
import socket
import struct
from http.server import BaseHTTPRequestHandler

from sandbox.answers import Answer, reason
from sandbox.clock import Clock

_BLOCK = 64 * 1024


def deliver(handler: BaseHTTPRequestHandler, answer: Answer, clock: Clock) -> None:
    """Sends the answer, or fails to as asked. Sets `close_connection`; lets the errors of the socket through."""
    delivery = answer.delivery
    if delivery.kind == "hang":
        clock.wait(delivery.seconds)
    if delivery.kind == "reset":
        _reset(handler)
    if delivery.kind in ("hang", "drop", "reset"):
        handler.close_connection = True
        return
    body = b"" if handler.command == "HEAD" else answer.body
    head = _head(answer, len(body))
    if answer.close or handler.headers.get("Connection", "").lower() == "close":
        handler.close_connection = True
    if delivery.kind == "half":
        handler.wfile.write(head + body[: len(body) // 2])
        handler.close_connection = True
    elif delivery.kind == "drip":
        _drip(handler, head, body, clock, delivery.seconds, headers_too=delivery.headers_too)
    else:
        _send(handler, head + body)


def _head(answer: Answer, length: int) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {reason(answer.status)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if answer.content_type is not None:
        lines.append(f"Content-Type: {answer.content_type}")
    if length or not answer.close:
        lines.append(f"Content-Length: {length}")
    if answer.close:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def _send(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    view = memoryview(data)
    for start in range(0, len(view), _BLOCK):
        handler.wfile.write(view[start : start + _BLOCK])


def _drip(
    handler: BaseHTTPRequestHandler,
    head: bytes,
    body: bytes,
    clock: Clock,
    pause: float,
    *,
    headers_too: bool,
) -> None:
    if not headers_too:
        handler.wfile.write(head)
    for byte in head + body if headers_too else body:
        handler.wfile.write(bytes((byte,)))
        clock.wait(pause)


def _reset(handler: BaseHTTPRequestHandler) -> None:
    """RST instead of FIN: linger 0, and the descriptor closed under the socket object's feet."""
    connection = handler.connection
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())
