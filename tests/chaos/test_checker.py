"""A forged ledger and rows for each promise: the checker sees each that is broken, and none where all is well."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from chaos.checker import check
from chaos.evidence import Batch, Event, Evidence, Place, Row

NAME = "chaos-recovery-0123456789ab"
JAR = "hdfs:///user/sddesigner/recovery.jar"
CONF = {"spark.yarn.tags": NAME}
MOVES = {
    "succeeded": ["submitting", "starting", "running", "succeeded"],
    "failed": ["submitting", "starting", "failed"],
    "cancelled": ["submitting", "starting", "cancelled"],
    "refused": ["submitting", "refused"],
    "lost": ["submitting", "unconfirmed", "lost"],
    "queued": [],
    "unconfirmed": ["submitting", "unconfirmed"],
}


def row(state: str = "succeeded", **changes: Any) -> Row:
    ended = state not in {"queued", "unconfirmed"}
    sent = json.dumps({"file": JAR, "args": ["--date 1"], "name": NAME, "conf": CONF})
    return replace(
        Row(
            id=1, name=NAME, gateway="yarn", state=state, created_at=10.0, finished_at=20.0 if ended else None,
            args=("--date 1",), sent_payload=sent, filing_key="key",
        ),
        **changes,
    )  # fmt: skip


def batch(state: str = "success", **changes: Any) -> Batch:
    return replace(
        Batch(
            gateway="yarn", name=NAME, at=12.0, app_id="application_1_0001", tags=("livy", NAME), file=JAR,
            args=("--date 1",), conf=CONF, state=state, ended_at=15.0 if state else None,
        ),
        **changes,
    )  # fmt: skip


def story(state: str, *more: str) -> tuple[Event, ...]:
    kinds = [("filed", None), *(("moved", to) for to in MOVES[state]), *((kind, None) for kind in more)]
    return tuple(
        Event(recovery=1, seq=number, kind=kind, facts={"to": to} if to else {})
        for number, (kind, to) in enumerate(kinds, start=1)
    )


def evidence(one: Row, *batches: Batch, more: tuple[str, ...] = (), **changes: Any) -> Evidence:
    places = {
        "yarn": Place(name="yarn", has_yarn=True, app_exists_after=0.3),
        "plain": Place(name="plain"),
        "forgot": Place(name="forgot", has_yarn=True, yarn_forgot=True, app_exists_after=0.3),
    }
    whole = Evidence(
        rows=(one,), events=story(one.state, *more), batches=batches, places=places, filed={"key": 1}, quiet_at=15.0,
        bound=60.0,
    )  # fmt: skip
    return replace(whole, **changes)


def broken(found: Evidence) -> list[str]:
    return [str(violation) for violation in check(found)]


def on(gateway: str, state: str, outcome: str, *batches: Batch, **changes: Any) -> Evidence:
    """The same on another gateway."""
    one = row(state, gateway=gateway, outcome=outcome, **changes)
    return evidence(one, *(replace(each, gateway=gateway) for each in batches))


@pytest.mark.parametrize(
    "well",
    [
        evidence(row("succeeded"), batch("success")),
        evidence(row("failed"), batch("dead")),
        evidence(row("failed"), batch("killed")),
        evidence(row("refused")),
        evidence(row("lost")),
        evidence(row("lost"), batch("dead", app_id=None)),
        evidence(row("lost"), batch("killed", ended_at=12.1)),
        evidence(row("cancelled", cancel_requested=True, outcome="cancelled_before_start")),
        evidence(row("cancelled", cancel_requested=True, outcome="cancelled_verified"), batch("killed")),
        on("plain", "cancelled", "cancelled_unverified", batch(""), cancel_requested=True),
        on("plain", "lost", "gone", batch("success")),
        on("forgot", "lost", "gone", batch("success")),
        replace(on("plain", "failed", "job_failed", batch("success")), lies=frozenset({(NAME, "flip")})),
    ],
)
def test_nothing_is_said_where_all_is_well(well: Evidence) -> None:
    assert broken(well) == []


@pytest.mark.parametrize(
    ("ill", "words"),
    [
        (evidence(row(), batch(), batch(at=13.0)), "at most one batch"),
        (evidence(row(), batch(), batch(at=13.0), late_bytes=frozenset({NAME})), "no event `duplicate`"),
        (
            evidence(row(), batch(), batch(at=13.0), batch(at=14.0), more=("duplicate",), late_bytes=frozenset({NAME})),
            "3 batches started",
        ),
        (evidence(row("queued")), "still queued 60 s after the last fault"),
        (evidence(row("unconfirmed"), batch()), "still unconfirmed"),
        (evidence(row(finished_at=80.0), batch()), "ended 5 s after the bound"),
        (evidence(row("refused", cleanup_due=True)), "still to be cleaned up"),
        (evidence(row("refused"), phantoms=(("yarn", NAME),)), "no phantom is left"),
        (evidence(row("succeeded")), "succeeded, and nothing ever started"),
        (evidence(row("succeeded"), batch("dead")), "succeeded, and the batch is dead"),
        (evidence(row("succeeded"), batch("")), "succeeded, and the batch is running"),
        (evidence(row("succeeded"), batch(ended_at=21.0)), "succeeded, and the batch is success"),
        (evidence(row("failed")), "failed, and nothing ever started"),
        (evidence(row("failed"), batch("")), "failed, and the batch is running"),
        (evidence(row("failed"), batch("success")), "failed, and the batch was a success"),
        (evidence(row("failed"), batch("success"), lies=frozenset({(NAME, "flip")})), "the batch was a success"),
        (on("plain", "failed", "job_failed", batch("success")), "the batch was a success"),
        (evidence(row("refused"), batch()), "refused, and the batch is success"),
        (evidence(row("lost", outcome="gone"), batch()), "lost (gone), and YARN knew its application"),
        (evidence(row("cancelled", outcome="cancelled_before_start")), "nobody asked for it"),
        (
            evidence(row("cancelled", cancel_requested=True, outcome="cancelled_verified"), batch("success")),
            "cancelled (cancelled_verified), and the batch is success",
        ),
        (
            evidence(row("cancelled", cancel_requested=True, outcome="cancelled_unverified"), batch("")),
            "cancelled (cancelled_unverified), and the batch is running",
        ),
        (
            on("plain", "cancelled", "cancelled_before_start", batch("success"), cancel_requested=True),
            "cancelled (cancelled_before_start), and the batch is success",
        ),
        (on("plain", "lost", "gone", batch("success", at=22.0)), "a batch started 2.00 s after it was lost"),
        (evidence(row(), batch(args=("--date 2",))), "is shown"),
        (evidence(row(), batch(file="hdfs:///other.jar")), "is shown"),
        (evidence(row(), batch(conf={})), "it ran with conf {}"),
        (evidence(row(), batch(tags=("livy",))), "without its tag"),
        (evidence(row(), batch(), batch(name="stranger")), "no batch without a recovery: batch stranger"),
        (evidence(row(), batch(gateway="plain")), "no batch without a recovery"),
        (evidence(row(), batch(), filed={"key": 1, "other": 2}), "accepted under the key other, and not there"),
        (evidence(row(), batch(), filed={}), "no answer ever told of it"),
    ],
)
def test_each_broken_promise_is_seen(ill: Evidence, words: str) -> None:
    assert any(words in text for text in broken(ill)), broken(ill)


def test_a_second_batch_that_remains_possible_and_was_raised_is_allowed() -> None:
    twice = evidence(row(), batch(), batch(at=13.0), more=("duplicate",), late_bytes=frozenset({NAME}))
    assert broken(twice) == []


def test_a_history_with_a_gap_is_seen() -> None:
    well = evidence(row(), batch())
    gap = replace(well, events=tuple(event for event in well.events if event.seq != 3))
    assert any("events are numbered [1, 2, 4, 5]" in text for text in broken(gap))
    headless = replace(well, events=well.events[1:])
    assert any("its first event is not `filed`" in text for text in broken(headless))
    short = replace(well, events=well.events[:-1])
    assert any("its events lead to running, and it is succeeded" in text for text in broken(short))


def test_a_move_that_the_table_does_not_have_is_seen() -> None:
    well = evidence(row("lost"))
    again = Event(recovery=1, seq=5, kind="claimed", facts={"to": "submitting"})
    back = Event(recovery=1, seq=6, kind="lost", facts={"to": "lost"})
    assert any(
        "moves from lost to submitting" in text for text in broken(replace(well, events=(*well.events, again, back)))
    )


def test_one_key_is_one_recovery() -> None:
    first = row("refused")
    second = replace(first, id=2, name="chaos-recovery-aaaaaaaaaaaa")
    events = (*story("refused"), *(replace(event, recovery=2) for event in story("refused")))
    assert any(
        "key key: 2 recoveries" in t for t in broken(replace(evidence(first), rows=(first, second), events=events))
    )


def test_a_resubmission_of_what_had_not_ended_is_seen() -> None:
    parent = row("refused")
    child = replace(parent, id=2, name="chaos-recovery-aaaaaaaaaaaa", parent=1, created_at=19.0, filing_key="again")
    events = (*story("refused"), *(replace(event, recovery=2) for event in story("refused")))
    both = replace(evidence(parent), rows=(parent, child), events=events, filed={"key": 1, "again": 2})
    assert any("resubmits recovery 1, which had not ended" in text for text in broken(both))
    later = replace(child, created_at=21.0, finished_at=30.0)
    assert broken(replace(both, rows=(parent, later))) == []
