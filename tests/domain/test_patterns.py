"""A pattern that people type cannot take a page with it."""

from __future__ import annotations

from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.domain.patterns import MAX_LINE, MAX_PATTERN, MAX_WAYS, compiled, is_sound, pattern_problems, words_of


def codes(pattern: str) -> list[str]:
    return [problem.code for problem in pattern_problems(pattern)]


@pytest.mark.parametrize(
    "pattern",
    [
        r"ClassNotFoundException", r"\d+ rows", r"foo.*bar", r".{0,40}x.{0,40}y", r"exit(ed)?\s+code\s+\d+", r"\s+\S+",
        r"(ab)*c", r"(ab|cd)+e", r"(a|ab){1,5}c", r"\w+\s*=", r"[^a]+a", r"foo$", r"(?i:foo)", r"[^\d]+\d+",
        r"\s+[a-z]",
        r"(?P<key>[\w.]+)", r"x{3}y", r"[a-z]+[0-9]", r"(foo|bar).*", r"[^é]+x", r"\bword\b", r"é+", r"[à-é]+x",
        r"\D+\d",
        r"(?:\w+ ){3}", "(?:" * 38 + "ab?){2}" + "){2}" * 37, r"error.{0,80}code \d+",
        r"(?:\w{2}){40}", r"(?:\w+\s){2,9}", r"(?:[a-z]+ )+x", r"(?:a|ab){5}",
        r"\W+\w", r"(?:a|b$)c", r"(?:^a|b)c", r"[^a-z]+a", r"a[^b]", r"[^x]y", r"(?:foo)+ bar", r"(|a)b", r"(ab?)c",
    ],
)  # fmt: skip
def test_a_pattern_that_fails_soon_is_taken(pattern: str) -> None:
    assert codes(pattern) == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"(\w+)+x", r"(a*)*b", r"a.*b.*c", r"(a|ab|b)*c", r"(?=a)b", r"(?<!a)b", r"(a)\1", r"(a)(?(1)b|c)d", r"(a++)b",
        r"(?>a+)b", r".*.*x", r"(.{1,9}){1,20}x", r"(a{1,2}){1,30}x", r"\d+\d+\d+x", r"(\s|\s)+x", r"[^\d]*[^\d]*x",
        r"(?:(?:a|b)?)*c", r"(?:(?=a))*c", r"(.{0,9}){0,9}",
        # as many times as it has to be, though nothing comes after it
        r"(?:\w+){40}", r"(?:x\w*){40}", r"(?:\w+){3}", r"(\w+){2,30}", r"(?:x(?:\w+)?){30}", r"(?:\w+|x){5}",
        r"(?:(?:a|ab){3}){9}",
        # a long run that is read again in each way
        r".{0,69}.{0,69}[a-z]*=", r".*[a-z]*=", r".{0,69}(.{0,49}[a-z]*=)", r".*(?:[a-z]+ )+x",
    ],
)  # fmt: skip
def test_a_pattern_that_may_need_for_ever_is_not(pattern: str) -> None:
    assert codes(pattern) == ["pattern_slow"]


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("(", "pattern"), ("a{1,99999999999}", "pattern_large"), ("x" * (MAX_PATTERN + 1), "too_long"),
        ("", "pattern_empty"), ("x*", "pattern_empty"), ("(" * 400, "pattern"),
    ],
)  # fmt: skip
def test_what_is_no_pattern_for_a_log_is_not(pattern: str, code: str) -> None:
    assert codes(pattern) == [code]


def test_upper_and_lower_case_are_one() -> None:
    assert compiled("unknown QUEUE").search("to Unknown queue: x")


@pytest.mark.parametrize(
    "pattern",
    [
        r".{0,49}.{0,48}x",
        r"(a{1,2}){1,10}x",
        r".*.?x",
        r"(a|aa){1,8}x",
        r".{0,90}[a-z]*=",
        r".{0,4}(?:[a-z]+ )+x",
        r"(aa?){9}",
    ],
)
def test_the_worst_that_is_taken_ends_on_the_worst_of_lines(pattern: str) -> None:
    """It ends at all: the time limit of the test would be over long before."""
    assert codes(pattern) == []
    assert MAX_WAYS * MAX_LINE <= 5_000_000
    for line in ("a" * MAX_LINE, "ab" * (MAX_LINE // 2), "a" * 25 + " "):
        began = monotonic()
        compiled(pattern).search(line)
        assert monotonic() - began < 10


PIECES = st.sampled_from(
    [*"ab.", r"\d", r"\w", r"\s", "[ab]", "[^a]", "a*", "b+", ".{0,9}", "(a|b)", "(ab|a)+", "(a*)*", "$", "x?"]
)
REPEATED = st.tuples(
    st.sampled_from(["a", r"\w+", r"x\w*", "(a|ab)", "[ab]+", "a+1", r"(?:\w+ ?)", "(?:b{2}|b)"]),
    st.sampled_from(["{2}", "{3}", "{25}", "{40}", "{2,}", "{1,9}", "{2,30}", "{0,3}?"]),
).map(lambda drawn: f"(?:{drawn[0]}){drawn[1]}")
"""What has to come a number of times."""


@given(st.lists(PIECES | REPEATED, min_size=1, max_size=6).map("".join), st.text("ab1 x", max_size=40))
def test_whatever_is_taken_compiles_and_ends(pattern: str, line: str) -> None:
    if not codes(pattern):
        for text in (line * 10, "a" * 24, "x" * 24, "ab" * 12):
            compiled(pattern).search(text)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("OutOfMemory|GC overhead", ("gc overhead", "outofmemory")),
        (r"unknown queue: ?\S", ("unknown queue:",)),
        (r"Lost executor \d+", ("lost executor ",)),
        (r"exit(?:ed)? ?code: (137|143)", ("code: ",)),
        (r"(?P<key>\w{1,9}) denied", (" denied",)),
        (r"ab|abcdef", ()),
        (r"\d{1,9}", ()),
        (r"foo|\d", ()),
        (r"ééé", ()),
    ],
)
def test_words_that_a_line_must_hold(pattern: str, words: tuple[str, ...]) -> None:
    assert is_sound(pattern)
    assert words_of(pattern) == words


@given(st.lists(PIECES, min_size=1, max_size=6).map("".join), st.text("ab1 xAB", max_size=40))
def test_a_line_that_fits_holds_one_of_the_words(pattern: str, line: str) -> None:
    if not codes(pattern) and compiled(pattern).search(line):
        assert not words_of(pattern) or any(word in line.lower() for word in words_of(pattern))
