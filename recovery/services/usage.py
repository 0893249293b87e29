"""What depends on a profile or a gateway: looked at before somebody disables it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from recovery.domain.states import State
from recovery.models import Gateway, LivyProfile, Recovery


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """`filed` in all, `live` of them not ended, and the newest of those that succeeded."""

    filed: int
    live: int
    last_success: tuple[int, datetime] | None


def usage_of(subject: LivyProfile | Gateway) -> Usage:
    """Three queries, each from an index."""
    rows = Recovery.objects.filter(**{"profile" if isinstance(subject, LivyProfile) else "gateway": subject})
    last = rows.filter(state=State.SUCCEEDED).order_by("-id").values_list("pk", "finished_at").first()
    last_success = (last[0], last[1]) if last and last[1] else None
    return Usage(filed=rows.count(), live=rows.live().count(), last_success=last_success)
