"""The chain of attempts on a recovery's page: each one, and what changed from the one before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from recovery.admin import sheet, show
from recovery.domain.payload import Payload
from recovery.models import Recovery
from recovery.services.resubmission import differences


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One of them."""

    recovery: Recovery
    badge: Any
    when: Any
    is_this: bool
    parent_pk: int | None
    rows: list[tuple[str, str, str]]


def attempts(chain: list[Recovery], this: Recovery) -> list[Attempt]:
    """Nothing for one that stands alone."""
    known = {row.pk: row for row in chain}
    return [
        Attempt(
            recovery=row,
            badge=show.state_badge(row),
            when=show.minute(row.created_at),
            is_this=row.pk == this.pk,
            parent_pk=row.resubmission_of_id,
            rows=changed(known[row.resubmission_of_id], row) if row.resubmission_of_id in known else [],
        )
        for row in (chain if len(chain) > 1 else [])
    ]


def changed(then: Recovery, now: Recovery) -> list[tuple[str, str, str]]:
    """(field, then, now) between two attempts."""
    names = [
        (_("profile"), then.profile_name, now.profile_name),
        (_("gateway"), then.gateway.name, now.gateway.name),
    ]
    rows = [row for row in names if row[1] != row[2]]
    old, new = Payload.from_json(then.payload_json), Payload.from_json(now.payload_json)
    return rows + [sheet.shown(difference) for difference in differences(old, new)]
