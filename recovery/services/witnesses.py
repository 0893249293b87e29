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
    """Keep the newest named ones that really run or ran; a phantom would do, but proves less."""
    named = sorted((b for b in batches if b.name and not b.phantom_shape), key=lambda b: b.id)[-KEPT:]
    seen = now.isoformat()
    fresh = [{"name": b.name, "id": b.id, "seen": seen} for b in named]
    kept = fresh or gateway.witnesses
    if kept != gateway.witnesses:
        gateway.witnesses = kept
        Gateway.objects.filter(pk=gateway.pk).update(witnesses=kept)


def still_there(gateway: Gateway, client: KnoxLivyClient, *, before: datetime, but: str) -> bool:
    """True when a batch that was seen before `before` is there with the same name and id. Raises NotSent.

    `but` is the name in doubt, which cannot speak for itself.
    """
    for witness in gateway.witnesses:
        seen = parse_datetime(witness["seen"])
        if seen is None or seen >= before or witness["name"] == but:
            continue
        try:
            if client.get(witness["name"]).id == witness["id"]:
                return True
        except NotFound:
            continue
    return False
