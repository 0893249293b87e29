"""Memory of the process that follows, and what one more batch adds to it; from the rounds of `bench/following.py`."""

from __future__ import annotations

from collections.abc import Sequence

from bench.following import Sample
from bench.results import AT_MOST, Row, Series, Target

Rounds = Sequence[tuple[Sample, Sample]]


def rows(few: Rounds, many: Rounds, *, fewer: int, more: int) -> list[Row]:
    """Two sizes of the same bench: the portal's growth is between them; a trigger's since its process began."""
    pairs = list(zip(few, many, strict=True))
    per_batch = [max(0.0, (large[0].largest - small[0].largest) / (more - fewer)) for small, large in pairs]
    triggers = [theirs.grown for _mine, theirs in many]
    return [
        Row(
            key="memory_per_batch",
            what="memory per followed batch",
            unit="bytes",
            ours=Series(name="portal", rounds=tuple(round(value, 1) for value in per_batch)),
            peer=Series(name="Airflow trigger", rounds=tuple(round(value, 1) for value in triggers)),
            target=Target(kind=AT_MOST, value=2_000),
            note=f"largest worker process at {more:,} batches less the same at {fewer:,}, by batch; of a trigger: "
            "what its process grew by since its imports were done",
        ),
        Row(
            key="memory_process",
            what=f"largest process, {more:,} running",
            unit="MB",
            ours=Series(name="portal", rounds=tuple(round(mine.largest / 1e6, 1) for mine, _theirs in many)),
            peer=Series(
                name="Airflow triggers in one process",
                rounds=tuple(round(theirs.largest / 1e6, 1) for _mine, theirs in many),
            ),
            target=Target(kind=AT_MOST, value=130),
        ),
        Row(
            key="memory_worker",
            what=f"all processes of the worker, {more:,} running (shared pages once)",
            unit="MB",
            ours=Series(
                name="portal",
                rounds=tuple(round(mine.details["worker_proportional"] / 1e6, 1) for mine, _theirs in many),
            ),
        ),
    ]
