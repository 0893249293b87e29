"""pylivy as its manual shows it: create a batch, wait for it, read its state.

It has no retries of its own, but takes a session: this one repeats a GET that met a 5xx, and never a POST.

Reads its order on stdin; writes, for each job, what the script would say and which batch it knew of.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests
from livy import LivyBatch, SessionState
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

JAR = "hdfs:///user/sddesigner/recovery.jar"
ORDER = json.load(sys.stdin)
AUTH = (os.environ["LIVY_USER"], os.environ["LIVY_PASSWORD"])


def patient() -> requests.Session:
    """Waits out a Livy that is away for a second: 0.1, 0.2, 0.4 … s, seven times."""
    session = requests.Session()
    retry = Retry(total=7, backoff_factor=0.05, status_forcelist=(500, 502, 503, 504))
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def run(args: str) -> dict[str, Any]:
    """One job; an exception ends the script that runs it, as a failure."""
    known: list[int] = []
    try:
        batch = LivyBatch.create(os.environ["LIVY_URL"], JAR, auth=AUTH, args=[args], requests_session=patient())
        known.append(batch.batch_id)
        batch.wait()
        said = "success" if batch.state == SessionState.SUCCESS else "failed"
    except Exception as error:
        return {"said": "failed", "knows": known, "errors": [f"{type(error).__name__}: {error}"[:300]]}
    return {"said": said, "knows": known, "errors": []}


def main() -> None:
    """Every job, a number of them at once."""
    with ThreadPoolExecutor(ORDER["parallel"]) as pool:
        words = list(pool.map(run, ORDER["jobs"]))
    Path(ORDER["result"]).write_text(json.dumps(dict(zip(ORDER["jobs"], words, strict=True))))


main()
