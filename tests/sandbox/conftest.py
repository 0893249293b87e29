from collections.abc import Iterator

import pytest

from sandbox import Sandbox
from tests.sandbox.helpers import Door


@pytest.fixture
def sb() -> Iterator[Sandbox]:
    """A fast Livy in local mode: a job ends 0.02 s after its start."""
    with Sandbox(speed=100, post_cost=0.001) as sandbox:
        yield sandbox


@pytest.fixture
def door(sb: Sandbox) -> Door:
    return Door(sb)


@pytest.fixture
def on_yarn() -> Iterator[Sandbox]:
    """YARN, cluster mode: the application id comes after 0.035 s, the end after 0.17 s."""
    with Sandbox(speed=100, mode="yarn", post_cost=0.001) as sandbox:
        yield sandbox


@pytest.fixture
def yarn_door(on_yarn: Sandbox) -> Door:
    return Door(on_yarn)
