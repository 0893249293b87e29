"""What a log says about why a job failed, by patterns that operators keep. A guess is called a guess.

A line is not believed where it only repeats the request's own arguments, and less where its level says that the program
went on (INFO, WARN): there, what is probable elsewhere is possible.

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
_LEVEL: Final = re.compile(
    r"(?:\d\S{0,40} {1,9}|\[[^\]]{0,80}\] ?){0,4}\[?(TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL)\b"
)
"""Of a line of a log, behind a date, a time or a thread."""
_GOES_ON: Final = frozenset({"TRACE", "DEBUG", "INFO", "WARN", "WARNING"})
_TRACE: Final = re.compile(r"(?:Caused by: |Suppressed: )?[\w.$]{1,200}(?:Exception|Error)\b|(?:at|\.\.\.) \S")
"""What stands below a line that was logged with an exception."""
_FRAME: Final = re.compile(r"at [\w.$/<>]{1,300}\(")
"""Of a stack: it may name an exception, and says nothing."""


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
    own: Sequence[str] = (),
    time_is_up: Callable[[], bool] = lambda: False,
) -> list[Match]:
    """Each signature that fits, in their order, with the last line that it fits in the surest place. One that
    became less sure because a program went on after its line comes behind the others;
    one that rests on a line which another has explained before it is left out.

    `SAID` is kept for the server's words alone: a line of a log may say anything, so there it is `PROBABLE`.
    `own`: texts of the request itself. A line that holds one which the pattern fits proves nothing.
    """
    lines = {place: _Lines.of(texts.get(place, ""), levels=place is not Place.WORDS) for place in Place}
    echoes = [text for text in own if text]
    found = []
    explained = set()
    for signature in signatures:
        hit = _look(signature, lines, echoes, time_is_up)
        if hit is not None and (hit.place, hit.match.string) not in explained:
            explained.add((hit.place, hit.match.string))
            found.append((signature, hit))
        if time_is_up():
            break
    found.sort(key=lambda one: one[1].calm and one[0].certainty is not Certainty.POSSIBLE)
    return [_said(signature, hit) for signature, hit in found]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Hit:
    place: Place
    match: re.Match[str]
    calm: bool


def _said(signature: Signature, hit: _Hit) -> Match:
    certainty = signature.certainty
    if certainty is Certainty.SAID and hit.place is not Place.WORDS:
        certainty = Certainty.PROBABLE
    return Match(
        signature=signature,
        place=hit.place,
        line=hit.match.string,
        certainty=Certainty.POSSIBLE if hit.calm else certainty,
        groups={name: text for name, text in hit.match.groupdict().items() if text},
    )


def _look(
    signature: Signature, lines: Mapping[Place, _Lines], own: Sequence[str], time_is_up: Callable[[], bool]
) -> _Hit | None:
    """In the surest place, of those where it fits a line that is not calm."""
    best = None
    for place in Place:
        if place not in signature.places:
            continue
        for hit in _hits(signature.pattern, place, lines[place], own, time_is_up):
            if not hit.calm:
                return hit
            best = best or hit
    return best


def _hits(
    pattern: str, place: Place, lines: _Lines, own: Sequence[str], time_is_up: Callable[[], bool]
) -> Iterator[_Hit]:
    """The newest first; of the calm ones only the newest."""
    words, search = words_of(pattern), compiled(pattern).search
    if words and not any(word in lines.low_text for word in words):
        return
    calm_seen = False
    for line, low, calm in zip(lines.shown, lines.low, lines.calm, strict=True):
        if time_is_up():
            return
        if (calm and calm_seen) or (words and not any(word in low for word in words)):
            continue
        if (match := search(line)) and not any(text in line and search(text) for text in own):
            calm_seen = calm_seen or calm
            yield _Hit(place=place, match=match, calm=calm)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lines:
    """The last lines of a text, newest first, each cut to what a pattern may see; and in lower case."""

    shown: list[str]
    low: list[str]
    low_text: str
    calm: list[bool]
    """The program that wrote the line went on."""

    @classmethod
    def of(cls, text: str, *, levels: bool) -> _Lines:
        cut = list(_cut(tail(text, MAX_LINES)[0].split("\n")))
        calm = _calm(cut) if levels else [False] * len(cut)
        kept = [number for number, line in enumerate(cut) if not _FRAME.match(line)][::-1]
        low = [cut[number].lower() for number in kept]
        return cls(
            shown=[cut[number] for number in kept],
            low=low,
            low_text="\n".join(low),
            calm=[calm[number] for number in kept],
        )


def _calm(lines: Sequence[str]) -> list[bool]:
    """Of each line, by its level; an exception that was logged as a warning is one with its line."""
    calm = []
    warned = False
    for line in lines:
        level = _LEVEL.match(line)
        warned = level[1].startswith("WARN") if level else warned and _TRACE.match(line) is not None
        calm.append(warned or (level is not None and level[1] in _GOES_ON))
    return calm


def _cut(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if shown := plain(line[: 2 * MAX_LINE])[:MAX_LINE].strip():
            yield shown
