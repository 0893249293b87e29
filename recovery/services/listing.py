"""Livy's list of batches, page by page, where that is cheaper than single reads (F1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from time import monotonic

import structlog
from django.conf import settings
from django.db.models import Q

from recovery.domain.pacing import Pacing
from recovery.gateway.errors import NotSent
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.wire import BatchPage, PassOver
from recovery.models import Gateway, Recovery
from recovery.services import gateways
from recovery.services.clock import seconds

log = structlog.get_logger(__name__)

LIST_FROM = 5
"""From this many batches on, a page is cheaper than single reads: it costs about four (real-behaviour.md §l)."""
FIRST, LEAST, MOST = 250, 10, 1000
"""Batches in a page. Livy sets no bound; a thousand are about a megabyte, and gzip makes a tenth of it."""
QUICK = 1.0
"""Seconds: a page that came faster makes the next one larger."""
SPOILT = 3
"""So many of the smallest pages in a row that cannot be read, and the list is left for now."""


def is_cheaper(*, due: int, followed: int, listed: bool) -> bool:
    """Pages instead of single reads. `listed`: the list's own time has come."""
    pages = -(-followed // MOST)
    return followed >= LIST_FROM and (listed or due >= LIST_FROM * pages)


def is_due(gateway: Gateway, now: datetime) -> bool:
    """The list's own time has come."""
    return gateway.next_list_at is not None and gateway.next_list_at <= now


def is_near(gateway: Gateway, now: datetime) -> bool:
    """The list is read within the pace of a young batch."""
    at = gateway.next_list_at
    return at is not None and now < at <= now + seconds(settings.RECOVERY_PACING.poll_young)


def due(now: datetime) -> list[int]:
    """The gateways whose list is due."""
    return list(Gateway.objects.filter(next_list_at__lte=now).values_list("pk", flat=True))


def pages(client: KnoxLivyClient, pass_over: PassOver) -> Iterator[BatchPage]:
    """The whole list, as far as it can be read. The size of a page follows the answers: it grows while they come
    quickly and shrinks when one fails, since one foreign batch with a huge line of log can spoil a page; the smallest
    page around it is left out. Raises NotSent when the gateway does not answer as Livy.
    """
    start, size, spoilt = 0, FIRST, 0
    until = monotonic() + settings.RECOVERY_PACING.get_deadline
    while monotonic() < until:
        begun = monotonic()
        try:
            page = client.list(start=start, size=size, pass_over=pass_over)
        except NotSent as error:
            log.warning("list_unreadable", start=start, size=size, words=error.words[:200])
            gateways.stop_unless_alive(client, error)
            if size > LEAST:
                size = max(size // 5, LEAST)
                continue
            spoilt += 1
            if spoilt == SPOILT:
                return
            start += LEAST
            continue
        spoilt = 0
        yield page
        start += page.length
        if not page.length or start >= page.total:
            return
        size = min(size * 4, MOST) if monotonic() - begun < QUICK else size


def plan_next(gateway: Gateway, *, followed: int, now: datetime) -> None:
    """When the list is read next: at the pace of the youngest batch. With only a few left their own times count."""
    pacing: Pacing = settings.RECOVERY_PACING
    rows = Recovery.objects.filter(gateway=gateway).followed()
    after: datetime | None = None
    if followed >= LIST_FROM:
        young = rows.filter(Q(submitted_at__gt=now - seconds(pacing.young_for)) | ~Q(terminal_word="")).exists()
        after = now + seconds(pacing.on_tick(pacing.poll_young if young else pacing.poll_old))
    else:
        rows.filter(next_action_at__gt=now + seconds(pacing.poll_young)).update(
            next_action_at=now + seconds(pacing.poll_young)
        )
    Gateway.objects.filter(pk=gateway.pk).update(next_list_at=after)
