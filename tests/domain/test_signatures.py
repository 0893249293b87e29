"""What a log says about a failure; a guess stays a guess."""

from __future__ import annotations

from itertools import count

import pytest

from recovery.domain.signatures import MAX_LINES, Certainty, Place, Signature, match

EVERYWHERE = frozenset(Place)


def signature(pattern: str, *places: Place, certainty: Certainty = Certainty.PROBABLE, number: int = 1) -> Signature:
    return Signature(id=number, pattern=pattern, places=frozenset(places) or EVERYWHERE, certainty=certainty)


def test_the_last_line_that_fits_is_shown_from_the_surest_place() -> None:
    texts = {Place.LOG: "OOM first\nOOM last\nbye", Place.DIAGNOSTICS: "x\nOOM in YARN\n", Place.WORDS: ""}
    (found,) = match([signature("oom")], texts)
    assert (found.place, found.line) == (Place.DIAGNOSTICS, "OOM in YARN")
    (found,) = match([signature("oom", Place.LOG)], texts)
    assert (found.place, found.line) == (Place.LOG, "OOM last")


def test_a_signature_looks_only_where_it_is_told_to() -> None:
    assert match([signature("oom", Place.WORDS)], {Place.LOG: "oom"}) == []
    assert match([signature("oom")], {}) == []


@pytest.mark.parametrize(
    ("place", "certainty"),
    [(Place.WORDS, Certainty.SAID), (Place.LOG, Certainty.PROBABLE), (Place.DIAGNOSTICS, Certainty.PROBABLE)],
)
def test_only_the_server_itself_says(place: Place, certainty: Certainty) -> None:
    (found,) = match([signature("blacklisted", certainty=Certainty.SAID)], {place: "Blacklisted configuration"})
    assert found.certainty is certainty


def test_named_groups_are_handed_on() -> None:
    (found,) = match([signature(r"config: (?P<key>[\w.]+)(?P<none>x)?")], {Place.WORDS: "config: spark.master"})
    assert found.groups == {"key": "spark.master"}


def test_signatures_keep_their_order() -> None:
    both = [signature("b", number=2), signature("a", number=1)]
    assert [one.signature.id for one in match(both, {Place.LOG: "a\nb"})] == [2, 1]


def test_colours_do_not_hide_a_word_and_long_logs_are_read_at_their_end() -> None:
    (found,) = match([signature("OutOfMemoryError")], {Place.LOG: "java.lang.\x1b[31mOutOf\x1b[0mMemoryError"})
    assert found.line == "java.lang.OutOfMemoryError"
    old = "needle\n" + "hay\n" * (MAX_LINES + 1)
    assert match([signature("needle")], {Place.LOG: old}) == []
    assert match([signature("needle")], {Place.LOG: "x" * 5000 + "needle"}) == [], "a line is cut"


def test_time_that_is_up_ends_the_search() -> None:
    ticks = count()
    texts = {Place.LOG: "needle\n" + "hay!\nstraw\n" * 400}
    both = [signature(r"hay\d"), signature("needle")]
    assert match(both, texts, time_is_up=lambda: next(ticks) > 3) == []
    assert len(match(both, texts)) == 1
