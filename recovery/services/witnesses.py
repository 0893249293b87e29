"""Batches seen before a try that prove, when they are still there, that Livy has not forgotten since (S3).

A name and a number are not enough: a job that others always start under one name gets the same number again after a
restart. So a witness has an application id, or a name of this portal's own, which nobody gives twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.dateparse import parse_datetime

from recovery.domain import verdicts
from recovery.gateway.errors import NotFound
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import Batch, BatchPage
from recovery.models import Gateway, Recovery
from recovery.services import restarts
from recovery.services.clock import Clock, seconds

KEPT = 6
STALE = timedelta(seconds=20)
RETENTION_MARGIN = 60.0
"""Seconds before the end of Livy's memory at which it is no longer trusted to span anything."""


def refresh(gateway: Gateway, client: KnoxLivyClient, *, clock: Clock) -> None:
    """Look at the newest batches of the list and keep a few as witnesses. Raises NotSent."""
    newest = max((parse_datetime(w["seen"]) or clock() for w in gateway.witnesses), default=None)
    if newest is not None and clock() - newest < STALE:
        return
    remember(gateway, _newest(client).batches, now=clock())


def _newest(client: KnoxLivyClient) -> BatchPage:
    page = client.list(size=50)
    return client.list(start=page.total - 50, size=50) if page.total > 50 else page


def remember(gateway: Gateway, batches: Iterable[Batch], *, now: datetime) -> None:
    """Keep a few named ones that really run or ran, with the time since when they are known; and see from them
    whether Livy was restarted. `gateway` was loaded before the reading."""
    batches = list(batches)
    with _current(gateway) as kept:
        if kept is None:
            return
        if gateway.single_livy and (evidence := restarts.in_readings(kept, batches)):
            restarts.record(gateway, evidence, now=now)
            kept = []
        _keep(gateway, kept, batches, now)


def started(gateway: Gateway, batch: Batch, *, began: datetime, now: datetime) -> None:
    """Livy has given a new batch of ours its number; the try began at `began`."""
    if restarts.in_new_number(gateway.witnesses, batch, began=began) is None:
        return  # as far as this worker knows; the row is locked only where there is something to tell
    with _current(gateway) as kept:
        if kept and gateway.single_livy and (evidence := restarts.in_new_number(kept, batch, began=began)):
            restarts.record(gateway, evidence, now=now)


def look_for_gone(gateway: Gateway, client: KnoxLivyClient, *, clock: Clock) -> None:
    """A batch that we follow is gone: are all the others that ran gone too? Raises NotSent."""
    if not gateway.single_livy or gateway.livy_recovery:
        return
    began, restarted = clock(), gateway.livy_restarted_at
    due = restarts.must_be_there(gateway, now=began)
    highest = max((w["id"] for w in gateway.witnesses), default=0)
    page = _newest(client)
    remember(gateway, page.batches, now=clock())
    if not due or gateway.livy_restarted_at != restarted or any(b.id > highest for b in page.batches):
        return  # nothing to look for; told already; or Livy has gone on counting
    if any(_is_there(client, witness) for witness in due):
        return
    with _current(gateway) as kept:
        if kept is None:
            return
        gone = restarts.must_be_there(gateway, now=clock())
        looked_for = {(w["name"], w["id"]) for w in due}
        unread = all(w["seen"] <= began.isoformat() and (w["name"], w["id"]) in looked_for for w in gone)
        if gone and unread and (evidence := restarts.all_gone(gateway, gone, total=page.total)):
            restarts.record(gateway, evidence, now=clock())


def _is_there(client: KnoxLivyClient, witness: restarts.Witness) -> bool:
    try:
        return bool(client.get(witness["name"]).id == witness["id"])
    except NotFound:
        return False


