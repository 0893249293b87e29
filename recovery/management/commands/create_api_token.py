"""`manage.py create_api_token USER`: a token of the API, printed once."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from recovery.models import LivyProfile
from recovery.services.clock import database_now
from recovery.services.tokens import READ, create_token


class Command(BaseCommand):
    """Standard output is the token alone, so that it can be piped into a secret store."""

    help = "Make an API token for USER and print it once: it cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """USER and what the token is restricted to."""
        parser.add_argument("user", metavar="USER", help="user name")
        parser.add_argument("--name", default="", help="what the token is for (default: API)")
        parser.add_argument("--days", type=int, default=None, help="days until it expires (default: never)")
        parser.add_argument(
            "--profile",
            action="append",
            default=[],
            metavar="NAME",
            help="a profile that it may use; may be repeated (default: every profile of the user)",
        )
        parser.add_argument("--read-only", action="store_true", help="it may only read")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it."""
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        if not user.is_active:
            raise CommandError(f"The user {options['user']!r} is not active.")
        days = options["days"]
        if days is not None and not 1 <= days <= 36500:
            raise CommandError("--days: expected a whole number from 1 to 36500.")
        names = set(options["profile"])
        profiles = list(LivyProfile.objects.filter(name__in=names))
        if unknown := sorted(names - {profile.name for profile in profiles}):
            raise CommandError(f"There is no profile {', '.join(unknown)}.")
        token, raw = create_token(
            user=user,
            name=options["name"][:100] or "API",
            by=None,
            expires_at=database_now() + timedelta(days=days) if days else None,
            scopes=[READ] if options["read_only"] else [],
            profiles=profiles,
        )
        until = f"until {token.expires_at:%Y-%m-%d %H:%M %Z}" if token.expires_at else "without an end"
        self.stderr.write(f"Token of {user.get_username()}, {until}. Keep it: it is not shown again.")
        self.stdout.write(raw)
