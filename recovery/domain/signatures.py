"""What a log says about why a job failed, by patterns that operators keep. A guess is called a guess.

Pure: the caller gives the texts and a way to say that time is up; patterns were checked when they were stored
(`domain/patterns.py`), and are run over single lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from recovery.domain.logtail import plain, tail
from recovery.domain.patterns import MAX_LINE, compiled, words_of

MAX_LINES: Final = 1500
"""Lines that are looked at of each text: the last ones, where the reason is."""


class Place(StrEnum):
    """Where a signature looks."""

    WORDS = "words"
    """What the server answered to the submission, or the gateway's own trouble."""
    DIAGNOSTICS = "diagnostics"
    LOG = "log"


class Certainty(StrEnum):
    """How sure a signature is."""

    SAID = "said"
    """The server itself names the cause. Counts only where the server is the one who speaks."""
    PROBABLE = "probable"
    POSSIBLE = "possible"


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """A pattern, where it looks, and how sure it is."""

    id: int
    pattern: str
    places: frozenset[Place]
    certainty: Certainty


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """A signature that fits: the line, where it stands, and how sure that is."""

    signature: Signature
    place: Place
    line: str
    certainty: Certainty
    groups: Mapping[str, str]


def match(
    signatures: Sequence[Signature],
    texts: Mapping[Place, str],
    *,
    time_is_up: Callable[[], bool] = lambda: False,
) -> list[Match]:
    """Each signature that fits, in their order, with the last line that it fits in the surest place.

    `SAID` is kept for the server's words alone: a line of a log may say anything, so there it is `PROBABLE`.
    """
    lines = {place: _Lines.of(texts.get(place, "")) for place in Place}
    found = []
    for signature in signatures:
        hit = _look(signature, lines, time_is_up)
        if hit is not None:
            found.append(hit)
        if time_is_up():
            break
    return found


def _look(signature: Signature, lines: Mapping[Place, _Lines], time_is_up: Callable[[], bool]) -> Match | None:
    for place in Place:
        if place not in signature.places:
            continue
        hit = _search(signature.pattern, lines[place], time_is_up)
        if hit is not None:
            said = signature.certainty is Certainty.SAID and place is not Place.WORDS
            groups = {name: text for name, text in hit.groupdict().items() if text}
            return Match(
                signature=signature, place=place, line=hit.string.strip(), groups=groups,
                certainty=Certainty.PROBABLE if said else signature.certainty,
            )  # fmt: skip
    return None


def _search(pattern: str, lines: _Lines, time_is_up: Callable[[], bool]) -> re.Match[str] | None:
    words, search = words_of(pattern), compiled(pattern).search
    if words and not any(word in lines.low_text for word in words):
        return None
    for number, (line, low) in enumerate(zip(lines.shown, lines.low, strict=True)):
        if number % 50 == 0 and time_is_up():
            return None
        if words and not any(word in low for word in words):
            continue
        if hit := search(line):
            return hit
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lines:
    """The last lines of a text, newest first, each cut to what a pattern may see; and in lower case."""

    shown: list[str]
    low: list[str]
    low_text: str

    @classmethod
    def of(cls, text: str) -> _Lines:
        shown = list(_cut(tail(text, MAX_LINES)[0].split("\n")[::-1]))
        low = [line.lower() for line in shown]
        return cls(shown=shown, low=low, low_text="\n".join(low))


def _cut(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if shown := plain(line[: 2 * MAX_LINE])[:MAX_LINE].strip():
            yield shown
