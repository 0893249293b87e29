"""Reading the logs that are due, apart from following: the last log of what has ended first, since Livy forgets it
after ten minutes, and then a few of what runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db.models import Q

from recovery.domain.states import FOLLOWED, TERMINAL
from recovery.gateway.errors import NotSent
from recovery.gateway.livy import KnoxLivyClient
from recovery.models import Gateway, Recovery
from recovery.services import gateways, leases, logs
from recovery.services.clock import Clock, database_now, seconds
from recovery.services.gateways import ClientFactory, open_client
from recovery.services.logs import Read

OF_RUNNING = 2
"""Logs of running batches that are read in one go: with the sweep's tick, a budget of 24 a minute."""
OF_WATCHED = 1
"""Of these, logs that somebody looks at: they come first, and leave room for the others."""
AT_ONCE = 100
_AHEAD = timedelta(hours=1)
"""A log that somebody looks at is due since this long: it stands before every other one."""
_OVER = Q(state__in=TERMINAL) | ~Q(terminal_word="")
_RUNNING = Q(state__in=FOLLOWED, terminal_word="")


def due(now: datetime) -> list[int]:
    """The gateways on which a log is due."""
    rows = Recovery.objects.filter(log_due_at__lte=now).order_by()
    return list(rows.values_list("gateway_id", flat=True).distinct())


def read_due(*, gateway_id: int, clock: Clock = database_now, client_for: ClientFactory = open_client) -> int:
    """Read what is due on one gateway, one log at a time; how many were read. One reader per gateway, by a lease."""
    name, lasting, done = f"logs:{gateway_id}", settings.RECOVERY_PACING.follow_lease, 0
    with leases.held(name, lasting=lasting, clock=clock) as holder:
        gateway = Gateway.objects.get(pk=gateway_id)
        if holder is None or gateways.is_resting(gateway, clock()):
            return 0
        renew = leases.Renewal(name, holder, lasting=lasting, clock=clock)
        until = monotonic() + lasting / 2
        try:
            with client_for(gateway) as client:
                for due_rows in (_due_ended, _due_running):
                    for row in due_rows(gateway, clock()):
                        if monotonic() > until or not renew():
                            break
                        done += _read(row, client, clock)
        except NotSent as error:
            gateways.record_condition(gateway, error, now=clock())
    return done


def watch(*, recovery: Recovery, now: datetime) -> bool:
    """Somebody looks at this running log: it is read before the others, though no sooner than the pacing allows.

    One guarded UPDATE, and only where the row as it was read may go ahead; it wakes nobody: the next sweep finds it.
    True when it was put ahead.
    """
    pacing = settings.RECOVERY_PACING
    first, last = now - _AHEAD / 2, now + seconds(pacing.log_every - pacing.log_watched_every)
    if _is_over(recovery) or recovery.log_due_at is None or not first < recovery.log_due_at <= last:
        return False
    rows = Recovery.objects.filter(_RUNNING, pk=recovery.pk, log_due_at__gt=first, log_due_at__lte=last)
    return bool(rows.update(log_due_at=now - _AHEAD))


def _due(gateway: Gateway, which: Q, most: int, now: datetime) -> list[Recovery]:
    rows = Recovery.objects.filter(which, gateway=gateway, log_due_at__lte=now).order_by("log_due_at", "pk")
    return list(rows.select_related("gateway")[:most])


def _due_ended(gateway: Gateway, now: datetime) -> list[Recovery]:
    return _due(gateway, _OVER, AT_ONCE, now)


def _due_running(gateway: Gateway, now: datetime) -> list[Recovery]:
    """Those that somebody looks at first, and never so many that the others are not read."""
    watched = _due(gateway, _RUNNING & Q(log_due_at__lte=now - _AHEAD / 2), OF_WATCHED, now)
    return watched + _due(gateway, _RUNNING & Q(log_due_at__gt=now - _AHEAD / 2), OF_RUNNING - len(watched), now)


def _read(row: Recovery, client: KnoxLivyClient, clock: Clock) -> bool:
    """Read one log, and say when it is due again. Raises NotSent when the gateway does not answer as Livy."""
    now = clock()
    try:
        read = logs.read(row, client, now=now, final=_is_over(row))
    except NotSent as error:
        gateways.stop_unless_alive(client, error)
        read = Read.FAILED
    Recovery.objects.filter(pk=row.pk, terminal_word=row.terminal_word, log_due_at=row.log_due_at).update(
        log_due_at=_next(row, read, now)
    )
    return read in (Read.KEPT, Read.WITHHELD)


def _is_over(row: Recovery) -> bool:
    return row.is_terminal or bool(row.terminal_word)


def _next(row: Recovery, read: Read, now: datetime) -> datetime | None:
    pacing = settings.RECOVERY_PACING
    if not _is_over(row):
        return now + seconds(pacing.log_every)
    forgotten = row.finished_at is not None and now - row.finished_at > seconds(row.gateway.retention_seconds)
    return now + seconds(pacing.second_reading) if read is Read.FAILED and not forgotten else None
