"""Airflow's `LivyOperator`, deferrable, with task retries, without scheduler and database.

As its task runner does it: `execute` posts and defers, the trigger follows, `execute_complete` ends; an exception
is a failed try, and the next try begins with a new post. Reads its order on stdin; writes, for each job, what the
task ended as and which batches it knew of.
"""

import asyncio
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow.exceptions import TaskDeferred
from airflow.providers.apache.livy.operators.livy import LivyOperator

JAR = "hdfs:///user/sddesigner/recovery.jar"
ORDER = json.load(sys.stdin)
LOOP = asyncio.new_event_loop()
CONTEXT: dict[str, Any] = {"ti": SimpleNamespace(xcom_push=lambda **values: None)}


async def event_of(trigger: Any) -> dict[str, Any]:
    """What the triggerer would hand back."""
    async for event in trigger.run():
        payload: dict[str, Any] = event.payload
        return payload
    raise RuntimeError("a trigger without an event")


def one_try(number: int, args: str, known: list[int]) -> None:
    """One try of the task; returns when it succeeded."""
    operator = LivyOperator(
        task_id=f"job-{number}", file=JAR, args=[args], name=f"job-{number}" if ORDER["named"] else None,
        polling_interval=ORDER["interval"], deferrable=True,
    )  # fmt: skip
    try:
        try:
            operator.execute(CONTEXT)
        except TaskDeferred as deferred:
            event = asyncio.run_coroutine_threadsafe(event_of(deferred.trigger), LOOP).result()
            operator.execute_complete(CONTEXT, event)
    finally:
        if operator._batch_id is not None:
            known.append(int(operator._batch_id))


def task(numbered: tuple[int, str]) -> dict[str, Any]:
    """All tries of one job."""
    number, args = numbered
    known: list[int] = []
    errors: list[str] = []
    for left in range(ORDER["retries"], -1, -1):
        try:
            one_try(number, args, known)
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}"[:300])
            time.sleep(ORDER["retry_seconds"] if left else 0)
        else:
            return {"said": "success", "knows": known, "errors": errors}
    return {"said": "failed", "knows": known, "errors": errors}


def main() -> None:
    """Every job, a number of them at once."""
    threading.Thread(target=LOOP.run_forever, daemon=True).start()
    with ThreadPoolExecutor(ORDER["parallel"]) as pool:
        words = list(pool.map(task, enumerate(ORDER["jobs"])))
    Path(ORDER["result"]).write_text(json.dumps(dict(zip(ORDER["jobs"], words, strict=True))))


main()
