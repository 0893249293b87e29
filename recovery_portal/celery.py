"""The Celery application. `celery -A recovery_portal worker|beat`."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

from recovery_portal import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recovery_portal.settings")
broker.install()

app = Celery("recovery_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def _warn_of_differences(**kwargs: Any) -> None:
    from recovery.checks import warn_of_differences

    warn_of_differences()
