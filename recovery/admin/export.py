"""What a list of recoveries shows, as a file: CSV, XLSX or JSON, of all that is filtered and in constant memory."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, Any, Final, cast

import structlog
from django.db.models import Field, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from xlsxwriter import Workbook

from recovery.admin import show
from recovery.models import Recovery

log = structlog.get_logger(__name__)

FORMATS: Final = ("csv", "xlsx", "json")
KINDS: Final = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
CHUNK: Final = 2000
"""Rows that are read, and lines that are sent, at once."""
UNSEEN: Final = ("payload", "sent_payload", "preflight", "args")
XLSX_MOST: Final = 100_000
"""Rows of a sheet below its heading: a workbook has no first byte before its last row, and proxies wait a minute."""
CELL_MOST: Final = 32_767
"""Characters of a cell, by Excel's limit."""
DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""With these at its beginning a text is taken for a formula by spreadsheets (OWASP, "CSV Injection")."""
SEPARATORS: Final = {"fr": ";"}
"""What spreadsheets take for the end of a cell where decimals have a comma; elsewhere it is the comma."""
_AFTER_SEPARATOR: Final = re.compile(r"([,;\t]\s*)(?=[=+\-@])")
"""Where a spreadsheet of the other kind would see a cell begin."""
CODED: Final = {
    "state": "state", "outcome": "outcome", "settledAs": "settled_as", "channel": "channel", "argsMode": "args_mode",
}  # fmt: skip
"""Columns with words of the portal: in the reader's language for a spreadsheet, as in the API in JSON."""

Column = tuple[str, Any, Callable[[Recovery], Any]]


def _seconds(recovery: Recovery) -> int | None:
    begun, ended = recovery.begun_at, recovery.finished_at
    return round((ended - begun).total_seconds()) if begun and ended else None


COLUMNS: Final[tuple[Column, ...]] = (
    ("id", _("No."), lambda r: r.pk),
    ("state", _("state"), lambda r: r.state),
    ("outcome", _("outcome"), lambda r: r.outcome),
    ("outcomeWords", _("in the server's words"), lambda r: r.outcome_words),
    ("settledAs", _("settled as"), lambda r: r.settled_as),
    ("settledReason", _("why settled so"), lambda r: r.settled_reason),
    ("profile", _("profile"), lambda r: r.profile_name),
    ("profileVersion", _("version of the profile"), lambda r: r.profile_version),
    ("gateway", _("gateway"), lambda r: r.gateway.name),
    ("requester", _("requested by"), lambda r: r.requester_label),
    ("channel", _("filed through"), lambda r: r.channel),
    ("reason", _("reason"), lambda r: r.reason),
    ("jarPath", _("jarPath"), lambda r: r.jar_path),
    ("jarArgs", _("jarArgs as typed"), lambda r: r.raw_jar_args),
    ("argsMode", _("arguments mode"), lambda r: r.args_mode),
    ("proxyUserAsked", _("proxyUser asked for"), lambda r: r.asked_proxy_user),
    ("ranAs", _("ran as"), lambda r: r.proxy_user),
    ("attempt", _("attempt"), lambda r: r.attempt),
    ("resubmissionOf", _("resubmission of"), lambda r: r.resubmission_of_id),
    ("tries", _("tries"), lambda r: r.tries),
    ("batchName", _("batch name"), lambda r: r.batch_name),
    ("batchId", _("batch id"), lambda r: r.livy_id),
    ("appId", _("application id"), lambda r: r.app_id),
    ("payloadSha256", _("SHA-256 of the payload"), lambda r: r.payload_sha256),
    ("createdAt", _("filed"), lambda r: r.created_at),
    ("submittedAt", _("submitted"), lambda r: r.submitted_at),
    ("startedAt", _("running since"), lambda r: r.started_at),
    ("finishedAt", _("ended"), lambda r: r.finished_at),
    ("durationSeconds", _("duration (s)"), _seconds),
    ("sparkUiUrl", _("Spark UI"), lambda r: show.web_link(r.spark_ui_url)),
    ("driverLogUrl", _("driver log"), lambda r: show.web_link(r.driver_log_url)),
)
"""(name as in the API, heading in the reader's language, value)."""


