"""What proves that Livy was started anew, and the one event that tells it.

A batch that is gone proves nothing by itself: Livy forgets ended batches, and people delete them. Numbers prove it: a
Livy that keeps no batches over a restart counts from 0 again, one that keeps them counts on, and no number is given
twice (livy-knox-contract.md §3.4). So does the word `recovering`. Otherwise all that ran a moment ago must be gone at
once, two batches at least, or one after a time in which Livy gave no answer. Where several Livys stand behind the
gateway nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from recovery.domain import logtail
from recovery.gateway.wire import Batch
from recovery.models import Gateway, Recovery, SubjectType
from recovery.services import events
from recovery.services.clock import seconds

Witness = Mapping[str, Any]
"""`name`, `id`, `app`, `state`, `lines` (its log had some); `since` and `seen`: first and last reading; `alive`: last
reading without an end."""

RECOVERING: Final = "recovering"


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Which witness was looked for, and what was found."""

    cause: str
    looked_for: str | int
    found: str | int


def in_readings(witnesses: Sequence[Witness], batches: Iterable[Batch]) -> Evidence | None:
    """A batch under the number of another one, or one that Livy has taken up again."""
    by_number = {witness["id"]: witness for witness in reversed(witnesses)}  # the newest reading comes first
    for batch in batches:
        known = by_number.get(batch.id)
        if known is None:
            continue
        other_app = bool(known["app"] and batch.app_id and known["app"] != batch.app_id)
        if known["name"] != batch.name or other_app:
            return Evidence(cause="id_reused", looked_for=_shown(known), found=_shown_batch(batch))
        if batch.state == RECOVERING and known.get("state", RECOVERING) != RECOVERING:
            return Evidence(cause="recovering", looked_for=_shown(known), found=_shown_batch(batch))
        if known.get("lines") and logtail.STDOUT in batch.log and not has_lines(batch):
            return Evidence(cause="log_lost", looked_for=_shown(known), found=_shown_batch(batch))
    return None


def has_lines(batch: Batch) -> bool:
    """Its log, as far as the batch object shows it, has lines of the job."""
    return any(line.strip() for line in logtail.sections(batch.log)[0])


def in_new_number(witnesses: Sequence[Witness], batch: Batch, *, began: datetime) -> Evidence | None:
    """Livy has given this batch, which was sent after `began`, a number that is not above one given before."""
    before = [witness for witness in witnesses if _time(witness, "seen") <= began and witness["name"] != batch.name]
    highest = max(before, key=lambda witness: witness["id"], default=None)
    if highest is None or batch.id > highest["id"]:
        return None
    return Evidence(cause="ids_began_again", looked_for=highest["id"], found=batch.id)


def must_be_there(gateway: Gateway, *, now: datetime) -> list[Witness]:
    """Witnesses that Livy cannot have forgotten by itself, and that this portal has not deleted."""
    kept = seconds(gateway.retention_seconds)
    alive = [w for w in gateway.witnesses if w.get("alive") and _time(w, "alive") + kept > now]
    due = list({(w["name"], w["id"]): w for w in alive}.values())  # before and after its application was known
    rows = {r.batch_name: r for r in Recovery.objects.filter(batch_name__in=[w["name"] for w in due])}
    return [w for w in due if w["name"] not in rows or _untouched(rows[w["name"]], w)]


def _untouched(row: Recovery, witness: Witness) -> bool:
    return row.delete_sent_at is None and row.livy_id == witness["id"]


def all_gone(gateway: Gateway, gone: Sequence[Witness], *, total: int) -> Evidence | None:
    """`gone` are all that had to be there; `total` is how many batches Livy holds now."""
    lately = max(_time(witness, "seen") for witness in gone)
    was_away = gateway.away_at is not None and gateway.away_at >= lately
    if len(gone) < 2 and not was_away:
        return None
    return Evidence(cause="batches_gone", looked_for=", ".join(_shown(witness) for witness in gone), found=total)


def record(gateway: Gateway, evidence: Evidence, *, now: datetime) -> None:
    """One event for one restart: the old witnesses go with it, so nothing of the old Livy is proof once more.

    The caller has locked the row, and has read the witnesses since.
    """
    Gateway.objects.filter(pk=gateway.pk).update(livy_restarted_at=now, witnesses=[])
    gateway.livy_restarted_at, gateway.witnesses = now, []
    events.append(
        SubjectType.GATEWAY, gateway.pk, "livy_restarted", cause=evidence.cause,
        looked_for=evidence.looked_for, found=evidence.found,
    )  # fmt: skip


def _time(witness: Witness, name: str) -> datetime:
    return datetime.fromisoformat(witness[name])


def _shown(witness: Witness) -> str:
    return _words(witness["name"], witness["id"], witness["app"])


def _shown_batch(batch: Batch) -> str:
    return _words(batch.name, batch.id, batch.app_id)


def _words(name: str | None, number: int, app: str | None) -> str:
    return f"{number}: {(name or '–')[:100]}" + (f" ({app})" if app else "")
