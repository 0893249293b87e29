"""The application."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RecoveryConfig(AppConfig):
    """Registers the system checks; everything else is asked for by the doors."""

    name = "recovery"
    verbose_name = _("Data recovery")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register `recovery.E001…` and the signal that keeps the env profile in step with migrations."""
        from recovery import checks  # noqa: F401  # registers by being imported

        post_migrate.connect(_sync_env_after_migrate, sender=self, dispatch_uid="recovery.sync_env")


def _sync_env_after_migrate(**kwargs: Any) -> None:
    """`migrate` brings the profile `env` in step with `.env` (H4). A test's flush sends no plan; zero has no tables."""
    from django.db import connection

    from recovery.models import LivyProfile
    from recovery.services.profiles import sync_env

    if "plan" in kwargs and LivyProfile._meta.db_table in connection.introspection.table_names():
        sync_env()