def export(request: HttpRequest, rows: QuerySet[Recovery], form: str) -> HttpResponseBase:
    """`rows` in their order as a download; times with the portal's UTC offset."""
    log.info("exported", form=form, by=request.user.get_username(), filter=request.GET.urlencode())
    found = rows.select_related(None).select_related("gateway").defer(None).defer(*UNSEEN).iterator(chunk_size=CHUNK)
    table = _Table(rows=found)  # now: lines are made after the language is gone
    name = f"recoveries-{timezone.localtime():%Y%m%d-%H%M%S}.{form}"
    if form == "xlsx":
        return FileResponse(_xlsx(table), as_attachment=True, filename=name)
    lines = _csv(table) if form == "csv" else _json(found)
    response = StreamingHttpResponse(lines, content_type=KINDS[form])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


class _Table:
    """Rows for a spreadsheet, in the language of whoever asks for them."""

    def __init__(self, *, rows: Iterable[Recovery]) -> None:
        self._rows = rows
        self._words = {
            name: {
                code: str(label) for code, label in cast("Field[Any, Any]", Recovery._meta.get_field(field)).flatchoices
            }
            for name, field in CODED.items()
        }
        self.headings = [str(heading) for _name, heading, _value in COLUMNS]
        self.separator = SEPARATORS.get((get_language() or "").split("-")[0], ",")

    def __iter__(self) -> Iterator[list[Any]]:
        for row in self._rows:
            yield [self._cell(name, value(row)) for name, _heading, value in COLUMNS]

    def _cell(self, name: str, value: Any) -> Any:
        words = self._words.get(name)
        return words.get(value, value) if words else value


def _time(when: datetime) -> str:
    return timezone.localtime(when).isoformat(timespec="seconds")


def _plain(value: Any) -> Any:
    return _time(value) if isinstance(value, datetime) else value


def safe(value: Any) -> Any:
    """A cell of a CSV file that no spreadsheet takes for a formula, whatever it takes for the end of a cell: an
    apostrophe before what could be one."""
    if not isinstance(value, str):
        return "" if value is None else value
    told = _AFTER_SEPARATOR.sub(r"\1'", value)
    return f"'{told}" if told.startswith(DANGEROUS) else told


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _gathered(lines: Iterable[str]) -> Iterator[str]:
    """Many lines at once: each piece costs the server a system call."""
    held: list[str] = []
    for line in lines:
        held.append(line)
        if len(held) >= CHUNK:
            yield "".join(held)
            held = []
    yield "".join(held)


def _csv(table: _Table) -> Iterator[str]:
    writer = csv.writer(_Echo(), delimiter=table.separator)
    yield "\N{BYTE ORDER MARK}" + writer.writerow([safe(heading) for heading in table.headings])
    yield from _gathered(writer.writerow([safe(_plain(value)) for value in row]) for row in table)


def _json(rows: Iterable[Recovery]) -> Iterator[str]:
    def lines() -> Iterator[str]:
        before = "["
        for row in rows:
            shown = {name: _plain(value(row)) for name, _heading, value in COLUMNS}
            yield f"{before}\n{json.dumps(shown, ensure_ascii=False)}"
            before = ","
        yield "[]\n" if before == "[" else "\n]\n"

    return _gathered(lines())


def _xlsx(table: _Table) -> IO[bytes]:
    """A workbook in a file that is gone once it is sent; each row is on disk before the next one is read."""
    target = TemporaryFile()  # noqa: SIM115  # the response closes it
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "remove_timezone": True,
    }  # fmt: skip
    book = Workbook(target, options)
    bold, moment = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    sheet = book.add_worksheet("recoveries")
    sheet.freeze_panes(1, 0)
    for column, heading in enumerate(table.headings):
        sheet.write_string(0, column, heading, bold)
    for line, row in enumerate(table, start=1):
        if line == XLSX_MOST:
            sheet.write_string(
                line, 0, gettext("There are more rows than this sheet takes: export them as CSV, or filter them."), bold
            )
            break
        for column, cell in enumerate(row):
            if isinstance(cell, datetime):
                sheet.write_datetime(line, column, timezone.localtime(cell), moment)
            elif isinstance(cell, int):
                sheet.write_number(line, column, cell)
            elif cell:
                sheet.write_string(line, column, cell[:CELL_MOST])
    book.close()
    target.seek(0)
    return target
