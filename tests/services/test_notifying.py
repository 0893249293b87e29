"""Mails about what has ended: to those who asked for them, in their language, never lost and never in the way."""

from __future__ import annotations

from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.utils import timezone

from recovery import tasks
from recovery.domain.notices import Wish
from recovery.models import Recovery
from recovery.services import leases, notifying, sweeping
from recovery.services.notifying import choose, sort_out
from tests.factories import make_recovery, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _mail_is_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "EMAIL_READY", True)
    monkeypatch.setattr(settings, "PORTAL_URL", "https://portal.example.org")


def person(wish: Wish | None, *, language: str = "en", email: str = "ann@example.org", **fields: Any) -> User:
    user = make_user(email=email, **fields)
    if wish is not None:
        choose(user_id=user.pk, wish=wish, language=language)
    return user


def told(by: User, state: str, **columns: Any) -> bool:
    """A mail about its end is sent; by the sweep and its task, as when it runs."""
    recovery = make_recovery(by=by, state=state, **columns)
    before = len(mail.outbox)
    if sort_out(now=timezone.now()):
        tasks.notify()
    assert Recovery.objects.get(pk=recovery.pk).notice_due is (state in ("running", "queued"))
    return len(mail.outbox) > before


@pytest.mark.parametrize(
    ("wish", "states"),
    [
        (None, set()),
        (Wish.NEVER, set()),
        (Wish.FAILURES, {"failed", "refused", "lost"}),
        (Wish.ALL, {"failed", "refused", "lost", "succeeded", "cancelled"}),
    ],
)
def test_who_is_told_of_what(wish: Wish | None, states: set[str]) -> None:
    by = person(wish)
    ends = ("succeeded", "failed", "refused", "lost", "cancelled", "running", "queued")
    assert {state for state in ends if told(by, state)} == states


def test_the_mail_says_what_happened_and_where_to_look() -> None:
    recovery = make_recovery(
        by=person(Wish.ALL, language="fr"), state="failed", outcome="job_failed", reason="DATA-1",
        jar_path="hdfs:///user/sddesigner/recovery.jar", jar_args="--password=hunter2 --date 20240101",
    )  # fmt: skip
    assert sort_out(now=timezone.now())
    tasks.notify()
    message = mail.outbox[0]
    assert message.to == ["ann@example.org"]
    assert message.subject == f"[portal] Rattrapage {recovery.pk}, échoué : recovery.jar"
    assert f"https://portal.example.org/admin/recovery/recovery/{recovery.pk}/change/" in message.body
    assert "https://portal.example.org/admin/recovery/recovery/notices/" in message.body
    assert "hunter2" not in message.body
    assert "DATA-1" in message.body
    tasks.notify()
    assert len(mail.outbox) == 1, "once"


def test_without_an_address_of_the_portal_there_are_no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PORTAL_URL", "")
    assert told(person(Wish.ALL), "succeeded")
    assert "http" not in mail.outbox[0].body


@pytest.mark.parametrize("fields", [{"email": ""}, {"is_active": False}])
def test_who_cannot_be_told_is_not(fields: dict[str, Any]) -> None:
    assert not told(person(Wish.ALL, **fields), "failed")


def test_where_mail_is_not_set_up_nothing_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "EMAIL_READY", False)
    assert not told(person(Wish.ALL), "failed")


def test_a_mail_server_that_is_away_is_tried_again_for_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    recovery = make_recovery(by=person(Wish.ALL), state="failed", finished_at=timezone.now())

    def away(self: EmailBackend, messages: Any) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", away)
        assert sort_out(now=timezone.now())
        tasks.notify()
        assert Recovery.objects.get(pk=recovery.pk).notice_due
    assert not sort_out(now=timezone.now() + timedelta(days=1, minutes=1)), "given up"
    Recovery.objects.update(notice_due=True)
    assert sort_out(now=timezone.now())
    tasks.notify()
    assert len(mail.outbox) == 1


def test_one_that_ends_while_the_sweep_sorts_out_keeps_its_mark() -> None:
    late = make_recovery(by=person(Wish.ALL), state="running")
    make_recovery(state="succeeded")

    def end_it_first(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE") and '"notice_due"' in sql:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE recovery_recovery SET state = 'failed', finished_at = %s WHERE id = %s",
                    [timezone.now(), late.pk],
                )
        return execute(sql, *rest)

    with connection.execute_wrapper(end_it_first):
        sort_out(now=timezone.now())
    assert Recovery.objects.get(pk=late.pk).notice_due
    assert sort_out(now=timezone.now())
    tasks.notify()
    assert len(mail.outbox) == 1


def test_an_address_that_is_refused_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = make_recovery(by=person(Wish.ALL, email="gone@example.org"), state="failed")
    make_recovery(by=person(Wish.ALL), state="failed")
    real = EmailBackend.send_messages

    def choosy(self: EmailBackend, messages: Any) -> int:
        if messages[0].to == ["gone@example.org"]:
            raise SMTPRecipientsRefused({"gone@example.org": (550, b"no such user")})
        return real(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", choosy)
    tasks.notify()
    assert [message.to for message in mail.outbox] == [["ann@example.org"]]
    assert not Recovery.objects.get(pk=refused.pk).notice_due, "asking again would change nothing"


def test_two_tasks_do_not_tell_twice() -> None:
    make_recovery(by=person(Wish.ALL), state="failed")
    with leases.held("notices", lasting=60, clock=timezone.now):
        tasks.notify()
    assert mail.outbox == []


def test_one_task_sends_so_many_and_the_next_the_rest() -> None:
    by = person(Wish.ALL)
    for _ in range(notifying.AT_ONCE + 1):
        make_recovery(by=by, state="succeeded")
    tasks.notify()
    assert len(mail.outbox) == notifying.AT_ONCE
    tasks.notify()
    assert len(mail.outbox) == notifying.AT_ONCE + 1


def test_the_sweep_wakes_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(sweeping, "send", lambda task, *args: sent.append(task))
    sweeping.sweep(clock=timezone.now)
    assert sent == []
    make_recovery(by=person(Wish.FAILURES), state="failed")
    sweeping.sweep(clock=timezone.now)
    assert sent == ["recovery.notify"]
