"""With impersonation on, a job runs as whom Knox says, whatever the body says (real-behaviour.md §j, fact 9)."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.contract.wires import Wire, connected


@pytest.fixture(scope="module")
def impersonating(kind: str) -> Iterator[Wire]:
    """One whose Livy runs jobs as somebody else."""
    if kind == "real" and os.environ["STACK_MODE"] == "yarn":
        pytest.skip("the same as on a local master, where it is tried")
    with connected(kind, impersonation=True) as wire:
        yield wire


@pytest.mark.parametrize("user", ["svc_portal", "steward"])
def test_the_job_is_the_callers(impersonating: Wire, user: str) -> None:
    asked = {"file": impersonating.jar, "driverMemory": "lots", "proxyUser": "hdfs", "name": impersonating.name("as")}
    password = {"svc_portal": "svc-password", "steward": "steward-password"}[user]
    answer = impersonating.call("POST", "/livy/v1/batches", json=asked, auth=(user, password))
    assert (answer.status_code, answer.json()["proxyUser"]) == (201, user)
    found = impersonating.batch(asked["name"])
    assert found is not None
    assert found["proxyUser"] == user