@contextmanager
def _current(gateway: Gateway) -> Iterator[list[dict[str, Any]] | None]:
    """The witnesses as they are in the database now, which nobody else changes meanwhile; no call to Livy inside.

    None when a restart was told since `gateway` was loaded: what was read meanwhile may be of the Livy that is gone.
    """
    with transaction.atomic():
        row = Gateway.objects.select_for_update().only("witnesses", "livy_restarted_at", "away_at").get(pk=gateway.pk)
        told = row.livy_restarted_at != gateway.livy_restarted_at
        gateway.witnesses, gateway.livy_restarted_at = row.witnesses, row.livy_restarted_at
        gateway.away_at = row.away_at
        yield None if told else list(row.witnesses)


def _keep(gateway: Gateway, known_ones: list[dict[str, Any]], batches: Iterable[Batch], now: datetime) -> None:
    seen = now.isoformat()
    known = {(w["name"], w["id"], w["app"]): w for w in known_ones}
    for batch in batches:
        if batch.name and not batch.phantom_shape:
            key = (batch.name, batch.id, batch.app_id)
            before = known.get(key, {})
            alive = before.get("alive") if verdicts.is_terminal(batch.state) else seen
            known[key] = {
                "name": batch.name, "id": batch.id, "app": batch.app_id, "state": batch.state[:40],
                "lines": bool(before.get("lines")) or restarts.has_lines(batch),
                "since": before.get("since", seen), "seen": seen, "alive": alive,
            }  # fmt: skip
    # those seen last come first, and among them those known for longest
    by_age = sorted(known.values(), key=lambda w: w["since"])
    kept = sorted(by_age, key=lambda w: w["seen"], reverse=True)[:KEPT]
    if kept != gateway.witnesses:
        gateway.witnesses = kept
        Gateway.objects.filter(pk=gateway.pk).update(witnesses=kept)


def worth_knowing(gateway: Gateway, batches: Sequence[Batch]) -> list[Batch]:
    """Of a page of the list: the witnesses that are kept, what stands under their numbers, and the newest few."""
    names, numbers = ({witness[key] for witness in gateway.witnesses} for key in ("name", "id"))
    kept = [batch for batch in batches[:-KEPT] if batch.name in names or batch.id in numbers]
    return kept + list(batches[-KEPT:])


def memory_spans(gateway: Gateway, client: KnoxLivyClient, *, since: datetime, but: str, now: datetime) -> bool:
    """S3 (a), S4: the one Livy there is has kept every batch since `since`, and had no time to collect an ended one.
    Raises NotSent.

    It keeps them over a restart where its recovery mode is on; from 0.8 on it drops the dead and killed ones then
    (livy-knox-contract.md §3.4), so there only a witness counts that shows the same process.
    """
    if not gateway.single_livy or now - since > seconds(max(gateway.retention_seconds - RETENTION_MARGIN, 0)):
        return False
    if gateway.livy_recovery and not drops_the_dead(gateway.livy_version):
        return True
    return still_there(gateway, client, before=since, but=but)


def drops_the_dead(version: str) -> bool:
    """True for Livy 0.8 and later, and where the version is unclear."""
    match = re.match(r"(\d+)\.(\d+)", version)
    return match is None or (int(match[1]), int(match[2])) >= (0, 8)


def still_there(gateway: Gateway, client: KnoxLivyClient, *, before: datetime, but: str) -> bool:
    """True when a batch that was seen before `before` is there, and is the same. Raises NotSent.

    `but` is the name in doubt, which cannot speak for itself.
    """
    needs_log = drops_the_dead(gateway.livy_version)
    for witness in gateway.witnesses:
        since = parse_datetime(witness["since"])
        if since is None or since >= before or witness["name"] == but:
            continue
        try:
            batch = client.get(witness["name"])
        except NotFound:
            continue
        if witness["app"] is not None:
            same = batch.app_id == witness["app"]
        else:
            same = Recovery.objects.filter(batch_name=witness["name"]).exists()
        # a restarted Livy that has recovered its batches has lost their logs
        shown = not needs_log or restarts.has_lines(batch)
        if same and shown and batch.id == witness["id"]:
            return True
    return False
