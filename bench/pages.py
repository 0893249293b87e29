"""The admin's pages with a million recoveries, beside Django's own ModelAdmin with the same columns in one process.

Both are asked in turns through Django's test client, in the same theme, by the same person: what is measured is the
query and the page, without a web server or a browser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from bench.portal import Portals
from bench.results import AT_MOST, RATIO_AT_MOST, Row, Series, Target
from bench.sandboxes import MODE, sandbox

FORMS: Final = ("csv", "xlsx", "json")
PLAIN: Final = "ModelAdmin with the same columns"
LIST_QUERIES: Final = 12
WORDS: Final[Mapping[str, str]] = {
    "first": "first page of the list",
    "deep": "the page in its middle",
    "filtered": "first page of those that failed (4 %)",
    "search": "search for a word that three have",
    "detail": "a recovery's page",
}


def measured(portals: Portals, folder: Path, *, rows: int, rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """What `bench/inside_pages.py` found."""
    with sandbox(folder, *MODE) as server, portals.fresh(server) as portal:
        portal.manage("sync_env")
        portal.manage("collectstatic", "--no-input", "--verbosity", "0")
        say(f"pages: {portal.inside('many', rows=rows):,} rows")
        found: dict[str, Any] = portal.inside("pages", rounds=rounds)
        say("pages: measured")
        for form in FORMS:
            found[form] = [portal.inside("export", form=form, rows=count) for count in (rows // 100, rows // 10)]
            say(f"pages: {form} {found[form][1]}")
    return found


def rows(found: Mapping[str, Any], *, engine: str) -> list[Row]:
    """Times of the list as ratios; numbers of queries as they are."""
    where = f"{found['rows']:,} rows, {engine}"
    lines = []
    for name, words in WORDS.items():
        judged = name in ("first", "deep", "filtered")
        lines.append(
            Row(
                key=f"page-{name}-{engine}",
                what=f"{words}, {where}",
                unit="s",
                ours=Series(name="portal", rounds=tuple(found[name]["ours"])),
                peer=Series(name=PLAIN, rounds=tuple(found[name]["plain"])),
                target=Target(kind=RATIO_AT_MOST, value=0.5) if judged else None,
            )
        )
    for name, words in WORDS.items():
        lines.append(
            Row(
                key=f"database-{name}-{engine}",
                what=f"of it in the database: {words}, {where}",
                unit="s",
                ours=Series(name="portal", rounds=tuple(found[name]["ours_database"])),
                peer=Series(name=PLAIN, rounds=tuple(found[name]["plain_database"])),
            )
        )
    listed = [max(found[name]["queries"][0] for name in ("first", "deep", "filtered", "search"))]
    for key, words, counted, most in (
        ("list", "the list, the most of the pages above", listed, LIST_QUERIES),
        ("home", "the home page", found["home"]["queries"], 15),
        ("live", f"its refresh when nothing changed (answer {found['live']['status']})", found["live"]["queries"], 4),
        ("filing", "filing to stored, more than a bare insert", found["filing"]["queries"], 5),
    ):
        lines.append(
            Row(
                key=f"queries-{key}-{engine}",
                what=f"queries: {words}, {engine}",
                unit="queries",
                ours=Series(name="portal", rounds=tuple(map(float, counted))),
                target=Target(kind=AT_MOST, value=most),
            )
        )
    for form in FORMS:
        few, many = found[form]
        lines.append(
            Row(
                key=f"export-{form}-{engine}",
                what=f"memory at its highest while {found['rows'] // 10:,} rows are exported ({form}), {engine}",
                unit="MB",
                ours=Series(name="portal", rounds=(many["megabytes"],)),
                peer=Series(name=f"the same with {found['rows'] // 100:,} rows", rounds=(few["megabytes"],)),
                target=Target(kind=RATIO_AT_MOST, value=1.1),
            )
        )
    changed = Series(name="portal", rounds=tuple(map(float, found["live"]["changed"])))
    lines.append(
        Row(key=f"queries-live-changed-{engine}", what=f"queries: its refresh when something has, {engine}",
            unit="queries", ours=changed)
    )  # fmt: skip
    home = Series(name="portal", rounds=tuple(found["home"]["ours"]))
    lines.append(Row(key=f"page-home-{engine}", what=f"the home page, {where}", unit="s", ours=home))
    return lines
