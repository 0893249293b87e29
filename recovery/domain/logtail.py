"""Keeping a whole log out of Livy's ring of the last 200 lines (livy-knox-contract.md §5).

Indices slide once the ring is full, so `from` is no cursor: each reading is laid over the end of what is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

STDOUT: Final = "stdout: "
STDERR: Final = "\nstderr: "
DIAGNOSTICS: Final = "\nYARN Diagnostics: "
GAP: Final = "[…]"
"""Line that marks lines which Livy had forgotten before they were read."""
MAX_KEPT: Final = 50_000


def sections(log: Sequence[str]) -> tuple[list[str], list[str]]:
    """(output, diagnostics) of a log as Livy sends it; the markers are taken out.

    stderr is merged into the stdout part by Livy; what its own part may hold is put behind it.
    """
    output: list[str] = []
    diagnostics: list[str] = []
    part = output
    for line in log:
        if line in (STDOUT, STDERR):
            part = output
        elif line == DIAGNOSTICS:
            part = diagnostics
        else:
            part.append(line)
    return output, diagnostics


def has_diagnostics_part(log: Sequence[str]) -> bool:
    """True on YARN: the log has the marker of the diagnostics."""
    return DIAGNOSTICS in log


def merge(kept: Sequence[str], window: Sequence[str]) -> list[str]:
    """`kept` continued by `window`, the newest lines: the longest end of `kept` that begins `window` is the overlap.

    No overlap although both have lines means that lines were lost between two readings: a GAP line says so.
    """
    if not window:
        return list(kept)
    if not kept:
        return list(window)
    for size in range(min(len(kept), len(window)), 0, -1):
        if list(kept[-size:]) == list(window[:size]):
            merged = [*kept, *window[size:]]
            break
    else:
        merged = [*kept, GAP, *window]
    if len(merged) > MAX_KEPT:
        head = MAX_KEPT // 10
        merged = [*merged[:head], GAP, *merged[-(MAX_KEPT - head - 1) :]]
    return merged
