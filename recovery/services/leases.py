"""Doing one thing alone: a row with a holder, an end, and a token that rises with each holder."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from time import monotonic
from uuid import uuid4

from django.db.models import F, Q

from recovery.models import Lease
from recovery.services.clock import Clock, database_now, seconds


def acquire(name: str, *, lasting: float, now: datetime) -> str | None:
    """The holder's mark when the lease was free or run out (`lasting` in seconds); None when it is held."""
    holder = f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid4().hex[:12]}"
    if _taken(name, holder, until=now + seconds(lasting), now=now):
        return holder
    _lease, new = Lease.objects.get_or_create(name=name)
    return holder if new and _taken(name, holder, until=now + seconds(lasting), now=now) else None


def _taken(name: str, holder: str, *, until: datetime, now: datetime) -> bool:
    free = Q(until__isnull=True) | Q(until__lte=now)
    return bool(Lease.objects.filter(free, name=name).update(holder=holder, token=F("token") + 1, until=until))


def renew(name: str, holder: str, *, lasting: float, now: datetime) -> bool:
    """Prolong a lease that is still ours; False when it was lost."""
    return bool(Lease.objects.filter(name=name, holder=holder).update(until=now + seconds(lasting)))


def release(name: str, holder: str) -> None:
    """Give it back, if it is still ours."""
    Lease.objects.filter(name=name, holder=holder).update(until=None, holder="")


class Renewal:
    """Prolongs a lease that is held, called as often as one likes: it writes at most every sixth of its time."""

    def __init__(self, name: str, holder: str, *, lasting: float, clock: Clock) -> None:
        self._name, self._holder, self._lasting, self._clock = name, holder, lasting, clock
        self._next = 0.0

    def __call__(self, *, surely: bool = False) -> bool:
        """False when the lease was lost; `surely` writes now, before what only one may do."""
        if monotonic() < self._next and not surely:
            return True
        if not renew(self._name, self._holder, lasting=self._lasting, now=self._clock()):
            return False
        self._next = monotonic() + self._lasting / 6
        return True


@contextmanager
def held(name: str, *, lasting: float, clock: Clock = database_now) -> Iterator[str | None]:
    """`with held(…) as holder:`, None when somebody else has it."""
    holder = acquire(name, lasting=lasting, now=clock())
    try:
        yield holder
    finally:
        if holder is not None:
            release(name, holder)
