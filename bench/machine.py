"""What a result was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Final

_PACKAGES: Final = ("celery", "django", "psycopg", "requests")


def machine() -> dict[str, str]:
    """CPU, memory and system, without the machine's name."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal:")), 0)
    return {
        "CPU": f"{len(os.sched_getaffinity(0))} × {model}",
        "memory": f"{memory / 1024 / 1024:.0f} GiB",
        "kernel": platform.release().partition("-")[0],
    }


def versions() -> dict[str, str]:
    """Of Python and the packages that do the work here."""
    return {"Python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
