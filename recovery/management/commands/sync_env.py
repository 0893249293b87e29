"""`manage.py sync_env`: bring the profile `env` in step with `.env` (H4). `migrate` does it too."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from recovery.services.profiles import sync_env


class Command(BaseCommand):
    """One command, not each process: a changed `.env` takes effect when somebody says so."""

    help = "Takes the profile 'env' and its gateway over from .env."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what the profile is now."""
        profile = sync_env()
        if profile is None:
            self.stdout.write("KNOX_HOST is not set: there is no profile 'env'.")
            return
        gateway = profile.gateway
        self.stdout.write(f"{profile.name}: version {profile.version}, on {gateway} ({gateway.base_url})")
