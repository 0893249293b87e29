"""The only writer of a recovery's state.

A move is one UPDATE filtered by the legal sources (and by whatever else the caller holds, such as its fencing token),
with its event in the same transaction. False means that somebody else moved the row first: write what you know as
evidence, and stop.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from recovery.domain.states import TERMINAL, State, legal_sources
from recovery.models import Recovery
from recovery.services import events


class IllegalMove(ValueError):
    """The caller asked for a move that the table of moves does not have: a mistake in the code."""


def advance(
    recovery_id: int,
    to: State,
    *,
    kind: str,
    cause: str = "",
    sources: Collection[State] | None = None,
    only_if: Q | None = None,
    actor: User | None = None,
    changes: Mapping[str, Any] | None = None,
    **facts: Any,
) -> bool:
    """Move to `to`, from `sources` (all legal ones when unsaid), if `only_if` still holds.

    `changes` are other columns of the same UPDATE; `facts` go into the event. A terminal state needs `finished_at`
    among the changes (the database refuses it otherwise).
    """
    legal = legal_sources(to)
    wanted = frozenset(sources) if sources is not None else legal
    if not wanted <= legal:
        raise IllegalMove(f"{sorted(wanted - legal)} → {to}")
    columns: dict[str, Any] = {"next_action_at": None, "lease_until": None} if to in TERMINAL else {}
    columns |= {"state": to.value, **(changes or {})}
    with transaction.atomic():  # inside another transaction too, a move without its event is undone by itself
        rows = Recovery.objects.filter(pk=recovery_id, state__in=wanted)
        if only_if is not None:
            rows = rows.filter(only_if)
        if rows.update(**columns) == 0:
            return False
        events.of_recovery(recovery_id, kind, cause=cause, actor=actor, locked=True, to=to.value, **facts)
    return True


def note(
    recovery_id: int,
    kind: str,
    *,
    only_if: Q | None = None,
    cause: str = "",
    actor: User | None = None,
    changes: Mapping[str, Any],
    **facts: Any,
) -> bool:
    """Change columns beside the state, with an event, if `only_if` still holds."""
    with transaction.atomic():
        rows = Recovery.objects.filter(only_if or Q(), pk=recovery_id)
        if rows.update(**changes) == 0:
            return False
        events.of_recovery(recovery_id, kind, cause=cause, actor=actor, locked=True, **facts)
    return True
