"""Celery's door: each task calls one service. Names and queues stand in `services/wake.py`."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.urls import reverse

from recovery.services import following, log_reading, notifying, reconciliation, submission, sweeping, wake


@shared_task(name=wake.SUBMIT)
def submit(gateway_id: int) -> None:
    """Submit what is due on one gateway."""
    submission.submit_due(gateway_id=gateway_id)


@shared_task(name=wake.SETTLE)
def settle(gateway_id: int) -> None:
    """Settle the doubts that are due on one gateway."""
    reconciliation.settle_due(gateway_id=gateway_id)


@shared_task(name=wake.FOLLOW)
def follow(gateway_id: int) -> None:
    """Follow the batches that are due on one gateway."""
    following.follow_due(gateway_id=gateway_id)


@shared_task(name=wake.LOGS)
def logs(gateway_id: int) -> None:
    """Read the logs that are due on one gateway."""
    log_reading.read_due(gateway_id=gateway_id)


@shared_task(name=wake.SWEEP)
def sweep() -> None:
    """Find whatever is due."""
    sweeping.sweep()


@shared_task(name=wake.NOTIFY)
def notify() -> None:
    """Send the mails about what has ended."""

    def address(name: str, *args: int) -> str:
        host: str = settings.PORTAL_URL
        return host and host + reverse(f"admin:recovery_recovery_{name}", args=args)

    notifying.deliver(page_of=lambda pk: address("change", pk), choice=address("notices"))
