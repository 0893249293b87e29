"""Keeping a recovery's log while it runs and at its end; Livy forgets it after ten minutes."""

from __future__ import annotations

from datetime import datetime

from recovery.domain import logtail
from recovery.domain.redaction import redact
from recovery.gateway.errors import Forbidden, GatewayError
from recovery.gateway.livy import KnoxLivyClient
from recovery.models import Recovery, RecoveryLog


def capture(recovery: Recovery, client: KnoxLivyClient, *, now: datetime, final: bool) -> bool:
    """Read Livy's ring and lay it over what is kept; False when it could not be read just now."""
    try:
        page = client.log(recovery.batch_name)
    except Forbidden:
        RecoveryLog.objects.update_or_create(recovery=recovery, defaults={"withheld": True, "read_at": now})
        return True
    except GatewayError:
        return False
    output, diagnostics = logtail.sections(page.lines)
    kept = RecoveryLog.objects.filter(recovery=recovery).first() or RecoveryLog(recovery=recovery)
    # a NUL cannot be stored in PostgreSQL
    window = [redact(line, client.endpoint.secret).replace("\0", "\N{SYMBOL FOR NULL}") for line in output]
    merged = "\n".join(logtail.merge(kept.output.split("\n") if kept.output else [], window))
    told = redact("\n".join(diagnostics), client.endpoint.secret).replace("\0", "\N{SYMBOL FOR NULL}").strip()
    if not kept._state.adding and (merged, told or kept.diagnostics, final) == (
        kept.output, kept.diagnostics, kept.final,
    ):  # fmt: skip
        return True
    kept.output, kept.diagnostics, kept.final, kept.read_at = merged, told or kept.diagnostics, final, now
    kept.on_yarn = kept.on_yarn or logtail.has_diagnostics_part(page.lines)
    kept.save()
    return True


def evidence(recovery: Recovery) -> list[str] | None:
    """The kept log in Livy's shape, for the verdict on a `dead` batch (F5); None when none could be read."""
    kept = RecoveryLog.objects.filter(recovery=recovery).first()
    if kept is None or kept.withheld:
        return None
    lines = [logtail.STDOUT, *kept.output.split("\n"), logtail.STDERR]
    return lines + ([logtail.DIAGNOSTICS, *kept.diagnostics.split("\n")] if kept.on_yarn else [])
