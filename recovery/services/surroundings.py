"""What stands around one recovery: how long its like took, its chain of attempts, the ones before and after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery

from recovery.domain import durations
from recovery.domain.durations import Usual
from recovery.domain.states import State
from recovery.models import Recovery

LOOKED_AT = 2000
"""Past successes of the profile among which those of the same jar are looked for: what bounds the query."""
COUNTED = 50
CHAIN = 100
"""Attempts of one chain that are shown."""

_CHAIN = """
WITH RECURSIVE up(id, parent, depth) AS (
    SELECT id, resubmission_of_id, 0 FROM recovery_recovery WHERE id = %s
    UNION ALL
    SELECT r.id, r.resubmission_of_id, up.depth + 1 FROM recovery_recovery r JOIN up ON r.id = up.parent
    WHERE up.depth < %s
), down(id, depth) AS (
    SELECT id, 0 FROM (SELECT id FROM up ORDER BY depth DESC LIMIT 1) AS root
    UNION ALL
    SELECT r.id, down.depth + 1 FROM recovery_recovery r JOIN down ON r.resubmission_of_id = down.id
    WHERE down.depth < %s
)
SELECT id FROM down LIMIT %s
"""


def usual(recovery: Recovery) -> Usual | None:
    """Of the last successes of the same jar on the same profile."""
    return usual_of_many([recovery]).get(recovery.pk)


def usual_of_many(recoveries: Sequence[Recovery]) -> dict[int, Usual]:
    """The same for several, by their numbers; one query, over the newest successes of their profiles."""
    wanted = {(recovery.profile_id, recovery.jar_path) for recovery in recoveries}
    if not wanted:
        return {}
    profiles, jars = {profile for profile, _jar in wanted}, {jar for _profile, jar in wanted}
    newest = Recovery.objects.filter(profile__in=profiles, state=State.SUCCEEDED).order_by("-pk")
    same = Recovery.objects.filter(pk__in=newest.values("pk")[:LOOKED_AT], jar_path__in=jars).order_by("-pk")
    same = same.exclude(pk__in=[recovery.pk for recovery in recoveries])
    times: dict[tuple[int, str], list[float]] = defaultdict(list)
    columns = ("profile_id", "jar_path", "started_at", "submitted_at", "finished_at")
    for profile, jar, started, submitted, finished in same.values_list(*columns):
        begun, known = started or submitted, times[profile, jar]
        if begun and finished and len(known) < COUNTED:
            known.append((finished - begun).total_seconds())
    found = ((each.pk, durations.usual(times[each.profile_id, each.jar_path])) for each in recoveries)
    return {pk: known for pk, known in found if known is not None}


def chain(recovery: Recovery) -> list[Recovery]:
    """Every attempt of the same work, oldest first: the first one, and all that were resubmitted from there."""
    with connection.cursor() as cursor:
        cursor.execute(_CHAIN, [recovery.pk, CHAIN, CHAIN, CHAIN])
        found = [number for (number,) in cursor.fetchall()]
    rows = Recovery.objects.filter(pk__in={*found, recovery.pk}).select_related("profile", "gateway")
    return list(rows.order_by("pk"))


def with_neighbours(rows: QuerySet[Recovery]) -> QuerySet[Recovery]:
    """With the numbers of the ones before and after, as `before_pk` and `after_pk`."""

    def neighbour(order: str, **which: Any) -> Subquery:
        return Subquery(Recovery.objects.filter(Q(**which)).order_by(order).values("pk")[:1])

    return rows.annotate(
        before_pk=neighbour("-pk", pk__lt=OuterRef("pk")), after_pk=neighbour("pk", pk__gt=OuterRef("pk"))
    )
