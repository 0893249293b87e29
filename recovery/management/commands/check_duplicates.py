"""`manage.py check_duplicates`: for monitoring; says which alarms of a second batch are open, and fails when one is."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from recovery.services import duplicates
from recovery.services.clock import database_now


class Command(BaseCommand):
    """Exit code 0: no open alarm; 2: at least one."""

    help = "Say which recoveries had a second batch and are not settled or acknowledged; exit code 2 when there is one."

    def handle(self, *args: Any, **options: Any) -> None:
        """The counter on the first line, then one line for each alarm."""
        avoided = duplicates.avoided(now=database_now())
        alarmed = list(duplicates.alarmed())
        self.stdout.write(f"open alarms: {len(alarmed)}; second launches avoided: {avoided.total}")
        for recovery in alarmed:
            self.stdout.write(f"recovery {recovery.pk} ({recovery.batch_name}, {recovery.state})")
        if alarmed:
            sys.exit(2)
