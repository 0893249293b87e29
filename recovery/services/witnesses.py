"""Batches seen before a try: still there under the same name and id, they prove that Livy has not forgotten (S3)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.dateparse import parse_datetime

from recovery.gateway.errors import NotFound
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import Batch
from recovery.models import Gateway

KEPT = 6
STALE = timedelta(seconds=20)


def refresh(gateway: Gateway, client: KnoxLivyClient, *, now: datetime) -> None:
    """Look at the newest batches of the list and keep a few as witnesses. Raises NotSent."""
    newest = max((parse_datetime(w["seen"]) or now for w in gateway.witnesses), default=None)
    if newest is not None and now - newest < STALE:
        return
    page = client.list(size=50)
    if page.total > 50:
        page = client.list(start=page.total - 50, size=50)
    remember(gateway, page.batches, now=now)


def remember(gateway: Gateway, batches: tuple[Batch, ...] | list[Batch], *, now: datetime) -> None:
    """Keep a few named ones that really run or ran, with the time since when they are known."""
    seen = now.isoformat()
    known = {(w["name"], w["id"]): w for w in gateway.witnesses}
    for batch in batches:
        if batch.name and not batch.phantom_shape:
            since = known.get((batch.name, batch.id), {}).get("since", seen)
            known[batch.name, batch.id] = {"name": batch.name, "id": batch.id, "since": since, "seen": seen}
    # those seen last come first, and among them those known for longest
    by_age = sorted(known.values(), key=lambda w: w["since"])
    kept = sorted(by_age, key=lambda w: w["seen"], reverse=True)[:KEPT]
    if kept != gateway.witnesses:
        gateway.witnesses = kept
        Gateway.objects.filter(pk=gateway.pk).update(witnesses=kept)


def still_there(gateway: Gateway, client: KnoxLivyClient, *, before: datetime, but: str) -> bool:
    """True when a batch that was seen before `before` is there with the same name and id. Raises NotSent.

    `but` is the name in doubt, which cannot speak for itself.
    """
    for witness in gateway.witnesses:
        since = parse_datetime(witness["since"])
        if since is None or since >= before or witness["name"] == but:
            continue
        try:
            if client.get(witness["name"]).id == witness["id"]:
                return True
        except NotFound:
            continue
    return False
