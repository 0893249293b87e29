"""What a client said about a job, held against the ledger of what really ran."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

WRONG, DUPLICATED, LOST = "wrongly ended", "duplicated", "lost"
GIVEN_UP: Final = "given up"
"""No promise broken, and no job run: the client said failed, and no batch ever started."""
FAULTS: Final = (WRONG, DUPLICATED, LOST)


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """One batch that really started; `end` is success, dead or killed."""

    batch_id: int
    app_id: str | None
    end: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A client's last word on a job: `success`, `failed`, or neither; and the batches that it knows of, by id.

    `retries`: it starts a failed job anew, because it was told to.
    """

    said: str
    knows: Collection[int]
    retries: bool = False


def judge(starts: Sequence[Start], word: Word) -> set[str]:
    """Which promises were broken.

    Wrongly ended: said success and no batch that it knows of succeeded, or said failed and one succeeded. Lost: a
    batch ran that the client knows nothing of, or it came to no word at all. Duplicated: more than one batch, where
    the ones before were not failures that the client knew of and was told to try again.
    """
    broken: set[str] = set()
    retried = word.retries and all(start.end == "dead" and start.batch_id in word.knows for start in starts[:-1])
    if len(starts) > 1 and not retried:
        broken.add(DUPLICATED)
    succeeded = [start for start in starts if start.end == "success"]
    if word.said == "success" and not any(start.batch_id in word.knows for start in succeeded):
        broken.add(WRONG)
    if word.said == "failed" and succeeded:
        broken.add(WRONG)
    if word.said == "failed" and not starts:
        broken.add(GIVEN_UP)
    if word.said not in ("success", "failed") or any(start.batch_id not in word.knows for start in starts):
        broken.add(LOST)
    return broken


def starts_by_job(ledger: Iterable[Mapping[str, Any]]) -> dict[str, list[Start]]:
    """The starts of each job; a job is told by its arguments, because a name is up to the client."""
    records = list(ledger)
    ends = {record["seq"]: record["state"] for record in records if record["kind"] != "started"}
    found: dict[str, list[Start]] = {}
    for record in records:
        if record["kind"] == "started":
            start = Start(batch_id=record["batch_id"], app_id=record["app_id"], end=ends.get(record["seq"], "alive"))
            found.setdefault(" ".join(record["args"]), []).append(start)
    return found


def count(starts: Mapping[str, Sequence[Start]], words: Mapping[str, Word]) -> dict[str, int]:
    """How many jobs broke each promise. A job with no word was lost."""
    silent = Word(said="", knows=())
    broken = [judge(starts.get(job, ()), words.get(job, silent)) for job in sorted(starts.keys() | words.keys())]
    return {fault: sum(fault in one for one in broken) for fault in (*FAULTS, GIVEN_UP)}
