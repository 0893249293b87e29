"""The table of docs/benchmarks.md, made from bench/results/*.json and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from bench.results import AT_MOST, RATIO_AT_MOST, Result, Row, read

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "benchmarks.md"
RESULTS: Final = ROOT / "bench" / "results"
BEGIN: Final = "<!-- bench:begin (written by `make bench`) -->"
END: Final = "<!-- bench:end -->"
ORDER: Final = (
    "following-1000", "following-10000", "following-default", "submitting", "memory", "resume", "honesty",
    "pages-postgresql", "pages-sqlite",
)  # fmt: skip


def load(folder: Path) -> list[Result]:
    """Every result of a folder, in the order of the page. Raises ValueError for one that cannot be trusted."""
    paths = {path.stem: path for path in folder.glob("*.json")}
    known = [name for name in ORDER if name in paths]
    return [read(paths[name]) for name in [*known, *sorted(paths.keys() - set(known))]]


def number(value: float) -> str:
    """Three digits that count."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def tables(results: Sequence[Result]) -> str:
    """The part between the markers: targets, the other numbers, and what they were measured on."""
    if not results:
        return "No results yet: `make bench` writes them."
    judged = [row for result in results for row in result.rows if row.target is not None]
    told = [row for result in results for row in result.rows if row.target is None]
    lines = _table(judged, judged_too=True)
    notes = [f"- {row.what}: {row.note}" for row in [*judged, *told] if row.note]
    if told:
        lines += ["", "Measured beside, without a target:", "", *_table(told, judged_too=False)]
    if notes:
        lines += ["", *notes]
    return "\n".join([*lines, "", *_facts(results)])


def _table(rows: Iterable[Row], *, judged_too: bool) -> list[str]:
    head = ["what", "unit", "portal", "beside it", "ratio", *(("to reach", "reached") if judged_too else ())]
    lines = [head, ["---"] * len(head)]
    lines += [_cells(row, judged_too=judged_too) for row in rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _cells(row: Row, *, judged_too: bool) -> list[str]:
    beside = "" if row.peer is None else f"{number(row.peer.median)} ({row.peer.name})"
    ratio = row.ratio
    cells = [row.what, row.unit, number(row.ours.median), beside, "" if ratio is None else _times(ratio)]
    if judged_too:
        cells += [_target(row), "yes" if row.met else "**no**"]
    return cells


def _times(ratio: float) -> str:
    """`1/350` reads better than 0.00286."""
    return f"1/{number(1 / ratio)}" if 0 < ratio < 0.5 else number(ratio)


def _target(row: Row) -> str:
    if row.target is None:
        return ""
    if row.target.kind == AT_MOST:
        return f"≤ {number(row.target.value)}"
    sign = "≤" if row.target.kind == RATIO_AT_MOST else "≥"
    return f"{sign} {_times(row.target.value)}"


def _facts(results: Sequence[Result]) -> Iterable[str]:
    """Machine and versions; the same for all results of one run, else told for each."""
    groups: dict[str, list[str]] = {}
    for result in results:
        machine = ", ".join(f"{name} {value}" for name, value in result.machine.items())
        versions = ", ".join(f"{name} {value}" for name, value in sorted(result.versions.items()))
        rounds = max(len(row.ours.rounds) for row in result.rows)
        groups.setdefault(f"{machine}. {versions}.", []).append(
            f"{result.bench} ({rounds} round{'s' if rounds > 1 else ''}, {result.at[:10]})"
        )
    yield from (f"Measured on: {facts} For: {', '.join(benches)}." for facts, benches in groups.items())


def page(text: str, results: Sequence[Result]) -> str:
    """The page with the part between its markers replaced. ValueError without markers."""
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{tables(results)}\n\n{END}{after}"


def write_page(*, check: bool = False) -> bool:
    """Write docs/benchmarks.md again, or only tell whether it is what the results say."""
    old = PAGE.read_text(encoding="utf-8")
    new = page(old, load(RESULTS))
    if not check:
        PAGE.write_text(new, encoding="utf-8")
    return new == old
