"""A result says what its rounds say; the page says what the results say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench import report
from bench.oracle import DUPLICATED, GIVEN_UP, LOST, WRONG, Start, Word, count, judge, starts_by_job
from bench.results import Result, Row, Series, Target, from_json, read, to_json, write
from sandbox import Fault, Sandbox
from tests.sandbox.helpers import Door


def row(*, ours: tuple[float, ...] = (1.0, 3.0, 2.0), peer: tuple[float, ...] | None = (100.0,), **fields: Any) -> Row:
    values: dict[str, Any] = {
        "key": "requests",
        "what": "requests per batch",
        "unit": "requests",
        "ours": Series(name="portal", rounds=ours),
        "peer": None if peer is None else Series(name="Airflow", rounds=peer),
    }
    return Row(**values | fields)


def result(*rows: Row, **fields: Any) -> Result:
    values: dict[str, Any] = {
        "bench": "following",
        "at": "2026-01-02T03:04:05+00:00",
        "quick": False,
        "machine": {"CPU": "2 × some"},
        "versions": {"Python": "3.11.7"},
        "settings": {"batches": 100},
        "rows": rows or (row(),),
    }
    return Result(**values | fields)


@pytest.mark.parametrize(
    ("kind", "value", "ours", "peer", "met"),
    [
        ("ratio_at_most", 0.02, (1.0, 3.0, 2.0), (100.0,), True),
        ("ratio_at_most", 0.02, (1.0, 3.0, 2.1), (100.0,), False),
        ("ratio_at_least", 0.8, (8.0,), (10.0,), True),
        ("ratio_at_least", 0.8, (7.9,), (10.0,), False),
        ("ratio_at_least", 0.8, (7.9,), (0.0,), False),
        ("at_most", 3, (1.0, 3.0, 2.0), None, True),
        # a limit on our own number holds in every round, not for the median
        ("at_most", 2.5, (1.0, 3.0, 2.0), None, False),
        ("at_most", 0, (0.0, 1.0, 0.0), (5.0,), False),
    ],
)
def test_a_target_is_met_or_not(
    kind: str, value: float, ours: tuple[float, ...], peer: tuple[float, ...] | None, met: bool
) -> None:
    assert row(ours=ours, peer=peer, target=Target(kind=kind, value=value)).met is met


def test_a_row_without_a_target_is_judged_by_nobody() -> None:
    assert row().met is None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Target(kind="about", value=1), "not 'about'"),
        (lambda: row(ours=()), "a series without rounds"),
        (lambda: row(peer=()), "a series without rounds"),
        (lambda: row(peer=None, target=Target(kind="ratio_at_most", value=1)), "a ratio needs a peer"),
    ],
)
def test_a_row_that_cannot_be_judged_is_refused(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    whole = result(
        row(target=Target(kind="ratio_at_most", value=0.02), note="as it is"), row(peer=None), details={"n": [1]}
    )
    assert read(write(whole, tmp_path / "new", "following-100")) == whole


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda value: value.update(schema=2), "schema 2, not 1"),
        (lambda value: value["rows"][0]["ours"].update(median=1.0), "not those of the rounds"),
        (lambda value: value["rows"][0].update(met=True), "not those of the rounds"),
        (lambda value: value["rows"][0].update(ratio=0.001), "not those of the rounds"),
        (lambda value: value.pop("machine"), "not a result: KeyError 'machine'"),
        (lambda value: value.update(rows=None), "not a result: TypeError"),
    ],
)
def test_a_result_that_was_touched_up_is_refused(
    change: Callable[[dict[str, Any]], object], words: str, tmp_path: Path
) -> None:
    value = to_json(result(row(target=Target(kind="ratio_at_most", value=0.001))))
    assert from_json(value).rows[0].met is False
    change(value)
    (tmp_path / "odd.json").write_text(json.dumps(value))
    with pytest.raises(ValueError, match=f"odd.json: .*{words}"):
        read(tmp_path / "odd.json")


def test_the_page_is_made_of_the_results(tmp_path: Path) -> None:
    """Order of the page, not of the alphabet; one line for each row; what is not reached is said."""
    reached = row(target=Target(kind="ratio_at_most", value=0.02), note="by polling less")
    missed = row(what="submissions", ours=(7.0,), peer=(10.0,), target=Target(kind="ratio_at_least", value=0.8))
    limit = row(what="delay", ours=(0.0,), peer=None, target=Target(kind="at_most", value=11))
    write(result(missed, bench="submitting"), tmp_path, "submitting")
    write(result(reached, limit, row(what="bytes", ours=(12345.6,))), tmp_path, "following-1000")
    write(result(row(what="other")), tmp_path, "another")
    text = report.page(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", report.load(tmp_path))
    assert text.startswith(f"before\n{report.BEGIN}\n")
    assert text.endswith(f"{report.END}\nafter\n")
    assert "old" not in text
    lines = text.splitlines()
    assert "| requests per batch | requests | 2 | 100 (Airflow) | 1/50 | ≤ 1/50 | yes |" in lines
    assert "| submissions | requests | 7 | 10 (Airflow) | 0.7 | ≥ 0.8 | **no** |" in lines
    assert "| delay | requests | 0 |  |  | ≤ 11 | yes |" in lines
    assert "| bytes | requests | 12,346 | 100 (Airflow) | 123 |" in lines
    assert "- requests per batch: by polling less" in lines
    assert [line.split(" | ")[0] for line in lines if line.startswith("| ")] == [
        "| what", "| ---", "| requests per batch", "| delay", "| submissions", "| what", "| ---", "| bytes", "| other",
    ]  # fmt: skip
    (facts,) = [line for line in lines if line.startswith("Measured on:")]
    assert "CPU 2 × some. Python 3.11.7." in facts
    assert "following (3 rounds, 2026-01-02), submitting (1 round, 2026-01-02)" in facts


def test_a_page_without_markers_is_not_written_over() -> None:
    with pytest.raises(ValueError, match="the page has no"):
        report.page("a page", [])


def test_the_results_in_the_repository_are_sound_and_on_the_page() -> None:
    assert report.write_page(check=True)


SUCCESS, DEAD, OTHER = (
    Start(batch_id=1, app_id="application_1_1", end="success"),
    Start(batch_id=2, app_id="application_1_2", end="dead"),
    Start(batch_id=3, app_id="application_1_3", end="success"),
)


@pytest.mark.parametrize(
    ("starts", "said", "knows", "broken"),
    [
        ([SUCCESS], "success", [1], set()),
        ([DEAD], "failed", [2], set()),
        ([], "failed", [], {GIVEN_UP}),
        ([SUCCESS], "failed", [1], {WRONG}),
        ([DEAD], "success", [2], {WRONG}),
        ([], "success", [7], {WRONG}),
        ([SUCCESS], "success", [7], {WRONG, LOST}),
        ([SUCCESS], "failed", [], {WRONG, LOST}),
        ([DEAD], "failed", [], {LOST}),
        ([SUCCESS], "", [1], {LOST}),
        ([SUCCESS, OTHER], "success", [1, 3], {DUPLICATED}),
        ([SUCCESS, OTHER], "success", [3], {DUPLICATED, LOST}),
        ([DEAD, SUCCESS], "success", [2, 1], {DUPLICATED}),
        ([DEAD, DEAD], "failed", [2], {DUPLICATED}),
    ],
)
def test_a_client_is_held_to_the_ledger(starts: list[Start], said: str, knows: list[int], broken: set[str]) -> None:
    assert judge(starts, Word(said=said, knows=knows)) == broken


@pytest.mark.parametrize(
    ("starts", "knows", "broken"),
    [
        ([DEAD, SUCCESS], [2, 1], set()),
        ([DEAD, SUCCESS], [1], {DUPLICATED, LOST}),
        ([SUCCESS, OTHER], [1, 3], {DUPLICATED}),
    ],
)
def test_a_wanted_retry_of_a_failed_job_is_no_duplicate(
    starts: list[Start], knows: list[int], broken: set[str]
) -> None:
    assert judge(starts, Word(said="success", knows=knows, retries=True)) == broken


def test_the_ledger_of_a_sandbox_is_the_oracle(yarn_door: Door) -> None:
    """A lost answer and a second POST without a name are two batches; a job without a word is lost."""
    sb: Sandbox = yarn_door.sandbox
    sb.add_fault(Fault("POST /batches", "status", code=502, when="after", nth=1))
    assert yarn_door.post(args=["--table a"]).status_code == 502
    again = yarn_door.post(args=["--table a"]).json()["id"]
    other = yarn_door.post(args=["--table b", "--fail 1"]).json()["id"]
    yarn_door.until(again, "success")
    yarn_door.until(other, "dead")
    ledger = [
        {"kind": record.kind, "seq": record.seq, "batch_id": record.batch_id, "args": getattr(record, "args", ()),
         "app_id": getattr(record, "app_id", None), "state": getattr(record, "state", "")}
        for record in sb.ledger.records
    ]  # fmt: skip
    starts = starts_by_job(ledger)
    assert {job: [start.end for start in found] for job, found in starts.items()} == {
        "--table a": ["success", "success"],
        "--table b --fail 1": ["dead"],
    }
    words = {"--table a": Word(said="success", knows=[again])}
    assert count(starts, words) == {WRONG: 0, DUPLICATED: 1, LOST: 2, GIVEN_UP: 0}
