"""The folder broker: a message or a table is there whole, or not at all."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
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
    got: list[Any] = []
    written = threading.Event()

    def write(number: int) -> None:
        with _connection(folder) as connection, connection.Producer() as producer:
            for count in range(60):
                producer.publish({"from": number, "count": count}, exchange="submit", routing_key="submit",
                                 declare=[_queue()])  # fmt: skip

    def read() -> None:  # any error at all would end a worker: here it ends the test
        with _connection(folder) as connection, connection.channel() as channel:
            _queue()(channel).declare()
            while True:
                no_more_will_come = written.is_set()
                try:
                    got.append(channel._get("submit"))
                except Empty:
                    if no_more_will_come:
                        return
                    written.wait(0.01)

    with ThreadPoolExecutor() as threads:
        reader = threads.submit(read)
        writers = [threads.submit(write, number) for number in range(3)]
        wait(writers)
        written.set()
        for thread in (reader, *writers):
            thread.result()
    assert len(got) == 180


def test_processes_that_start_at_once_bind_the_same_queue(folder: Path) -> None:
    def bind(number: int) -> None:
        with _connection(folder) as connection, connection.channel() as channel:
            channel._queue_bind("submit", f"key{number % 3}", "", f"queue{number % 3}")

    with ThreadPoolExecutor(max_workers=12) as threads:
        for bound in [threads.submit(bind, number) for number in range(12)]:
            bound.result()
    with _connection(folder) as connection, connection.channel() as channel:
        assert sorted(bound.queue for bound in channel.get_table("submit")) == ["queue0", "queue1", "queue2"]
        assert channel.get_table("nobody") == []


def test_what_another_connection_of_the_process_bound_is_bound_again(tmp_path: Path) -> None:
    for name in ("one", "other"):
        folder = tmp_path / name
        for part in ("messages", "control"):
            (folder / part).mkdir(parents=True)
        with _connection(folder) as connection, connection.Producer() as producer:
            producer.publish({}, exchange="submit", routing_key="submit", declare=[_queue()])
        assert len(list((folder / "messages").iterdir())) == 1
