"""Processes of a measurement: started in groups of their own, ended by their ids, their CPU and memory from /proc."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class BenchFailed(Exception):
    """The measurement cannot be made; the words say why."""


class Child:
    """One program, in a group of its own, its output in a file."""

    def __init__(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], folder: Path, stdin: bytes | None = None
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=dict(env), stdout=log, stderr=log, start_new_session=True,
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            )  # fmt: skip
        if stdin is not None and self.process.stdin is not None:
            with suppress(BrokenPipeError):  # it ended: `check` shows why
                self.process.stdin.write(stdin)
                self.process.stdin.close()

    @property
    def pid(self) -> int:
        """Its process id, which is its group's too."""
        return self.process.pid

    def check(self) -> None:
        """It must still be there."""
        if self.process.poll() is not None:
            raise BenchFailed(f"{self.name} ended with {self.process.returncode}:\n{self.tail()}")

    def tail(self) -> str:
        """The end of its output."""
        return self.log.read_text(errors="replace")[-3000:]

    def kill(self) -> None:
        """kill -9 of the whole group: nothing gets a last word."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait(10)

    def end(self, *, patience: float = 10) -> None:
        """Ask it to end, and make it."""
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)
        self.kill()


def python(*arguments: str) -> list[str]:
    """A command of this very Python."""
    return [sys.executable, *arguments]


def until(condition: Callable[[], bool], *, within: float, what: str, every: float = 0.1) -> float:
    """Wait for it; seconds that it took. Raises BenchFailed."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > within:
            raise BenchFailed(f"not within {within:.0f} s: {what}")
        time.sleep(every)
    return time.monotonic() - began


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        one = queue.pop()
        found.append(one)
        queue += parents.get(one, [])
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU that these processes and their descendants have used, those that have ended and were waited for too."""
    total = 0
    for pid in pids:
        for one in family(pid):
            if fields := _stat(one):
                total += sum(int(field) for field in fields[11:15])
    return total / _TICKS


def _kilobytes(path: Path, *names: str) -> dict[str, int]:
    try:
        lines = path.read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return {}
    pairs = (line.split() for line in lines)
    return {words[0][:-1]: int(words[1]) for words in pairs if words and words[0][:-1] in names}


def resident(pid: int) -> int:
    """Bytes of the process in memory."""
    return _kilobytes(Path(f"/proc/{pid}/status"), "VmRSS").get("VmRSS", 0) * 1024


def proportional(pid: int) -> int:
    """Bytes of the process and its descendants in memory, pages shared among them counted once."""
    return sum(_kilobytes(Path(f"/proc/{one}/smaps_rollup"), "Pss").get("Pss", 0) for one in family(pid)) * 1024
