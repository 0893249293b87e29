"""What was used lately, offered again to whoever files."""

from __future__ import annotations

from recovery.models import Recovery

LOOKED_AT = 300
OFFERED = 20


def jar_paths() -> list[str]:
    """Jars of the last recoveries, newest first, each once. One query that reads a few hundred rows at the most."""
    recent = Recovery.objects.order_by("-id").values_list("jar_path", flat=True)[:LOOKED_AT]
    return list(dict.fromkeys(recent))[:OFFERED]
