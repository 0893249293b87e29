"""Livy hangs: Knox gives up, and the batch starts when nobody waits for it any more (real-behaviour.md, fact 2)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from recovery.domain.gateways import Condition
from recovery.gateway.errors import Ambiguous, NotSent
from tests.contract.wires import HTML, Wire, connected


@pytest.fixture(scope="module")
def hasty(kind: str) -> Iterator[Wire]:
    """Its Knox gives up on Livy after two seconds, the sandbox's after half a one."""
    if kind == "real" and os.environ["STACK_MODE"] == "yarn":
        pytest.skip("the same as on a local master, where it is tried")
    with connected(kind, impatient=True) as wire:
        yield wire


def test_a_post_that_knox_gave_up_on_starts_late(hasty: Wire) -> None:
    name, other = hasty.name("late"), hasty.name("late")
    hasty.pause_livy()
    try:
        before = time.monotonic()
        answer = hasty.post(name=name, driverMemory="lots")
        assert 0.4 < time.monotonic() - before < 10
        assert (answer.status_code, answer.headers["Content-Type"]) == (500, HTML)
        assert "java.io.IOException: Service connectivity error." in answer.text
        # a look is answered no better: this 500 says nothing of the batch
        assert hasty.get(f"/batches/{name}").status_code == 500
        with hasty.client() as client:
            with pytest.raises(Ambiguous) as doubt:
                client.create(
                    f'{{"file":"{hasty.jar}","name":"{other}","driverMemory":"lots"}}', name=other, deadline=30
                )
            assert doubt.value.status == 500
            with pytest.raises(NotSent) as unknown:
                client.get(other)
            assert unknown.value.condition is Condition.SERVER_ERROR
    finally:
        hasty.resume_livy()
    # late accept: both are there, and really started
    for accepted in (name, other):
        hasty.until(lambda accepted=accepted: (batch := hasty.batch(accepted)) and batch["log"], 20)  # type: ignore[misc]
    assert "Duplicate session name" in hasty.post(name=name).json()["msg"]
