"""Second batches: those that the rules kept from starting, counted; and those that started, as an alarm for people.

Avoided is counted once for each batch that was found where one more POST would have started it again: adopted after a
doubt (S1, S3, A6, A7), found under its name before a POST (P3, A7), or refused by Livy for its name (A7).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.contrib.auth.models import User
from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Subquery, Value, When

from recovery.models import Recovery, RecoveryEvent, SubjectType
from recovery.models.event import RecoveryEventQuerySet
from recovery.services import events

log = structlog.get_logger(__name__)

LATELY = timedelta(days=30)
ANSWERS = ("acknowledged", "settled")
"""What a person does about an alarm."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Avoided:
    """How many second batches were kept from starting; `by_gateway`: gateway's id → how many."""

    adopted: int = 0
    """Found under its name, or in YARN, after the answer was lost."""
    before_post: int = 0
    """Found under its name by the look before a POST, which was not sent then."""
    by_name: int = 0
    """Livy refused the name of a POST, and the batch was not adopted later."""
    lately: int = 0
    """Of all, in the last 30 days."""
    by_gateway: Mapping[int, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All of them."""
        return self.adopted + self.before_post + self.by_name


def avoided(*, now: datetime) -> Avoided:
    """Counted from the events, in one query."""
    later = _of_recoveries("adopted").filter(subject_id=OuterRef("subject_id"), seq__gt=OuterRef("seq"))
    by_name = Q(kind="looked", cause="duplicate_name") & ~Exists(later)
    before_post = Q(kind="adopted", cause="found_before_post") | Q(kind="name_taken")
    rule = Case(
        When(before_post, then=Value("before_post")),
        When(kind="adopted", then=Value("adopted")),
        When(by_name, then=Value("by_name")),
        default=Value(""),
    )
    gateway = Recovery.objects.filter(pk=OuterRef("subject_id")).values("gateway_id")[:1]
    counted = (
        _of_recoveries("adopted", "name_taken", "looked")
        .annotate(rule=rule, gateway=Subquery(gateway))
        .exclude(rule="")
        .values_list("rule", "gateway")
        .annotate(count=Count("id"), lately=Count("id", filter=Q(at__gte=now - LATELY)))
    )
    by_rule: Counter[str] = Counter()
    by_gateway: Counter[int] = Counter()
    recent = 0
    for of_rule, gateway_id, count, lately in counted:
        by_rule[of_rule] += count
        by_gateway[gateway_id] += count
        recent += lately
    return Avoided(**by_rule, lately=recent, by_gateway=by_gateway)


def _of_recoveries(*kinds: str) -> RecoveryEventQuerySet:
    """All of these kinds are about recoveries; for a word about the subject SQLite would take another index."""
    return RecoveryEvent.objects.counted().filter(kind__in=kinds).order_by()


# ── the alarm ───────────────────────────────────────────────────────────────────────────────────────────────────


def raise_alarm(recovery_id: int, *, cause: str, **facts: Any) -> None:
    """A6, F7: a second batch of this recovery was found. Each finding is told once."""
    told = {name: value for name, value in facts.items() if value is not None}
    last = RecoveryEvent.objects.of(SubjectType.RECOVERY, recovery_id).filter(kind="duplicate").last()
    if last is not None and last.facts == told:
        return
    log.error("duplicate", recovery=recovery_id, cause=cause, **told)
    events.of_recovery(recovery_id, "duplicate", cause=cause, **told)


def alarmed() -> QuerySet[Recovery]:
    """Recoveries with a second batch about which no person has decided since, newest first."""
    answered = _of_recoveries(*ANSWERS).filter(subject_id=OuterRef("subject_id"), seq__gt=OuterRef("seq"))
    open_ones = _of_recoveries("duplicate").filter(~Exists(answered))
    return Recovery.objects.filter(pk__in=open_ones.values("subject_id")).order_by("-id")


def is_alarmed(recovery: Recovery) -> bool:
    """It is one of them."""
    return alarmed().filter(pk=recovery.pk).exists()


def alarm_stands(events: Iterable[RecoveryEvent]) -> bool:
    """The same, told from the recovery's events where they are at hand, oldest first."""
    stands = False
    for event in events:
        stands = event.kind == "duplicate" or (stands and event.kind not in ANSWERS)
    return stands


def acknowledge(*, recovery: Recovery, by: User, reason: str) -> bool:
    """A person has looked at the second batch and says what was done; False when there is no open alarm."""
    if not reason.strip():
        raise ValueError("a reason is needed")
    if not is_alarmed(recovery):
        return False
    events.of_recovery(recovery.pk, "acknowledged", actor=by, reason=reason)
    return True
