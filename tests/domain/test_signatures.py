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


# ── levels ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "line",
    [
        "26/11/29 14:27:03 WARN TaskSetManager: Lost task 0.0: OOM",
        "26/11/29 14:27:03 INFO  Allocator: OOM",
        "2024-01-01 00:00:00,123 DEBUG [main] X - OOM",
        "[2024-01-01 00:00:00.000] [task launch worker 1] WARN X: OOM",
        "12:00:00.123 [main] INFO  o.a.X - OOM",
        "[INFO] OOM",
        "WARNING:root:OOM",
    ],
)
def test_what_a_program_went_on_after_is_possible_at_the_most(line: str) -> None:
    for place in (Place.LOG, Place.DIAGNOSTICS):
        (found,) = match([signature("oom")], {place: line})
        assert (found.certainty, found.line) == (Certainty.POSSIBLE, line)
    (said,) = match([signature("oom", certainty=Certainty.SAID)], {Place.WORDS: line})
    assert said.certainty is Certainty.SAID, "a server's answer has no levels"


@pytest.mark.parametrize(
    "line",
    ["26/11/29 14:27:03 ERROR Executor: OOM", "OOM", "Warning: OOM", "INFORMATION OOM", "X WARN OOM", "FATAL OOM"],
)
def test_any_other_line_counts_as_before(line: str) -> None:
    (found,) = match([signature("oom")], {Place.LOG: line})
    assert found.certainty is Certainty.PROBABLE


def test_a_trace_below_a_warning_is_a_warning_and_below_anything_else_is_none() -> None:
    trace = "java.io.IOException: x\n\tat A.b(A.java:1)\nCaused by: java.lang.OOMError\n\t... 3 more"
    for above, certainty in (
        ("24/01/01 00:00:00 WARN A: left out", Certainty.POSSIBLE),
        ("24/01/01 00:00:00 ERROR A: stopped", Certainty.PROBABLE),
        ("24/01/01 00:00:00 INFO A: begun", Certainty.PROBABLE),
        ("24/01/01 00:00:00 WARN A: left out\nRECOVERY printed", Certainty.PROBABLE),
    ):
        (found,) = match([signature("oom")], {Place.LOG: f"{above}\n{trace}"})
        assert found.certainty is certainty, above


def test_a_line_that_is_not_calm_is_shown_before_a_newer_one_that_is_and_in_a_less_sure_place() -> None:
    log = "ERROR oom first\nERROR oom second\nINFO oom third\nINFO oom fourth"
    (found,) = match([signature("oom")], {Place.LOG: log})
    assert (found.line, found.certainty) == ("ERROR oom second", Certainty.PROBABLE)
    (found,) = match([signature("oom")], {Place.DIAGNOSTICS: "WARN oom", Place.LOG: log})
    assert (found.place, found.line) == (Place.LOG, "ERROR oom second")
    calm = {Place.DIAGNOSTICS: "WARN oom", Place.LOG: "INFO oom third\nINFO oom fourth"}
    (found,) = match([signature("oom")], calm)
    assert (found.place, found.line) == (Place.DIAGNOSTICS, "WARN oom")
    (found,) = match([signature("oom", Place.LOG)], calm)
    assert found.line == "INFO oom fourth"


def test_what_became_less_sure_comes_behind_and_what_was_only_possible_keeps_its_place() -> None:
    three = [
        signature("first", number=1), signature("second", number=2),
        signature("third", certainty=Certainty.POSSIBLE, number=3),
    ]  # fmt: skip
    found = match(three, {Place.LOG: "WARN first\nsecond\nWARN third"})
    assert [one.signature.id for one in found] == [2, 3, 1]


def test_a_frame_of_a_stack_is_not_what_is_shown() -> None:
    log = "java.lang.OOMError: x\n\tat java.base/java.lang.OOMError.<init>(OOMError.java:6)\n\tat A.main(A.java:1)"
    (found,) = match([signature("OOMError")], {Place.LOG: log})
    assert found.line == "java.lang.OOMError: x"


def test_a_line_is_explained_once_by_the_first_that_fits() -> None:
    both = [signature("file of mine", number=1), signature("file", number=2)]
    assert [one.signature.id for one in match(both, {Place.LOG: "file of mine"})] == [1]
    assert [one.signature.id for one in match(both, {Place.LOG: "file of mine\nfile of yours"})] == [1, 2]
    assert [one.signature.id for one in match(both[1:], {Place.LOG: "file of mine"})] == [2]


# ── the request's own arguments ─────────────────────────────────────────────────────────────────────────────────


def test_an_argument_that_is_printed_proves_nothing() -> None:
    log = "RECOVERY argv[0]=<--table java.lang.OOMError>"
    own = ["--table java.lang.OOMError", "java.lang.OOMError", ""]
    assert len(match([signature("OOMError")], {Place.LOG: log})) == 1
    assert match([signature("OOMError")], {Place.LOG: log}, own=own) == []
    assert match([signature("OOMError")], {Place.LOG: "table=java.lang.OOMError"}, own=own) == []
    assert match([signature("OOMError")], {Place.WORDS: log}, own=own) == []
    (found,) = match([signature("OOMError")], {Place.LOG: f"real.OOMError: heap\n{log}"}, own=own)
    assert found.line == "real.OOMError: heap"


def test_an_argument_that_is_named_by_what_went_wrong_hides_nothing() -> None:
    line = "Path does not exist: /data/day=20240101"
    assert match([signature("Path does not exist")], {Place.LOG: line}, own=["20240101", "/data/day=20240101"])
    line = "unknown option <--date 20240101>"
    assert match([signature(r"unknown option <--?\w+ \w+")], {Place.LOG: line}, own=["--date 20240101"])


def test_the_time_is_looked_at_before_each_line() -> None:
    ticks = count()
    texts = {Place.LOG: "needle\n" + "hay\n" * 20}
    assert match([signature("needle"), signature("hay")], texts, time_is_up=lambda: next(ticks) > 10) == []
    assert next(ticks) < 14
