"""The processes of a run, each in a group of its own, brought back when they end, as a process manager would."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

BACK_AFTER: Final = 1.0
"""Seconds after which a process that has ended is started again."""


@dataclass(kw_only=True)
class Process:
    """One long-running process."""

    name: str
    command: Sequence[str]
    cwd: Path
    log: Path
    environment: Mapping[str, str]
    child: subprocess.Popen[bytes] | None = None
    starts: int = 0
    expected: int = 0
    """Ends that somebody caused."""
    stopped_until: float | None = None
    _ended_at: float | None = None
    _ends: list[int] = field(default_factory=list)

    def start(self) -> None:
        """Start it; its output is appended to its log."""
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                self.command, cwd=self.cwd, env=dict(self.environment), stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self.starts += 1
        self._ended_at = None

    @property
    def pid(self) -> int:
        """Its id, which is its group's too."""
        assert self.child is not None  # noqa: S101  # started
        return self.child.pid

    @property
    def runs(self) -> bool:
        """It has not ended (it may be stopped)."""
        return self.child is not None and self.child.poll() is None

    def signal(self, number: int) -> bool:
        """To its whole group; False when it is gone."""
        if not self.runs:
            return False
        os.killpg(self.pid, number)
        return True

    def kill(self) -> None:
        """kill -9, with all its children."""
        self.expected += self.signal(signal.SIGKILL)

    def stop(self, seconds: float) -> None:
        """SIGSTOP; `watch` lets it go on."""
        if self.signal(signal.SIGSTOP):
            self.stopped_until = time.monotonic() + seconds

    def go_on(self) -> None:
        """SIGCONT."""
        self.stopped_until = None
        self.signal(signal.SIGCONT)

    def watch(self) -> bool:
        """Let a stopped one go on in time, bring an ended one back; True when it has just been found ended."""
        if self.stopped_until is not None and time.monotonic() >= self.stopped_until:
            self.go_on()
        if self.child is None or self.runs:
            return False
        if self._ended_at is None:
            self._ended_at = time.monotonic()
            self._ends.append(self.child.returncode)
            self.sweep_up()
            return True
        if time.monotonic() - self._ended_at >= BACK_AFTER:
            self.start()
        return False

    def sweep_up(self) -> None:
        """Children that have outlived their parent: a process manager ends the whole group."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    @property
    def ends(self) -> list[int]:
        """Exit codes so far; negative for a signal."""
        return self._ends


def end_all(processes: Sequence[Process], *, within: float = 8.0) -> None:
    """End these processes and nothing else: SIGTERM, then SIGKILL."""
    for process in processes:
        process.signal(signal.SIGCONT)
        process.signal(signal.SIGTERM)
    deadline = time.monotonic() + within
    for process in processes:
        if process.child is None:
            continue
        try:
            process.child.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.signal(signal.SIGKILL)
            process.child.wait()
        process.sweep_up()
