"""Waking a worker. The broker is a hint: what it loses, the sweep finds in the database (invariant 2)."""

from __future__ import annotations

from typing import Final

import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction

log = structlog.get_logger(__name__)

SUBMIT: Final = "recovery.submit"
SETTLE: Final = "recovery.settle"
FOLLOW: Final = "recovery.follow"
LOGS: Final = "recovery.logs"
SWEEP: Final = "recovery.sweep"
NOTIFY: Final = "recovery.notify"
QUEUES: Final = {SUBMIT: "submit", SETTLE: "submit", FOLLOW: "follow", LOGS: "logs", SWEEP: "housekeeping",
                 NOTIFY: "housekeeping"}  # fmt: skip
"""Each task by name (a test holds that all are registered) and its queue: one kind of work starves no other."""


def wake(task: str, gateway_id: int) -> None:
    """After commit, tell a worker that `gateway_id` has work. A dead broker costs a second and loses nothing."""
    transaction.on_commit(lambda: send(task, gateway_id), robust=True)


def send(task: str, *args: int) -> bool:
    """Send the message now; False when the broker did not take it."""
    try:
        current_app.send_task(
            task,
            args=args,
            queue=QUEUES[task],
            ignore_result=True,
            retry=False,
            expires=max(60.0, settings.RECOVERY_PACING.sweep_every * 4),
        )
    except Exception as error:  # noqa: BLE001  # kombu raises whatever its transport raises
        log.warning("broker_unavailable", task=task, error=type(error).__name__)
        return False
    return True
