"""Airflow's `LivyTrigger` as its triggerer runs it: all triggers of one process in one event loop.

Reads `{"ids": […], "interval": …, "result": PATH}` on stdin. Leaner than a real triggerer: no database, no
supervisor, no line of log for each poll. On SIGTERM it writes what it saw and when.
"""

import asyncio
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from airflow.providers.apache.livy.triggers.livy import LivyTrigger

SPARK_PARAMS: dict[str, Any] = {
    "file": "hdfs:///user/sddesigner/recovery.jar", "args": ["--date 20240101 --table splio.active"],
    "driver_memory": "4g", "driver_cores": 2, "executor_memory": "4g", "executor_cores": 2, "num_executors": 4,
    "queue": "root.datalake", "proxy_user": "sddesigner", "conf": {},
    **dict.fromkeys(("class_name", "jars", "py_files", "files", "archives", "name")),
}  # fmt: skip
"""What an operator hands to its trigger."""


def resident() -> int:
    """Bytes of this process in memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


async def follow(batch_id: int, interval: float, delay: float, seen: list[dict[str, Any]]) -> None:
    """One deferred task: its trigger, until the event. They begin spread over one interval, as they would in life."""
    await asyncio.sleep(delay)
    params = json.loads(json.dumps(SPARK_PARAMS))
    trigger = LivyTrigger(batch_id=batch_id, spark_params=params, polling_interval=interval)
    async for event in trigger.run():
        seen.append({"id": batch_id, "status": event.payload["status"], "at": time.time()})
        return


async def main(order: dict[str, Any]) -> None:
    """Follow until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    seen: list[dict[str, Any]] = []
    ids, interval = order["ids"], order["interval"]
    before = resident()
    tasks = [asyncio.create_task(follow(one, interval, interval * n / len(ids), seen)) for n, one in enumerate(ids)]
    await stop.wait()
    for task in tasks:
        task.cancel()
    Path(order["result"]).write_text(json.dumps({"seen": seen, "resident_before": before}))


asyncio.run(main(json.load(sys.stdin)))
