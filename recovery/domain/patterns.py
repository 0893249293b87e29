"""Patterns that people type, held to a bound: none may take a page with it.

Python's `re` has no time limit, and a pattern such as `(\\w+)+x` needs for ever on an unlucky line. So a pattern is
refused unless it can be shown that it fails soon: its worst number of ways to match from one place is counted on the
parsed pattern, and it is only ever run over single lines of at most MAX_LINE characters. A repetition after which
nothing that it repeats can come (`\\d+ rows`) has one way; `.*` has as many as the line has characters.
"""

from __future__ import annotations

import re
from functools import lru_cache
from re import _constants as sre  # type: ignore[attr-defined, unused-ignore]  # the parser behind `re`, not in every stub
from re import _parser as parser  # type: ignore[attr-defined, unused-ignore]  # its tree is what is counted
from typing import Any, Final, NamedTuple

from recovery.domain.errors import Problem

MAX_LINE: Final = 1000
"""Characters of a line that a pattern sees."""
MAX_PATTERN: Final = 500
SHORTEST_WORD: Final = 3
MAX_WAYS: Final = 5_000
"""Ways from one place: with MAX_LINE places in a line, some tenths of a second at the very worst."""
MAX_STEPS: Final = 100_000
"""Characters looked at from one place in all ways: a run that is read again in each way takes its time too. About a
second for one line at the very worst."""
_OTHER: Final = frozenset("é٣\u2003→")
"""Stand for everything outside ASCII: a letter, a digit, a blank, anything else."""
_END: Final = ""
_ALPHABET: Final = frozenset(map(chr, range(128))) | _OTHER
_FLAGS: Final = re.IGNORECASE

Items = list[tuple[Any, Any]]


class _Unbounded(Exception):
    """More than is allowed, or a construct whose ways cannot be counted."""


def compiled(pattern: str) -> re.Pattern[str]:
    """Upper and lower case are one. Only for a pattern without problems."""
    return re.compile(pattern, _FLAGS)


def pattern_problems(pattern: str, *, field: str = "pattern") -> list[Problem]:
    """Why a pattern is not taken."""
    if len(pattern) > MAX_PATTERN:
        return [Problem(field=field, code="too_long", params={"limit": MAX_PATTERN})]
    try:
        tree = parser.parse(pattern, _FLAGS)
        compiled(pattern)
    except re.error as error:
        where = {"position": (error.pos or 0) + 1, "error": error.msg[:200]}
        return [Problem(field=field, code="pattern", params=where)]
    except (OverflowError, RecursionError, ValueError):
        return [Problem(field=field, code="pattern_large")]
    try:
        _cost(list(tree), None)
    except _Unbounded:
        return [Problem(field=field, code="pattern_slow")]
    if compiled(pattern).search("") is not None:
        return [Problem(field=field, code="pattern_empty")]
    return []


@lru_cache(maxsize=500)
def is_sound(pattern: str) -> bool:
    """It has no problems; remembered, because each page asks it of each pattern."""
    return not pattern_problems(pattern)


@lru_cache(maxsize=500)
def words_of(pattern: str) -> tuple[str, ...]:
    """Texts in lower case of which a line has to hold one to fit, so that most lines need no pattern at all; empty
    when none can be told. Only for a pattern without problems."""
    return tuple(sorted(_words(list(parser.parse(pattern, _FLAGS))) or ()))


def _words(items: Items) -> frozenset[str] | None:
    """Of the texts that a sequence must hold, the set whose shortest is the longest."""
    found: list[frozenset[str]] = []
    run = ""
    for op, given in [*items, (None, None)]:
        if op is sre.LITERAL and given < 128:
            run += chr(given).lower()
            continue
        if len(run) >= SHORTEST_WORD:
            found.append(frozenset({run}))
        run = ""
        if op is sre.BRANCH:
            each = [_words(list(branch)) for branch in given[1]]
            known = [one for one in each if one is not None]
            inside = frozenset[str]().union(*known) if len(known) == len(each) else None
        else:
            inside = _words(list(given[3])) if op is sre.SUBPATTERN else None
        if inside is not None:
            found.append(inside)
    return max(found, key=lambda texts: min(map(len, texts)), default=None)


# ── how many ways there are from one place ──────────────────────────────────────────────────────────────────────


class _Cost(NamedTuple):
    """At the very worst, from one place."""

    ways: int
    """To match."""
    steps: int
    """Characters that are looked at in all of them."""


_ONE: Final = _Cost(1, 1)


def _cost(items: Items, follow: frozenset[str] | None) -> _Cost:
    """Of a sequence; `follow` are the characters that may come after it, None when nothing has to."""
    ways = steps = 1
    for index, (op, given) in enumerate(items):
        after = _first(items[index + 1 :], follow)
        cost = _cost_of(op, given, after)
        steps += ways * cost.steps
        ways *= cost.ways
        if ways > MAX_WAYS or steps > MAX_STEPS:
            raise _Unbounded
    return _Cost(ways, steps)


