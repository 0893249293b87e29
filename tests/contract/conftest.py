"""The same tests on the sandbox, and with `-m stack` on the real stack (`make test-stack`)."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.contract.wires import KINDS, Wire, connected, keep_standing


def _kinds() -> list[object]:
    return [pytest.param(kind, marks=pytest.mark.stack) if kind == "real" else kind for kind in KINDS]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What an earlier test left down does not make this one fail."""
    keep_standing(item)


@pytest.fixture(scope="module", params=_kinds())
def kind(request: pytest.FixtureRequest) -> str:
    """Which gateway; `real` only where STACK_MODE (local, yarn) says how it was brought up."""
    if request.param == "real" and not os.environ.get("STACK_MODE"):
        pytest.skip("STACK_MODE is not set: run by scripts/test-stack.sh")
    return str(request.param)


@pytest.fixture(scope="module")
def wire(kind: str) -> Iterator[Wire]:
    """A gateway with nothing odd about it."""
    with connected(kind) as wire:
        yield wire
