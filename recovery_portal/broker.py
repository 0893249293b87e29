"""The folder broker of a portal on one machine: kombu's filesystem transport, with files that appear whole.

kombu opens a message's file and then writes it, so a worker that looks in between reads an empty one and ends with a
JSONDecodeError; the table of an exchange has the same gap while processes start. Here a file is written under another
name and then renamed, and each connection binds its queues itself.
"""

from __future__ import annotations

import fcntl
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem, virtual
from kombu.utils.json import dumps, loads


def install() -> None:
    """`filesystem://` means this transport from now on."""
    TRANSPORT_ALIASES["filesystem"] = "recovery_portal.broker:Transport"


def _write_whole(path: Path, value: Any) -> None:
    part = path.with_name(f".{uuid.uuid4()}.part")
    part.write_text(dumps(value), encoding="utf-8")
    part.replace(path)


class Channel(filesystem.Channel):
    """Messages and tables that are there whole, or not at all."""

    def get_table(self, exchange: str) -> list[Any]:
        """Who is bound to an exchange."""
        try:
            text = self._exchange_file(exchange).read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [filesystem.exchange_queue_t(*bound) for bound in loads(text)]

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        bound = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        self.control_folder.mkdir(exist_ok=True)
        with self._alone():
            table = self.get_table(exchange)
            if bound not in table:
                _write_whole(self._exchange_file(exchange), [bound, *table])

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        _write_whole(Path(self.data_folder_out) / name, payload)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.control_folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class Transport(filesystem.Transport):
    """kombu's, with our channel.

    What is bound is remembered per connection, not per process: kombu remembers a binding before its table is written,
    so another thread's message found no queue and was dropped without a word.
    """

    Channel = Channel

    @property
    def global_state(self) -> virtual.BrokerState:
        """Read once, when a connection is made: its own."""
        return virtual.BrokerState()
