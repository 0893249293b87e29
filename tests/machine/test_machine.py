"""Design §2, under whatever may happen in whatever order."""

from __future__ import annotations

import sys

import pytest
from hypothesis import seed
from hypothesis.stateful import run_state_machine_as_test

from recovery.gateway import livy, yarn
from recovery.services import listing
from recovery_portal.celery import app
from tests.factories import make_user
from tests.machine.conftest import BLOCKS, EXAMPLES, FIRST, ONE_EXAMPLE
from tests.machine.machine import Machine
from tests.machine.wire import PASSWORD
from tests.machine.world import World


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("block", range(BLOCKS))
def test_one_recovery_is_at_most_one_batch_and_reaches_an_honest_end(
    db: None, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setenv("SANDBOX_PASSWORD", PASSWORD)
    monkeypatch.setattr(app, "send_task", lambda *args, **options: None)  # the broker is a hint
    for module in (livy, yarn):
        monkeypatch.setattr(module, "Transport", World.transport)
    monkeypatch.setattr(listing, "LIST_FROM", 2)
    for name, module in list(sys.modules.items()):
        if name.startswith("recovery.services.") and hasattr(module, "monotonic"):
            monkeypatch.setattr(module, "monotonic", World.monotonic)
    Machine.by = make_user("steward", is_superuser=True)
    for number in range(FIRST + block, FIRST + EXAMPLES, BLOCKS):
        try:
            run_state_machine_as_test(seed(number)(Machine), settings=ONE_EXAMPLE)
        except Exception as error:
            error.add_note(f"again: MACHINE_FIRST={number} MACHINE_EXAMPLES=1 pytest tests/machine")
            raise
