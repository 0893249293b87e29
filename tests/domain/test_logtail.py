"""A whole log out of a ring of 200 lines."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.domain import logtail
from recovery.domain.logtail import DIAGNOSTICS, GAP, MAX_KEPT, STDERR, STDOUT, has_diagnostics_part, merge, sections

RING = 200


@pytest.mark.parametrize(
    ("log", "output", "diagnostics"),
    [
        ([], [], []),
        ([STDOUT, STDERR], [], []),
        ([STDOUT, "a", "b", STDERR], ["a", "b"], []),
        ([STDOUT, "a", STDERR, "e", DIAGNOSTICS, "User class threw"], ["a", "e"], ["User class threw"]),
        (["no marker"], ["no marker"], []),
        ([STDOUT, "stdout:", "YARN Diagnostics: ", STDERR], ["stdout:", "YARN Diagnostics: "], []),
        ([DIAGNOSTICS, "d", STDOUT, "a"], ["a"], ["d"]),
    ],
)
def test_the_parts_of_a_log(log: list[str], output: list[str], diagnostics: list[str]) -> None:
    assert sections(log) == (output, diagnostics)
    assert has_diagnostics_part(log) is (DIAGNOSTICS in log)


@pytest.mark.parametrize(
    ("kept", "window", "expected"),
    [
        ([], [], []),
        (["a"], [], ["a"]),
        ([], ["a"], ["a"]),
        (["a", "b"], ["a", "b"], ["a", "b"]),
        (["a", "b"], ["b", "c"], ["a", "b", "c"]),
        (["a", "b", "c"], ["b", "c"], ["a", "b", "c"]),
        (["a"], ["b"], ["a", GAP, "b"]),
        (["a", "b"], ["c", "b"], ["a", "b", GAP, "c", "b"]),
        (["x", "a", "x"], ["x", "a", "x", "b"], ["x", "a", "x", "b"]),
        (["a", "a"], ["a", "a", "a"], ["a", "a", "a"]),
    ],
)
def test_a_reading_is_laid_over_the_end_of_what_is_kept(
    kept: list[str], window: list[str], expected: list[str]
) -> None:
    assert merge(kept, window) == expected


@given(st.lists(st.integers(0, RING - 1), min_size=1, max_size=30))
def test_a_stream_read_through_the_ring_comes_back_whole(steps: list[int]) -> None:
    """Each step is how many lines were written between two readings: fewer than the ring holds."""
    kept: list[str] = []
    written: list[str] = []
    for step in steps:
        written += [f"line {len(written) + number}" for number in range(step)]
        kept = merge(kept, written[-RING:])
    assert kept == written


@given(st.lists(st.tuples(st.integers(0, 8), st.sampled_from("abc")), max_size=20))
def test_lines_that_repeat_are_never_invented(steps: list[tuple[int, str]]) -> None:
    """Which of two equal lines was seen cannot be known: fewer may be kept, none that was not written."""
    ring = 5
    kept: list[str] = []
    written: list[str] = []
    for count, line in steps:
        written += [line] * count
        kept = merge(kept, written[-ring:])
    assert len([line for line in kept if line != GAP]) <= len(written)
    assert kept[-min(ring, len(written)) :] == written[-ring:]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=10))
def test_lines_that_were_missed_are_shown_as_a_gap(steps: list[int]) -> None:
    """More lines than a ring of ten holds are written between two readings."""
    kept: list[str] = []
    written: list[str] = []
    for step in steps:
        written += [str(len(written) + number) for number in range(step)]
        kept = merge(kept, written[-10:])
    numbers = [int(line) for line in kept if line != GAP]
    assert numbers == sorted(set(numbers))  # in their order, none twice
    for before, after in pairwise(kept):
        if GAP not in (before, after):
            assert int(after) == int(before) + 1  # no line is missing without a sign


def test_a_log_that_is_too_long_keeps_its_beginning_and_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logtail, "MAX_KEPT", 50)
    kept: list[str] = []
    lines = [str(number) for number in range(300)]
    for end in range(10, 301, 10):
        kept = merge(kept, lines[max(0, end - 20) : end])
    assert kept == [*lines[:5], GAP, *lines[-44:]]


def test_what_is_kept_is_bounded() -> None:
    assert len(merge([str(number) for number in range(MAX_KEPT)], ["new"])) == MAX_KEPT


# ── for people to read ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[31mred\x1b[0m \x1b[1;38;5;12mx\x1b[K", "red x"),
        ("\x1b]0;title\x07done \x1b]8;;http://x\x1b\\link", "done link"),
        ("\x1b(Bok\x1b7\x1b", "ok"),
        ("[Stage 0:> (0 + 1)]\r[Stage 0:> (1 + 1)]\nend\r\n", "[Stage 0:> (1 + 1)]\nend\n"),
        ("bell\x07 null\x00 \x9b", "bell null "),
    ],
)
def test_a_terminal_s_colours_are_not_shown(kept: str, shown: str) -> None:
    assert logtail.plain(kept) == shown


@pytest.mark.parametrize(
    ("text", "lines", "wanted"),
    [("", 3, ("", 0)), ("a\nb", 3, ("a\nb", 0)), ("a\nb\nc", 2, ("b\nc", 1)), ("a\nb\n", 1, ("", 2))],
)
def test_the_tail_says_how_much_is_before_it(text: str, lines: int, wanted: tuple[str, int]) -> None:
    assert logtail.tail(text, lines) == wanted


def test_a_reader_goes_on_where_he_was() -> None:
    seen = logtail.mark("one\ntwo")
    assert logtail.since("one\ntwo\nthree", seen) == "\nthree"
    assert logtail.since("one\ntwo", seen) == ""
    assert logtail.since("one\ntwX\nthree", seen) is None, "another log"
    assert logtail.since("one", seen) is None, "a shorter log"
    assert logtail.since("one", "") is None
    assert logtail.since("one", "9" * 20 + "-0") is None
    assert logtail.since("one", "x-y") is None
    assert logtail.since("one", logtail.mark("")) == "one"
