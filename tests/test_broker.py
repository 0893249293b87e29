"""The folder broker: a message or a table is there whole, or not at all."""

from __future__ import annotations

import threading
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection, Exchange, Queue

from recovery_portal import broker


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("messages", "control"):
        (tmp_path / name).mkdir()
    return tmp_path


def _connection(folder: Path) -> Connection:
    broker.install()
    options = {
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.01,
    }
    return Connection("filesystem://", transport_options=options)


def _queue() -> Queue:
    return Queue("submit", Exchange("submit", type="direct"), routing_key="submit")


def test_what_is_being_written_is_not_seen(folder: Path) -> None:
    with _connection(folder) as connection, connection.channel() as channel:
        (folder / "messages" / ".1_x.part").write_text("")
        with pytest.raises(Empty):
            channel._get("submit")


def test_messages_of_several_writers_are_read_whole(folder: Path) -> None:
    errors: list[BaseException] = []
    got: list[Any] = []
    done = threading.Event()

    def write(number: int) -> None:
        with _connection(folder) as connection, connection.Producer() as producer:
            for count in range(60):
                producer.publish({"from": number, "count": count}, exchange="submit", routing_key="submit",
                                 declare=[_queue()])  # fmt: skip

    def read() -> None:
        with _connection(folder) as connection, connection.channel() as channel:
            _queue()(channel).declare()
            while len(got) < 180 and not done.is_set():
                try:
                    got.append(channel._get("submit"))
                except Empty:
                    continue
                except Exception as error:  # noqa: BLE001  # any error at all would end a worker
                    errors.append(error)
                    return

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join(30)
    reader.join(30)
    done.set()
    assert errors == []
    assert len(got) == 180


def test_processes_that_start_at_once_bind_the_same_queue(folder: Path) -> None:
    def bind(number: int) -> None:
        with _connection(folder) as connection, connection.channel() as channel:
            channel._queue_bind("submit", f"key{number % 3}", "", f"queue{number % 3}")

    threads = [threading.Thread(target=bind, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with _connection(folder) as connection, connection.channel() as channel:
        assert sorted(bound.queue for bound in channel.get_table("submit")) == ["queue0", "queue1", "queue2"]
        assert channel.get_table("nobody") == []