def _cost_of(op: Any, given: Any, after: frozenset[str] | None) -> _Cost:
    if op in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN, sre.AT):
        return _ONE
    if op is sre.SUBPATTERN:
        return _cost(list(given[3]), after)
    if op is sre.BRANCH:
        branches = [list(branch) for branch in given[1]]
        costs = [_cost(branch, after) for branch in branches]
        ways = [cost.ways for cost in costs]
        return _Cost(max(ways) if _told_apart(branches) else sum(ways), sum(cost.steps for cost in costs))
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        least, most, inner = given
        return _cost_repeated(min(int(least), MAX_LINE), min(int(most), MAX_LINE), list(inner), after)
    raise _Unbounded  # looks around, back references, conditions


def _told_apart(branches: list[Items]) -> bool:
    """Their first characters say which one it is."""
    begins = [_either([branch]) for branch in branches]
    letters = [one for found, _empty in begins for one in found]
    return len(letters) == len(set(letters)) and not any(empty for _found, empty in begins)


def _cost_repeated(least: int, most: int, inner: Items, after: frozenset[str] | None) -> _Cost:
    again, empty = _either([inner])
    if empty:
        raise _Unbounded  # it may repeat nothing at all
    if len(inner) == 1 and inner[0][0] in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
        if after is None:  # enough of them, and it has matched
            return _Cost(1, least + 1)
        return _Cost(most - least + 1 if again & after else 1, most)
    one = _cost(inner, again | after if after is not None else None)
    # where nothing has to come after it all, the next round still has to come after each that must be made but the last
    bound = _cost(inner, again) if after is None and least > 1 else one
    if max(one.ways, bound.ways) > 1 and most > 20:
        raise _Unbounded
    before = max(least - 1, 0)
    ways = bound.ways**before * sum(one.ways**times for times in range(least - before, most - before + 1))
    if one.ways == bound.ways == 1:  # it goes through the line once, however many rounds it makes
        return _Cost(ways, min(one.steps * most, 2 * MAX_LINE + one.steps))
    return _Cost(ways, max(one.steps, bound.steps) * max(ways, most))


# ── what a sequence can begin with ──────────────────────────────────────────────────────────────────────────────


def _first(items: Items, follow: frozenset[str] | None) -> frozenset[str] | None:
    """None: it can be over at once, and then it has matched."""
    found: frozenset[str] = frozenset()
    for op, given in items:
        if op is sre.AT and given in (sre.AT_END, sre.AT_END_STRING):
            return found | {_END}
        begins, empty = _begins(op, given)
        found |= begins
        if not empty:
            return found
    return None if follow is None else found | follow


def _begins(op: Any, given: Any) -> tuple[frozenset[str], bool]:
    """(characters, whether it can be empty)."""
    if op is sre.AT:
        return frozenset(), True
    if op is sre.SUBPATTERN:
        return _either([list(given[3])])
    if op is sre.BRANCH:
        return _either([list(branch) for branch in given[1]])
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        begins, empty = _either([list(given[2])])
        return begins, empty or int(given[0]) == 0
    if op in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
        return _characters(op, given), False
    raise _Unbounded


def _either(sequences: list[Items]) -> tuple[frozenset[str], bool]:
    found: frozenset[str] = frozenset()
    empty = False
    for items in sequences:
        begins = frozenset({_END})
        # an end of its own is told from the end of the line by asking with the marker behind it
        first = _first(items, begins)
        found |= (first or begins) - begins
        empty = empty or bool((first or begins) & begins)
    return found, empty


def _characters(op: Any, given: Any) -> frozenset[str]:
    """Those that one character of the pattern stands for, upper and lower case as one."""
    if op is sre.ANY:
        return _ALPHABET
    if op is sre.LITERAL:
        return _cases(given)
    if op is sre.NOT_LITERAL:
        return (_ALPHABET - _cases(given)) | _OTHER
    negated = False
    found: set[str] = set()
    whole: set[str] = set()
    for kind, value in given:
        if kind is sre.NEGATE:
            negated = True
        elif kind is sre.CATEGORY:
            whole |= {one for one in _ALPHABET if _CATEGORIES[value].match(one)}
        else:
            low, high = (value, value) if kind is sre.LITERAL else value
            found |= {one for code in range(low, min(high, 127) + 1) for one in _cases(code)}
            found |= _OTHER if high > 127 else set()
    if negated:  # one letter outside ASCII that is left out does not leave out all of them
        return frozenset(_ALPHABET - whole - (found - _OTHER))
    return frozenset(found | whole)


def _cases(code: int) -> frozenset[str]:
    return frozenset({chr(code).lower(), chr(code).upper()}) if code < 128 else _OTHER


_CATEGORIES: Final = {
    sre.CATEGORY_DIGIT: re.compile(r"\d"),
    sre.CATEGORY_NOT_DIGIT: re.compile(r"\D"),
    sre.CATEGORY_SPACE: re.compile(r"\s"),
    sre.CATEGORY_NOT_SPACE: re.compile(r"\S"),
    sre.CATEGORY_WORD: re.compile(r"\w"),
    sre.CATEGORY_NOT_WORD: re.compile(r"\W"),
}
