"""One clock for everything that Livy, Spark and YARN do, so that `speed` can make an hour pass in minutes.

Virtual seconds are seconds of the pretend cluster (job durations, retention, look-up time-outs); real seconds are
those of the client (Knox's time-out, `post_cost`, the seconds of a fault). States are worked out from time stamps
when somebody looks: no thread per batch, so ten thousand batches cost nothing.
"""

import threading
import time


class SandboxClosed(Exception):
    """Raised in a waiting thread when the sandbox is being closed."""


class Clock:
    def __init__(self, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be > 0, not {speed}")
        self.speed = speed
        self.closing = threading.Event()
        self._monotonic_origin = time.monotonic()
        self._wall_origin = time.time()

    def now(self) -> float:
        """Virtual seconds since the sandbox was made."""
        return (time.monotonic() - self._monotonic_origin) * self.speed

    def wall(self, virtual: float) -> float:
        """The epoch seconds at which `now()` was, or will be, `virtual`."""
        return self._wall_origin + virtual / self.speed

    def wait(self, seconds: float) -> None:
        """Wait real seconds, or until the sandbox closes."""
        if self.closing.wait(max(0.0, seconds)):
            raise SandboxClosed

    def sleep(self, seconds: float, until: threading.Event) -> None:
        """Wait real seconds, or until the event."""
        until.wait(seconds)


class ManualClock(Clock):
    """Stands still until it is told; who waits moves it. For tests that play hours, one call at a time."""

    def __init__(self, start: float) -> None:
        """`start` in epoch seconds."""
        super().__init__()
        self._wall_origin = start
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def forward(self, seconds: float) -> None:
        self._now += seconds

    def wait(self, seconds: float) -> None:
        self.forward(seconds)

    def sleep(self, seconds: float, until: threading.Event) -> None:
        self.forward(seconds)
