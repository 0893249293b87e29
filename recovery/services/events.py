"""The one writer of history. An event is appended in the transaction of the change that it tells."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, Model

from recovery.domain.payload import canonical
from recovery.domain.redaction import redact
from recovery.models import ApiToken, Gateway, Instance, LivyProfile, Recovery, RecoveryEvent, SubjectType

_TABLES: dict[SubjectType, type[Model]] = {
    SubjectType.RECOVERY: Recovery,
    SubjectType.GATEWAY: Gateway,
    SubjectType.PROFILE: LivyProfile,
    SubjectType.TOKEN: ApiToken,
    SubjectType.INSTANCE: Instance,
}


def append(
    subject: SubjectType,
    subject_id: int,
    kind: str,
    *,
    cause: str = "",
    actor: User | None = None,
    locked: bool = False,
    **facts: Any,
) -> RecoveryEvent:
    """One line of history. The subject's row is locked first, so that `seq` has no gap and no double.

    `locked`: the caller's transaction has updated that row, so it is. Facts that are None are left out; texts are
    redacted.
    """
    with transaction.atomic(savepoint=False):  # nothing is caught in between
        if not locked:
            _TABLES[subject]._default_manager.select_for_update().filter(pk=subject_id).values_list("pk").first()
        last = RecoveryEvent.objects.of(subject, subject_id).order_by().aggregate(last=Max("seq"))["last"]
        return _write(subject, subject_id, (last or 0) + 1, kind, cause, actor, facts)


def of_new_recovery(recovery_id: int, kind: str, *, cause: str = "", actor: User | None = None, **facts: Any) -> None:
    """The first line, in the transaction of the insert: nobody else sees the row, so nothing is locked or counted."""
    _write(SubjectType.RECOVERY, recovery_id, 1, kind, cause, actor, facts)


def _write(
    subject: SubjectType, subject_id: int, seq: int, kind: str, cause: str, actor: User | None, facts: dict[str, Any]
) -> RecoveryEvent:
    told = {key: redact(v) if isinstance(v, str) else v for key, v in facts.items() if v is not None}
    return RecoveryEvent.objects.create(
        subject_type=subject,
        subject_id=subject_id,
        seq=seq,
        kind=kind,
        cause=cause,
        actor=actor,
        actor_label=actor.get_username() if actor is not None else "",
        data=canonical(told),
    )


def of_recovery(
    recovery_id: int, kind: str, *, cause: str = "", actor: User | None = None, locked: bool = False, **facts: Any
) -> RecoveryEvent:
    """A line about a recovery: of a move (its row is `locked` then), or evidence that moves nothing (A6)."""
    return append(SubjectType.RECOVERY, recovery_id, kind, cause=cause, actor=actor, locked=locked, **facts)
