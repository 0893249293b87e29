"""The other side: clients of Livy in an environment of their own, each run as a process (`make bench-peers`)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Final

from bench.processes import ROOT, BenchFailed
from bench.sandboxes import PASSWORD, USER, Sandbox

HERE: Final = Path(__file__).resolve().parent
PYTHON: Final = ROOT / "bench" / ".venv-peers" / "bin" / "python"
_NAMES: Final = ("apache-airflow", "apache-airflow-providers-apache-livy", "livy")
_ASK: Final = "import sys; from importlib.metadata import version; print(*(version(n) for n in sys.argv[1:]))"


def command(script: str) -> list[str]:
    """The command of one of the scripts beside this file."""
    if not PYTHON.exists():
        raise BenchFailed("the peers are not installed: make bench-peers")
    return [str(PYTHON), str(HERE / script)]


def environment(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    """Airflow with a home of its own, no scheduler and no database; the connection comes from the environment."""
    kept = {key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG", "TMPDIR"}}
    connection = {"conn_type": "livy", "host": sandbox.livy, "login": USER, "password": PASSWORD}
    return kept | {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW_CONN_LIVY_DEFAULT": json.dumps(connection),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # its own lines of log for each poll are switched off: they would only cost the peer more
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "PYTHONWARNINGS": "ignore",
        "PYTHONUNBUFFERED": "1",
        "LIVY_URL": sandbox.livy,
        "LIVY_USER": USER,
        "LIVY_PASSWORD": PASSWORD,
    }


def versions() -> dict[str, str]:
    """Of the peers that are measured."""
    done = subprocess.run([*command("")[:1], "-c", _ASK, *_NAMES], check=True, capture_output=True, text=True)
    return dict(zip(_NAMES, done.stdout.split(), strict=True))
