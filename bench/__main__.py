"""`python -m bench BENCH`: measure, write bench/results/*.json, and the table of docs/benchmarks.md.

`all` is what is measured beside other clients; `pages`, beside Django's own admin, is a bench of its own.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bench import following, honesty, machine, memory, pages, peers, report, resume, submitting
from bench.portal import Portals, Services, services
from bench.processes import ROOT, BenchFailed
from bench.results import Result, Row, write

QUICK: Final = ROOT / "var" / "bench"
"""Where a quick run writes: it is a smoke test, and no result."""
BENCHES: Final = ("all", "following", "submitting", "memory", "resume", "honesty", "pages", "report")


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """How much is done."""

    rounds: int
    batches: tuple[int, ...]
    window: float
    jobs: int
    honest_jobs: int
    honest_rounds: int
    rows: int


FULL: Final = Size(
    rounds=5, batches=(1_000, 10_000), window=30, jobs=100, honest_jobs=500, honest_rounds=2, rows=1_000_000
)
SMOKE: Final = Size(rounds=1, batches=(50, 150), window=12, jobs=20, honest_jobs=40, honest_rounds=1, rows=3_000)


@dataclass(kw_only=True, slots=True)
class Run:
    """One call of the command."""

    services: Services
    size: Size
    quick: bool
    out: Path
    portals: Portals = field(init=False)
    followed: dict[int, list[tuple[following.Sample, following.Sample]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.portals = Portals(self.services)

    def write(
        self,
        name: str,
        rows: Sequence[Row],
        details: Mapping[str, Any],
        *,
        beside: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        """One result, with machine and versions; `beside`: those of what it was compared with, else of the peers."""
        result = Result(
            bench=name,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            quick=self.quick,
            machine=machine.machine(),
            versions={**machine.versions(), **self.services.versions(), **(beside or peers.versions())},
            settings=settings,
            rows=tuple(rows),
            details=details,
        )
        say(f"wrote {write(result, self.out, name).name}")

    def follow(self) -> dict[int, list[tuple[following.Sample, following.Sample]]]:
        """The rounds at every size, measured once in a run."""
        if not self.followed:
            self.followed = following.rounds(
                self.portals, self.services.folder, sizes=self.size.batches, count=self.size.rounds,
                window=self.size.window, say=say,
            )  # fmt: skip
        return self.followed

    def following(self) -> None:
        """Requests, CPU, delay."""
        for batches, found in self.follow().items():
            details = {"rounds": [{"portal": mine.details, "airflow": theirs.details} for mine, theirs in found]}
            lines = following.rows(found, batches=batches)
            self.write(
                f"following-{batches}", lines, details, batches=batches, window=self.size.window,
                interval=following.INTERVAL,
            )  # fmt: skip

        lines = following.by_default(
            self.portals, self.services.folder, batches=min(self.size.batches),
            count=min(3, self.size.rounds), window=self.size.window, say=say,
        )  # fmt: skip
        self.write("following-default", lines, {}, batches=min(self.size.batches), interval=following.DEFAULT)

    def memory(self) -> None:
        """From the rounds of following at the smallest and the largest size."""
        fewer, more = min(self.size.batches), max(self.size.batches)
        if fewer == more:
            raise BenchFailed("memory needs two sizes: --batches 1000,10000")
        lines = memory.rows(self.follow()[fewer], self.follow()[more], fewer=fewer, more=more)
        self.write("memory", lines, {}, fewer=fewer, more=more)

    def submitting(self) -> None:
        """Submissions per second."""
        lines, details = submitting.rows(
            self.portals, self.services.folder, jobs=self.size.jobs, count=self.size.rounds, say=say
        )
        self.write("submitting", lines, details, jobs=self.size.jobs, post_seconds=0.05)

    def resume(self) -> None:
        """After kill -9."""
        batches = min(200, *self.size.batches)
        lines = resume.rows(self.portals, self.services.folder, batches=batches, count=self.size.rounds, say=say)
        self.write("resume", lines, {}, batches=batches)

    def honesty(self) -> None:
        """Under faults."""
        lines, details = honesty.rows(
            self.portals, self.services.folder, count=self.size.honest_jobs, rounds=self.size.honest_rounds, say=say
        )
        self.write(
            "honesty", lines, details, jobs=self.size.honest_jobs, speed=honesty.SPEED, faults=honesty.faults(0),
            retries=honesty.RETRIES,
        )  # fmt: skip

    def pages(self) -> None:
        """The admin's pages: no other client is needed for them."""
        found = pages.measured(
            self.portals, self.services.folder, rows=self.size.rows, rounds=self.size.rounds, say=say
        )
        engine = "PostgreSQL" if self.services.postgres else "SQLite"
        beside = {"django-unfold": version("django-unfold")}
        lines = pages.rows(found, engine=engine)
        self.write(f"pages-{engine.lower()}", lines, found, beside=beside, recoveries=self.size.rows)


BEGAN: Final = time.monotonic()


def say(text: str) -> None:
    """A line of progress."""
    print(f"[{time.monotonic() - BEGAN:5.0f} s] {text}", flush=True)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parse = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add = parse.add_argument
    add("bench", choices=BENCHES)
    add("--quick", action="store_true", help="a smoke test of a minute or two; writes below var/ and no page")
    add("--engine", choices=("auto", "postgres", "sqlite"), default="auto", help="PostgreSQL and Redis, or files")
    add("--batches", help="sizes of following, comma-separated")
    add("--rounds", type=int)
    add("--window", type=float, help="seconds measured of each round of following")
    add("--jobs", type=int, help="submissions of each round; with honesty, its jobs")
    add("--rows", type=int, help="recoveries in the table, with pages: a multiple of 1000")
    add("--out", type=Path, help="folder of the results (by default bench/results)")
    add("--check", action="store_true", help="report: only tell whether the page is what the results say")
    return parse


def size_of(given: argparse.Namespace) -> Size:
    """What was asked for, over the defaults."""
    base = SMOKE if given.quick else FULL
    return Size(
        rounds=given.rounds or base.rounds,
        batches=tuple(sorted(int(n) for n in given.batches.split(","))) if given.batches else base.batches,
        window=given.window or base.window,
        jobs=given.jobs or base.jobs,
        honest_jobs=given.jobs or base.honest_jobs,
        honest_rounds=given.rounds or base.honest_rounds,
        rows=given.rows or base.rows,
    )


def main() -> int:
    """0 when it was measured, whatever was found."""
    given = parser().parse_args()
    if given.bench == "report":
        same = report.write_page(check=given.check)
        if given.check and not same:
            print("docs/benchmarks.md is not what bench/results says: python -m bench report", file=sys.stderr)
        return int(given.check and not same)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    out = given.out or (QUICK if given.quick else report.RESULTS)
    with tempfile.TemporaryDirectory(prefix="recovery-bench-") as folder, services(given.engine, Path(folder)) as found:
        run = Run(services=found, size=size_of(given), quick=given.quick, out=out)
        chosen: dict[str, Callable[[], None]] = {
            "following": run.following,
            "submitting": run.submitting,
            "memory": run.memory,
            "resume": run.resume,
            "honesty": run.honesty,
            "pages": run.pages,
        }
        for name, measure in chosen.items():
            if given.bench == name or (given.bench == "all" and name != "pages"):
                measure()
    if out == report.RESULTS:
        report.write_page()
    print(report.tables(report.load(out)))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchFailed as failed:
        sys.exit(f"bench: {failed}")
