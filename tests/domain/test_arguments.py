"""`jarArgs` as typed → the arguments of main(), in three modes; and what no argument may hold."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.domain.arguments import MAX_ARGUMENT_BYTES, MAX_TOTAL_BYTES, ArgsMode, parse_arguments
from recovery.domain.errors import InvalidInput, Problem

GUIDE = "--date 20240101 --table splio.active"


def problems_of(raw: str | list[str], mode: ArgsMode) -> list[tuple[str, object]]:
    with pytest.raises(InvalidInput) as caught:
        parse_arguments(raw, mode)
    assert {problem.field for problem in caught.value.problems} == {"jarArgs"}
    return [(problem.code, problem.params.get("position")) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("raw", "args"),
    [
        (GUIDE, (GUIDE,)),
        ("  as 'typed'  \n", ("  as 'typed'  \n",)),
        ("$HOME $(id) * ;ls | %d", ("$HOME $(id) * ;ls | %d",)),
        ("", ()),
        ("  \t\n", ()),
    ],
)
def test_single_is_one_argument_as_typed(raw: str, args: tuple[str, ...]) -> None:
    assert parse_arguments(raw, ArgsMode.SINGLE) == args


@pytest.mark.parametrize(
    ("raw", "args"),
    [
        (GUIDE, ("--date", "20240101", "--table", "splio.active")),
        ("a  'b c' \"d e\" f\\ g", ("a", "b c", "d e", "f g")),
        ("--where='x = \"1\"' # no comment", ('--where=x = "1"', "#", "no", "comment")),
        ("a ''", ("a", "")),
        ("$HOME *", ("$HOME", "*")),
        ("é 日本", ("é", "日本")),
        ("a\nb\tc", ("a", "b", "c")),
        ("", ()),
        ("   ", ()),
    ],
)
def test_split_cuts_as_a_shell_would(raw: str, args: tuple[str, ...]) -> None:
    assert parse_arguments(raw, ArgsMode.SPLIT) == args


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0`{"))))
def test_what_shlex_joins_split_gives_back(words: list[str]) -> None:
    assert parse_arguments(shlex.join(words), ArgsMode.SPLIT) == tuple(words)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0`{")))
def test_split_is_shlex_and_single_is_the_text(raw: str) -> None:
    assert parse_arguments(raw, ArgsMode.SINGLE) == ((raw,) if raw.strip() else ())
    try:
        expected = tuple(shlex.split(raw))
    except ValueError:
        with pytest.raises(InvalidInput):
            parse_arguments(raw, ArgsMode.SPLIT)
    else:
        assert parse_arguments(raw, ArgsMode.SPLIT) == expected


@pytest.mark.parametrize("mode", list(ArgsMode))
def test_a_list_is_passed_as_it_is_in_every_mode(mode: ArgsMode) -> None:
    assert parse_arguments(["a b", "", " 'c"], mode) == ("a b", "", " 'c")
    assert parse_arguments([], mode) == ()


@pytest.mark.parametrize(
    ("raw", "code"),
    [("a 'b", "unbalanced_quote"), ('"', "unbalanced_quote"), ("a \\", "dangling_escape")],
)
def test_what_a_shell_could_not_read(raw: str, code: str) -> None:
    assert problems_of(raw, ArgsMode.SPLIT) == [(code, None)]
    assert parse_arguments(raw, ArgsMode.SINGLE) == (raw,)  # no shell there


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a\0b", "nul"),
        ("`id`", "backtick"),
        ("--date={{yesterday}}", "double_brace"),
        ("\ud800", "not_unicode"),
        ("x" * (MAX_ARGUMENT_BYTES + 1), "argument_too_long"),
        ("é" * (MAX_ARGUMENT_BYTES // 2 + 1), "argument_too_long"),
    ],
    ids=lambda value: str(value)[:12].encode("ascii", "replace").decode(),
)
@pytest.mark.parametrize("mode", list(ArgsMode))
def test_what_yarn_would_execute_or_swallow_is_refused_in_every_mode(text: str, code: str, mode: ArgsMode) -> None:
    """real-behaviour.md §i: a backtick runs on the node, `{{…}}` vanishes."""
    raw: str | list[str] = ["fine", text] if mode is ArgsMode.LIST else text
    assert problems_of(raw, mode) == [(code, 2 if mode is ArgsMode.LIST else 1)]


def test_the_longest_argument_passes() -> None:
    assert parse_arguments("x" * MAX_ARGUMENT_BYTES, ArgsMode.SINGLE) == ("x" * MAX_ARGUMENT_BYTES,)


def test_all_arguments_together_have_a_limit() -> None:
    many = ["x" * 99_999] * 10
    assert parse_arguments(many, ArgsMode.LIST) == tuple(many)
    assert problems_of([*many, "x" * (MAX_TOTAL_BYTES - 1_000_000)], ArgsMode.LIST) == [("arguments_too_long", None)]


def test_every_problem_is_told_at_once() -> None:
    assert problems_of(["`", "ok", "{{`\0"], ArgsMode.LIST) == [
        ("backtick", 1),
        ("nul", 3),
        ("backtick", 3),
        ("double_brace", 3),
    ]


def test_the_error_says_field_code_and_parameters() -> None:
    error = InvalidInput(
        [Problem(field="conf", code="nul", params={"position": 1}), Problem(field="jarPath", code="x")]
    )
    assert str(error) == "conf: nul {'position': 1}; jarPath: x {}"
