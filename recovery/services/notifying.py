"""Telling people by e-mail that a recovery of theirs has ended.

Each recovery is filed with the mark `notice_due`. Once it has ended the sweep takes the mark off where nobody wants a
mail; for the others a task of its own sends one and then takes it off. A worker that dies in between sends it again; a
mail server that is away is tried again with each sweep, for a day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from smtplib import SMTPRecipientsRefused
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import Q
from django.utils import translation

from recovery import wording
from recovery.domain.notices import TOLD, Wish
from recovery.domain.states import TERMINAL, State
from recovery.domain.verdicts import Outcome
from recovery.models import NoticeWish, Recovery
from recovery.services import leases
from recovery.services.clock import Clock, database_now

log = structlog.get_logger(__name__)

SORTED_AT_ONCE: Final = 500
"""Rows of one sweep."""
AT_ONCE: Final = 20
"""Mails of one task: a slow mail server holds up no other housekeeping for long."""
GIVEN_UP_AFTER: Final = timedelta(days=1)
LASTING: Final = 300.0
"""Seconds of the lease: longer than twenty mails at ten seconds each."""

_WANTED = (
    reduce(or_, (Q(requester__notice_wish__wish=wish, state__in=states) for wish, states in TOLD.items()))
    & Q(requester__is_active=True)
    & ~Q(requester__email="")
)
_ENDED = Q(notice_due=True, state__in=TERMINAL)


def sort_out(*, now: datetime) -> bool:
    """Takes the mark off those of whose end nobody wants a mail, and off those that were tried for a day; True when
    there are mails to send."""
    ended = list(Recovery.objects.filter(_ENDED).order_by("pk").values_list("pk", "finished_at")[:SORTED_AT_ONCE])
    if not ended:
        return False
    pks = [pk for pk, _finished in ended]
    wanted: set[int] = set()
    if settings.EMAIL_READY:
        wanted.update(Recovery.objects.filter(_WANTED, pk__in=pks).values_list("pk", flat=True))
    late = {pk for pk, finished in ended if pk in wanted and finished is not None and finished < now - GIVEN_UP_AFTER}
    if late:
        log.error("notices_given_up", recoveries=sorted(late))
    # these and no others: one that ends meanwhile keeps its mark
    done = [pk for pk in pks if pk in late or pk not in wanted]
    Recovery.objects.filter(pk__in=done).update(notice_due=False)
    return len(done) < len(pks)


def deliver(*, page_of: Callable[[int], str], choice: str, clock: Clock = database_now) -> int:
    """Sends what is due, oldest first; returns how many were sent. `page_of` gives the address of a recovery's page,
    `choice` is that of the page where people choose; both empty where the portal does not know its own address."""
    with leases.held("notices", lasting=LASTING, clock=clock) as holder:
        if holder is None:
            return 0
        due = Recovery.objects.filter(_ENDED & _WANTED).select_related("requester__notice_wish").order_by("pk")
        sent = 0
        connection = get_connection()
        try:
            for recovery in due[:AT_ONCE]:
                try:
                    _message(recovery, connection, page=page_of(recovery.pk), choice=choice).send()
                    sent += 1
                except SMTPRecipientsRefused:  # the server's last word on this address
                    log.error("notice_refused", recovery=recovery.pk)
                Recovery.objects.filter(pk=recovery.pk).update(notice_due=False)
        except OSError as error:  # smtplib's errors too
            log.warning("notice_not_sent", error=type(error).__name__, sent=sent)
        finally:
            connection.close()
        return sent


def choose(*, user_id: int, wish: Wish, language: str) -> None:
    """What this person wants from now on."""
    NoticeWish.objects.update_or_create(user_id=user_id, defaults={"wish": wish.value, "language": language})


def _message(recovery: Recovery, connection: Any, *, page: str, choice: str) -> EmailMessage:
    wish = recovery.requester.notice_wish
    with translation.override(wish.language):
        notice = wording.Notice(
            number=recovery.pk,
            state=State(recovery.state),
            outcome=Outcome(recovery.outcome) if recovery.outcome else None,
            jar_path=recovery.jar_path,
            jar_args=recovery.raw_jar_args,
            reason=recovery.reason,
            profile=recovery.profile_name,
            page=page,
            choice=choice,
        )
        subject, body = wording.mail(notice)
    return EmailMessage(
        f"{settings.EMAIL_SUBJECT_PREFIX}{subject}", body, settings.SERVER_EMAIL, [recovery.requester.email],
        connection=connection,
    )  # fmt: skip
