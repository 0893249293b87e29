"""Keeping a whole log out of Livy's ring of the last 200 lines (livy-knox-contract.md §5).

Indices slide once the ring is full, so `from` is no cursor: each reading is laid over the end of what is kept.
"""

from __future__ import annotations

import re
import zlib
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


# Colours and cursor moves of a terminal; each repetition is bounded, the last resort is a lone escape.
_ANSI: Final = re.compile(
    r"\x1b\[[0-9;:?<=>!]{0,60}[ -/]{0,4}[@-~]|\x1b\][^\x07\x1b]{0,300}(?:\x07|\x1b\\)|\x1b[ -/]{0,2}[0-~]|\x1b"
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f]")


def plain(text: str) -> str:
    """A kept log to be read by people: no colours of a terminal, of a line that was drawn over (a progress bar) its
    last state, no control characters but tab and line feed."""
    if "\r" in text:
        text = "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n"))
    return _CONTROL.sub("", _ANSI.sub("", text))


def tail(text: str, lines: int) -> tuple[str, int]:
    """(the last `lines` lines, how many come before them)."""
    before = text.count("\n") + 1 - lines if text else 0
    if before <= 0:
        return text, 0
    return "\n".join(text.rsplit("\n", lines)[1:]), before


def mark(text: str) -> str:
    """Where a reader stands who has seen all of `text`: its length and a check of its end."""
    return f"{len(text)}-{zlib.crc32(text[-500:].encode()):08x}"


def since(text: str, seen: str) -> str | None:
    """What was added to the log since a reader's mark; None when that is not the log he has read (it was cut)."""
    length = seen.partition("-")[0]
    if not length.isdecimal() or len(length) > 12 or int(length) > len(text) or mark(text[: int(length)]) != seen:
        return None
    return text[int(length) :]
