"""`manage.py adopt_database --moved | --restored | --copy`: say whose database this is now (H5)."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from recovery.services import instance
from recovery.services.clock import database_now


class Command(BaseCommand):
    """Until it was run, a database of another PORTAL_ID neither submits nor stops anything."""

    help = "Makes a moved, restored or copied database this portal's."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Exactly one of three."""
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--moved", dest="how", action="store_const", const="moved", help="the old portal is gone")
        how.add_argument(
            "--restored",
            dest="how",
            action="store_const",
            const="restored",
            help="from a backup: each queued recovery is looked up in Livy before it is sent",
        )
        how.add_argument(
            "--copy",
            dest="how",
            action="store_const",
            const="copy",
            help="the original goes on elsewhere: everything that has not ended is to be checked, here",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many recoveries were touched."""
        touched = instance.adopt(how=options["how"], now=database_now())
        self.stdout.write(f"This database is {instance.current()} now. {touched} recovery(ies) changed.")
