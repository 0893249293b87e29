"""Batches seen before a try that prove, when they are still there, that Livy has not forgotten since (S3).

A name and a number are not enough: a job that others always start under one name gets the same number again after a
restart. So a witness has an application id, or a name of this portal's own, which nobody gives twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.utils.dateparse import parse_datetime

from recovery.domain import logtail
from recovery.gateway.errors import NotFound
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import Batch
from recovery.models import Gateway, Recovery
from recovery.services.clock import Clock

KEPT = 6
STALE = timedelta(seconds=20)


def refresh(gateway: Gateway, client: KnoxLivyClient, *, clock: Clock) -> None:
    """Look at the newest batches of the list and keep a few as witnesses. Raises NotSent."""
    newest = max((parse_datetime(w["seen"]) or clock() for w in gateway.witnesses), default=None)
    if newest is not None and clock() - newest < STALE:
        return
    page = client.list(size=50)
    if page.total > 50:
        page = client.list(start=page.total - 50, size=50)
    remember(gateway, page.batches, now=clock())


def remember(gateway: Gateway, batches: Iterable[Batch], *, now: datetime) -> None:
    """Keep a few named ones that really run or ran, with the time since when they are known."""
    seen = now.isoformat()
    known = {(w["name"], w["id"], w["app"]): w for w in gateway.witnesses}
    for batch in batches:
        if batch.name and not batch.phantom_shape:
            key = (batch.name, batch.id, batch.app_id)
            since = known.get(key, {}).get("since", seen)
            known[key] = {"name": batch.name, "id": batch.id, "app": batch.app_id, "since": since, "seen": seen}
    # those seen last come first, and among them those known for longest
    by_age = sorted(known.values(), key=lambda w: w["since"])
    kept = sorted(by_age, key=lambda w: w["seen"], reverse=True)[:KEPT]
    if kept != gateway.witnesses:
        gateway.witnesses = kept
        Gateway.objects.filter(pk=gateway.pk).update(witnesses=kept)


def worth_knowing(gateway: Gateway, batches: Sequence[Batch]) -> list[Batch]:
    """Of a page of the list: the witnesses that are kept, and the newest few."""
    kept = {witness["name"] for witness in gateway.witnesses}
    return [batch for batch in batches[:-KEPT] if batch.name in kept] + list(batches[-KEPT:])


def memory_spans(gateway: Gateway, client: KnoxLivyClient, *, since: datetime, but: str) -> bool:
    """S3 (a): this Livy has kept every batch since `since`. Raises NotSent.

    It keeps them over a restart where its recovery mode is on; from 0.8 on it drops the dead and killed ones then
    (livy-knox-contract.md §3.4), so there only a witness counts that shows the same process.
    """
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
        shown = not needs_log or any(line.strip() for line in logtail.sections(batch.log)[0])
        if same and shown and batch.id == witness["id"]:
            return True
    return False
