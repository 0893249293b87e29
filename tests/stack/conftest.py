"""End to end on the real stack: only with `-m stack` and STACK_MODE, as scripts/test-stack.sh sets it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contract.wires import PASSWORD, RealWire, keep_standing, stack_env
from tests.stack.portal import Portal
from tests.stack.tap import TOPOLOGY, Tap, tapped

_said = pytest.StashKey[list[str]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs the stack."""
    for item in items:
        if "tests/stack/" in item.path.as_posix():
            item.add_marker(pytest.mark.stack)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What an earlier test left down does not make this one fail."""
    keep_standing(item)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """What the jobs themselves printed, word for word: the proof of a run."""
    if lines := config.stash.get(_said, []):
        terminalreporter.section("what the jobs printed")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def mode() -> str:
    """`local` or `yarn`."""
    if not os.environ.get("STACK_MODE"):
        pytest.skip("STACK_MODE is not set: run by scripts/test-stack.sh")
    return os.environ["STACK_MODE"]


@pytest.fixture
def say(request: pytest.FixtureRequest, mode: str) -> Callable[[str], None]:
    """Adds a line to the end of the run."""

    def add(line: str) -> None:
        request.config.stash.setdefault(_said, []).append(f"{mode}: {line}")

    return add


@pytest.fixture(scope="session")
def wire(mode: str) -> RealWire:
    """The stack itself, beside the portal: what Livy, YARN and the machine say."""
    return RealWire(mode)


@pytest.fixture(scope="session")
def portal(mode: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A running portal of its own."""
    portal = Portal(tmp_path_factory.mktemp("portal"))
    try:
        portal.start()
        yield portal
    finally:
        portal.stop()


@pytest.fixture(scope="session")
def jar(wire: RealWire, portal: Portal) -> str:
    """The guide's own on HDFS; else a file of this machine."""
    return "hdfs:///user/sddesigner/recovery.jar" if wire.hdfs else f"file://{portal.stack['RECOVERY_JAR']}"


@pytest.fixture(scope="session")
def tap(mode: str) -> Iterator[Tap]:
    """On the way from Knox to the one Livy. What needs it is tried where a job takes a tenth of the time."""
    if mode == "yarn":
        pytest.skip("on a local master")
    with tapped(stack_env()) as tap:
        yield tap


@pytest.fixture(scope="session")
def second(mode: str, tap: Tap, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Another portal on the same Livy, by way of the tap. Its name begins with the first one's."""
    folder = tmp_path_factory.mktemp("second")
    secret = folder / "password"
    secret.write_text(PASSWORD, encoding="utf-8")
    portal = Portal(
        folder, PORTAL_ID="e2e-two", KNOX_TOPOLOGY=TOPOLOGY, AD_PASSWORD="", AD_PASSWORD_FILE=str(secret)
    )
    try:
        portal.start()
        yield portal
    finally:
        portal.stop()
