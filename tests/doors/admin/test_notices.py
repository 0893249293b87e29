"""Each person's own choice of mails."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from recovery.models import NoticeWish
from tests.doors.admin.conftest import Door
from tests.doors.admin.pages import messages, text

NOTICES = "/admin/recovery/recovery/notices/"


def test_a_choice_is_kept_with_the_language_of_the_page(door: Door) -> None:
    client = door("Stewards", language="fr", email="ann@example.org")
    assert 'value="never"' in text(client.get(NOTICES))
    response = client.post(NOTICES, {"wish": "failures"}, follow=True)
    assert len(messages(response)) == 1
    wish = NoticeWish.objects.get()
    assert (wish.wish, wish.language, wish.user) == ("failures", "fr", client.person)  # type: ignore[attr-defined]
    client.post(NOTICES, {"wish": "all"})
    assert NoticeWish.objects.get().wish == "all"
    assert client.post(NOTICES, {"wish": "sometimes"}).status_code == 200
    assert NoticeWish.objects.get().wish == "all"


def test_what_is_missing_is_said(steward: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = text(steward.get(NOTICES))
    assert "E-mail is not set up" in shown
    assert "no e-mail address" in shown
    monkeypatch.setattr(settings, "EMAIL_READY", True)
    steward.person.email = "a@example.org"  # type: ignore[attr-defined]
    steward.person.save()  # type: ignore[attr-defined]
    shown = text(steward.get(NOTICES))
    assert "E-mail is not set up" not in shown
    assert "Mails go to a@example.org" in shown


def test_those_who_file_nothing_have_nothing_to_choose(auditor: Client) -> None:
    assert auditor.get(NOTICES).status_code == 403
