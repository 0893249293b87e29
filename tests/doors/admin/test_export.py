"""What is shown as a file: filtered as the list, safe from formulas, in few queries whatever its length."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from typing import Any
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recovery.admin.export import COLUMNS, safe
from tests.doors.admin.conftest import Door
from tests.doors.admin.pages import LIST, text
from tests.factories import make_profile, make_recovery, make_user

NAMES = [name for name, _heading, _value in COLUMNS]


def exported(client: Client, form: str, **query: Any) -> bytes:
    response = client.get(f"{LIST}export/{form}/", query)
    assert response.status_code == 200, response
    assert response.headers["Content-Disposition"].startswith('attachment; filename="recoveries-')
    return b"".join(response)


def rows_of_csv(content: bytes, separator: str = ",") -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf"), "a spreadsheet reads it as UTF-8"
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=separator))
    return [dict(zip(NAMES, line, strict=True)) for line in lines[1:]]


def rows_of_xlsx(content: bytes) -> list[list[str | None]]:
    """Texts and numbers of the sheet, formulas as such."""
    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))  # our own
    assert sheet.findall(".//m:f", space) == [], "no formula"
    rows = sheet.findall(".//m:row", space)
    return [[next((part.text for part in cell.iter() if part.tag[-2:] in ("}t", "}v")), None) for cell in row]
            for row in rows]  # fmt: skip


def test_csv_holds_what_the_list_shows(auditor: Client) -> None:
    now = timezone.now()
    good = make_recovery(
        state="succeeded", outcome="success", started_at=now, finished_at=now, app_id="application_1_7",
        reason="é, \"quoted\"\nsecond line",
    )  # fmt: skip
    make_recovery(state="failed")
    rows = rows_of_csv(exported(auditor, "csv", state__exact="succeeded"))
    assert [row["id"] for row in rows] == [str(good.pk)]
    row = rows[0]
    assert (row["appId"], row["durationSeconds"], row["state"]) == ("application_1_7", "0", "succeeded")
    assert row["reason"] == good.reason
    assert row["createdAt"] == timezone.localtime(good.created_at).isoformat(timespec="seconds")
    assert len(rows_of_csv(exported(auditor, "csv"))) == 2
    assert rows_of_csv(exported(auditor, "csv", q="nothing like it")) == []


@pytest.mark.parametrize("begin", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(auditor: Client, begin: str) -> None:
    recovery = make_recovery(jar_args=f"{begin} x", reason="=HYPERLINK(1)")
    row = rows_of_csv(exported(auditor, "csv"))[0]
    assert row["jarArgs"].startswith("'")
    assert row["reason"] == "'=HYPERLINK(1)"
    shown = rows_of_xlsx(exported(auditor, "xlsx"))
    assert recovery.reason in shown[1]
    assert safe(-3) == -3, "a number stays one"


def test_xlsx_has_headings_in_the_readers_language_and_numbers_as_numbers(door: Door) -> None:
    recovery = make_recovery(state="succeeded", livy_id=0, started_at=timezone.now())
    english, french = (rows_of_xlsx(exported(door("Auditors", language=code), "xlsx")) for code in ("en", "fr"))
    assert english[0][NAMES.index("reason")] == "reason"
    assert french[0][NAMES.index("reason")] == "motif"
    assert english[1][0] == str(recovery.pk)
    assert len(english) == 2


def test_a_spreadsheet_speaks_the_readers_language_and_json_the_apis(door: Door) -> None:
    """A French spreadsheet takes a semicolon for the end of a cell."""
    make_recovery(state="failed", outcome="job_failed")
    french = exported(door("Auditors", language="fr"), "csv")
    assert ";motif;" in french.decode().splitlines()[0]
    row = rows_of_csv(french, ";")[0]
    assert row["state"] == "échoué"
    assert row["outcome"].startswith("Le job a échoué.")
    assert "échoué" in rows_of_xlsx(exported(door("Auditors", language="fr"), "xlsx"))[1]
    assert rows_of_csv(exported(door("Auditors", language="en"), "csv"))[0]["outcome"].startswith("The job failed.")
    assert json.loads(exported(door("Auditors", language="fr"), "json"))[0]["outcome"] == "job_failed"


@pytest.mark.parametrize("reason", ["x;=1+1", "x, @SUM(A1)", "a\t-1"])
def test_no_part_of_a_cell_is_a_formula_for_whom_another_separator_counts(auditor: Client, reason: str) -> None:
    make_recovery(reason=reason)
    found = rows_of_csv(exported(auditor, "csv"))[0]["reason"]
    assert found.replace("'", "") == reason
    assert not re.search(r"[,;\t]\s*[=+@-]", found)


def test_a_sheet_that_is_full_says_so(auditor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recovery.admin.export.XLSX_MOST", 2)
    for _ in range(2):
        make_recovery()
    rows = rows_of_xlsx(exported(auditor, "xlsx"))
    assert len(rows) == 3
    assert "export them as CSV" in str(rows[2][0])


def test_json_has_the_names_of_the_api(auditor: Client) -> None:
    assert json.loads(exported(auditor, "json")) == []
    first, second = make_recovery(livy_id=0), make_recovery()
    rows = json.loads(exported(auditor, "json"))
    assert [row["id"] for row in rows] == [second.pk, first.pk]
    assert list(rows[0]) == NAMES
    assert (rows[1]["batchId"], rows[0]["batchId"]) == (0, None)
    assert rows[0]["jarArgs"] == second.raw_jar_args


def test_few_queries_whatever_its_length(auditor: Client) -> None:
    profile, by, counts = make_profile(), make_user(), []
    for _round in range(2):
        for _ in range(5):
            make_recovery(profile=profile, by=by, outcome_words="words", settled_reason="why")
        with CaptureQueriesContext(connection) as queries:
            exported(auditor, "csv")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_who_may_not_see_gets_no_file(door: Door) -> None:
    make_recovery()
    for form in ("csv", "xlsx", "json"):
        assert door().get(f"{LIST}export/{form}/").status_code == 403
        assert Client().get(f"{LIST}export/{form}/").status_code == 302
        assert door("Auditors").post(f"{LIST}export/{form}/").status_code == 403
    assert door("Auditors").get(f"{LIST}export/pdf/").status_code == 404


def test_the_list_offers_its_files_with_its_own_filter(auditor: Client) -> None:
    make_recovery()
    shown = text(auditor.get(LIST, {"phase": "live", "q": "splio"}))
    for form in ("csv", "xlsx", "json"):
        assert f'href="/admin/recovery/recovery/export/{form}/?phase=live&q=splio"' in shown
    response = auditor.get(f"{LIST}export/csv/", {"id__nonsense": "1"})
    assert response.status_code == 302, "a filter that does not exist leads back to the list"
