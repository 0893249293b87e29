"""A recovery's kept log as pages show it: its end, what is added, a search in it, the whole of it to take home.

Stored redacted; here it loses the colours of a terminal, is escaped, and lines that Livy forgot are marked.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from recovery.admin import progress, show, story
from recovery.domain import logtail
from recovery.models import Recovery, RecoveryLog

SHOWN_LINES = 5000
FOUND_LINES = 500
MAX_QUERY = 200


def log_of(recovery: Recovery, log: RecoveryLog | None) -> dict[str, Any]:
    """The log's end, and what has to be said of it."""
    shown: dict[str, Any] = {
        "exists": log is not None,
        "on_yarn": story.is_client_log(recovery),
        "mark": logtail.mark(log.output if log else ""),
        "search_url": reverse("admin:recovery_recovery_log", args=[recovery.pk]),
        "download_url": reverse("admin:recovery_recovery_log_txt", args=[recovery.pk]),
    }
    if log is None:
        return shown
    text, left_out = logtail.tail(log.output, SHOWN_LINES)
    return shown | {
        "lines": marked(text),
        "left_out": left_out,
        "withheld": log.withheld,
        "note": note(log),
    }


def note(log: RecoveryLog) -> SafeString:
    """When it was read. An end counts after a second look (F4): so the last reading may come before "ended"."""
    read = format_html("{} {}", _("last read:"), show.ago(log.read_at))
    return format_html("{} · {}", read, _("the last reading")) if log.final else read


def marked(text: str) -> SafeString:
    """Lines as HTML; where Livy had forgotten some before they were read, it says so."""
    gap = format_html('<span class="rp-gap">{}</span>', _gap())
    parts: list[tuple[Any]] = []
    for index, part in enumerate(f"\n{logtail.plain(text)}\n".split(f"\n{logtail.GAP}\n")):
        parts += [(gap,)] if index else []
        parts.append((part if index else part[1:],))
    whole = format_html_join("\n", "{}", parts)
    return SafeString(whole[:-1])  # the line feed that was put behind


def _gap() -> str:
    return _("… lines are missing here: Livy had forgotten them …")


def _lines(text: str) -> list[str]:
    """Of a log as a person reads it."""
    return [_gap() if line == logtail.GAP else line for line in logtail.plain(text).split("\n")]


def added(text: str, seen: str) -> tuple[SafeString, bool]:
    """(what a reader with this mark has not seen, whether it follows what he has; otherwise it is the whole end)."""
    more = logtail.since(text, seen)
    if more is None or more.count("\n") > SHOWN_LINES:
        return marked(logtail.tail(text, SHOWN_LINES)[0]), False
    if not more.startswith("\n"):
        return marked(more), True
    return format_html("\n{}", marked(more[1:])), True


def log_page(admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Lines that hold a text, with their numbers: a page of its own, or a part of one for htmx."""
    recovery = get_object_or_404(Recovery.objects.select_related("gateway"), pk=pk)
    log = RecoveryLog.objects.filter(pk=pk).first()
    wanted = request.GET.get("q", "")[:MAX_QUERY]
    lines = _lines(log.output) if log else []
    if log and log.diagnostics:
        lines += ["", f"— {_('YARN diagnostics')} —", *logtail.plain(log.diagnostics).split("\n")]
    hits = (
        [(n, line) for n, line in enumerate(lines, start=1) if wanted.casefold() in line.casefold()] if wanted else []
    )
    context = {
        "query": wanted,
        "found": len(hits),
        "hits": [(number, highlighted(line, wanted)) for number, line in hits[-FOUND_LINES:]],
        "more": max(0, len(hits) - FOUND_LINES),
    }
    if request.headers.get("HX-Request"):
        return render(request, "recovery/admin/_log_found.html", context)
    page: HttpResponse = admin.page(
        request, "log.html", title=_("Log of recovery no. %(id)s") % {"id": pk}, original=recovery, recovery=recovery,
        log=log_of(recovery, log), driver_log=progress.driver_log(recovery), **context,
    )  # fmt: skip
    return page


def highlighted(line: str, wanted: str) -> SafeString:
    """The line with the text marked."""
    parts: list[tuple[str, str]] = []
    rest, low = line, wanted.casefold()
    while low and (at := rest.casefold().find(low)) >= 0 and len(rest.casefold()) == len(rest):
        parts.append((rest[:at], rest[at : at + len(wanted)]))
        rest = rest[at + len(wanted) :]
    return format_html("{}{}", format_html_join("", "{}<mark>{}</mark>", parts), rest)


def log_download(request: HttpRequest, pk: int) -> HttpResponse:
    """All that is kept, as a text."""
    recovery = get_object_or_404(Recovery.objects.only("pk", "batch_name"), pk=pk)
    log = RecoveryLog.objects.filter(pk=pk).first()
    text = "\n".join(_lines(log.output)) if log else ""
    if log and log.diagnostics:
        text += f"\n\n{_('YARN diagnostics')}\n{logtail.plain(log.diagnostics)}"
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="recovery-{recovery.pk}-{recovery.batch_name}.log"'
    return response
