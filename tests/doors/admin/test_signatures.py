"""What operators know about failures: edited by them, tried on a log, read by the others."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from recovery.models import FailureSignature
from tests.doors.admin.conftest import Door
from tests.doors.admin.pages import text

LIST = "/admin/recovery/failuresignature/"


def typed(**values: Any) -> dict[str, Any]:
    texts = {"cause_fr": "Cause.", "cause_en": "Cause.", "remedy_fr": "Remède.", "remedy_en": "Remedy."}
    where = {"in_words": "on", "in_log": "on", "enabled": "on"}
    return {"code": "mine", "order": "5", "pattern": "my trouble", "certainty": "possible"} | texts | where | values


def address(code: str, what: str = "change") -> str:
    return f"{LIST}{FailureSignature.objects.get(code=code).pk}/{what}/"


def test_an_operator_adds_and_changes_one_and_history_says_who(operator: Client) -> None:
    assert operator.post(f"{LIST}add/", typed(change="executorMemory x2")).status_code == 302
    row = FailureSignature.objects.get(code="mine")
    assert (row.in_words, row.in_diagnostics, row.in_log) == (True, False, True)
    seen = operator.get(address("mine")).context["adminform"].form["seen"].value()
    assert operator.post(address("mine"), typed(pattern="our trouble", seen=seen)).status_code == 302
    assert list(row.history.values_list("pattern", "history_user")) == [
        ("our trouble", operator.person.pk), ("my trouble", operator.person.pk),  # type: ignore[attr-defined]
    ]  # fmt: skip
    assert operator.get(address("mine", "history")).status_code == 200
    assert operator.get(address("mine", "delete")).status_code == 403, "it is switched off instead"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"pattern": "(a+)+b"}, "pattern"),
        ({"pattern": "("}, "pattern"),
        ({"pattern": ".*"}, "pattern"),
        ({"change": "rm -rf /"}, "change"),
        ({"in_words": "", "in_log": ""}, "in_log"),
        ({"cause_fr": ""}, "cause_fr"),
    ],
)
def test_a_bad_one_is_not_taken_and_says_why(operator: Client, values: dict[str, str], field: str) -> None:
    data = {name: value for name, value in typed(**values).items() if value or name not in ("in_words", "in_log")}
    response = operator.post(f"{LIST}add/", data)
    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == [field]
    assert not FailureSignature.objects.filter(code="mine").exists()


def test_it_is_tried_on_a_log_and_nothing_of_it_is_kept(operator: Client) -> None:
    log = "INFO x\r\n(TID 7) (h executor 1): java.lang.OutOfMemoryError: <b>\r\nLost executor 3"
    everything = operator.post(f"{LIST}try/", {"text": log})
    assert [one["code"] for one in everything.context["found"]] == ["executor-memory", "executors-lost"]
    assert b"OutOfMemoryError: &lt;b&gt;" in everything.content
    one = operator.post(address("executors-lost", "try"), {"text": log})
    assert [found["line"] for found in one.context["found"]] == ["Lost executor 3"]
    none = operator.post(address("jvm-size", "try"), {"text": log})
    assert "Nothing fits this text." in text(none)
    assert operator.get(f"{LIST}try/").context["found"] is None
    assert operator.post(f"{LIST}try/", {"text": ""}).context["form"].errors
    off = FailureSignature.objects.filter(code="executor-memory")
    off.update(enabled=False)
    assert operator.post(address("executor-memory", "try"), {"text": log}).context["found"], (
        "one is tried before it is on"
    )


def test_of_a_pasted_text_it_is_not_said_that_the_server_says_it(operator: Client) -> None:
    response = operator.post(
        f"{LIST}try/", {"text": "Blacklisted configuration values in session config: spark.master"}
    )
    assert [(one["code"], one["guess"]) for one in response.context["found"]] == [("blacklisted-conf", True)]
    shown = text(response)
    assert "The server says" not in shown
    assert "Probably" in shown
    assert "Line (looked for in: the server's answer)" in shown


def test_one_whose_pattern_is_no_longer_accepted_says_so(operator: Client) -> None:
    assert "not used" not in text(operator.get(LIST))
    FailureSignature.objects.filter(code="exception").update(pattern=r"(?:\w+){40}")
    assert "not used: its pattern is no longer accepted" in text(operator.get(LIST))
    FailureSignature.objects.filter(code="exception").update(enabled=False)
    assert "not used" not in text(operator.get(LIST))


def test_the_others_read_them(door: Door) -> None:
    for group in ("Stewards", "Auditors"):
        client = door(group)
        shown = text(client.get(LIST))
        assert "executorMemory x2" in shown
        assert client.get(address("exception")).status_code == 200
        assert client.post(address("exception"), typed()).status_code == 403
        assert client.get(f"{LIST}add/").status_code == 403
        assert client.get(f"{LIST}try/").status_code == 200
    assert door().get(LIST).status_code == 403
    assert door().get(f"{LIST}try/").status_code == 403


def test_each_language_has_its_own_texts(door: Door) -> None:
    FailureSignature.objects.filter(code="exception").update(enabled=False)
    assert "Un exécuteur a manqué de mémoire." in text(door("Operators", language="fr").get(LIST))
    english = text(door("Operators").get(LIST))
    assert "An executor ran out of memory." in english
    assert "Failures explained" in english
    assert "disabled" in english
