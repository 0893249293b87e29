"""Keeping a recovery's log while it runs and at its end; Livy forgets it after ten minutes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from recovery.domain import logtail
from recovery.domain.redaction import redact
from recovery.gateway.errors import Forbidden, NotFound, NotSent
from recovery.gateway.livy import KnoxLivyClient
from recovery.models import Recovery, RecoveryLog

MAX_LINE = 20_000
"""Characters that are kept of one line."""
MAX_DIAGNOSTICS = 200_000


class Read(StrEnum):
    """What became of a reading."""

    KEPT = "kept"
    WITHHELD = "withheld"
    """Livy shows it to its owner only."""
    GONE = "gone"
    """Livy knows no batch of this name."""
    FAILED = "failed"


def read(recovery: Recovery, client: KnoxLivyClient, *, now: datetime, final: bool) -> Read:
    """Read Livy's ring and lay it over what is kept. `final`: the batch is known to be over. Raises NotSent."""
    try:
        page = client.log(recovery.batch_name)
    except Forbidden:
        RecoveryLog.objects.update_or_create(
            recovery=recovery, defaults={"withheld": True, "final": final, "read_at": now}
        )
        return Read.WITHHELD
    except NotFound:
        return Read.GONE
    if not page.lines:
        return Read.FAILED  # not even Livy's markers, which every log of a started batch has: it says nothing (F5)
    output, diagnostics = logtail.sections(page.lines)
    kept, fresh = RecoveryLog.objects.get_or_create(recovery=recovery)
    before = (kept.output, kept.diagnostics, kept.withheld)
    secret = client.endpoint.secret
    window = [redact(line[:MAX_LINE], secret) for text in output for line in text.split("\n")]
    kept.output = "\n".join(logtail.merge(kept.output.split("\n") if kept.output else [], window))
    kept.diagnostics = redact("\n".join(diagnostics)[:MAX_DIAGNOSTICS], secret).strip() or kept.diagnostics
    was_final, kept.final, kept.withheld = kept.final, final, False
    if fresh or final or was_final or before != (kept.output, kept.diagnostics, kept.withheld):
        kept.on_yarn = kept.on_yarn or logtail.has_diagnostics_part(page.lines)
        kept.read_at = now
        kept.save()
    return Read.KEPT


def capture(recovery: Recovery, client: KnoxLivyClient, *, now: datetime) -> Read:
    """What can be had of a running batch's log just now, before it is stopped."""
    try:
        return read(recovery, client, now=now, final=False)
    except NotSent:
        return Read.FAILED


def is_of_the_end(recovery: Recovery) -> bool:
    """The kept log was read after the batch was seen to be over."""
    kept = RecoveryLog.objects.filter(recovery=recovery, final=True).first()
    seen = recovery.terminal_seen_at
    return kept is not None and seen is not None and kept.read_at is not None and kept.read_at >= seen


def keep_diagnostics(recovery: Recovery, told: str, *, now: datetime) -> None:
    """YARN's own words about the end, where Livy has given none."""
    kept, _fresh = RecoveryLog.objects.get_or_create(recovery=recovery)
    if told and not kept.diagnostics:
        kept.diagnostics, kept.on_yarn, kept.read_at = redact(told[:MAX_DIAGNOSTICS]), True, now
        kept.save()


def evidence(recovery: Recovery) -> list[str] | None:
    """The kept log in Livy's shape, for the verdict on a `dead` batch (F5); None when none could be read."""
    kept = RecoveryLog.objects.filter(recovery=recovery).first()
    if kept is None or kept.withheld:
        return None
    lines = [logtail.STDOUT, *kept.output.split("\n"), logtail.STDERR]
    return lines + ([logtail.DIAGNOSTICS, *kept.diagnostics.split("\n")] if kept.on_yarn else [])
