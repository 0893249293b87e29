"""Alarms are told by e-mail to those whom the configuration names, and to nobody else."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import structlog
from django.core import mail
from django.core.mail import EmailMessage

from recovery_portal import logs

log = structlog.get_logger("recovery.services.duplicates")


@pytest.fixture
def mails(settings: Any, mailoutbox: list[EmailMessage]) -> list[EmailMessage]:
    settings.ADMINS = [("", "omar@example.org"), ("", "olga@example.org")]
    settings.SERVER_EMAIL = "portal@example.org"
    settings.EMAIL_SUBJECT_PREFIX = "[prod] "
    return mailoutbox


def test_an_alarm_is_sent(mails: list[EmailMessage]) -> None:
    log.error("duplicate", recovery=17, words="https://u:hunter22@knox")
    (sent,) = mails
    assert sent.subject == "[prod] ALARM: duplicate"
    assert sent.to == ["omar@example.org", "olga@example.org"]
    assert sent.from_email == "portal@example.org"
    assert "17" in sent.body
    assert "hunter22" not in sent.body


def test_what_is_no_alarm_is_not_sent(mails: list[EmailMessage]) -> None:
    """Django's own mails about errors have the settings in them: they are switched off."""
    log.error("something_else")
    log.warning("duplicate")
    logging.getLogger("django.request").error("duplicate")
    assert mails == []


def test_nobody_is_named_by_default(mailoutbox: list[EmailMessage]) -> None:
    log.error("duplicate", recovery=17)
    assert mailoutbox == []


def test_a_mail_server_that_is_away_stops_nobody(
    mails: list[EmailMessage], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(*_args: object, **_more: object) -> None:
        raise ConnectionRefusedError("mail server away")

    monkeypatch.setattr(logs, "mail_admins", away)
    log.error("duplicate", recovery=17)
    assert "mail server away" in capsys.readouterr().err
    assert mail.outbox == []
