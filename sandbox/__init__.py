"""A pretend Apache Knox + Apache Livy (+ WebHDFS, + YARN's ResourceManager) in one small HTTP server.

Written from what a real stack was measured to answer, so that clients can be tested against lost answers, restarts
and lies without a cluster. Standard library only; `python -m sandbox` serves, `Sandbox` does in-process.

    with Sandbox(speed=20, mode="yarn") as sb:
        sb.add_fault(Fault("POST /batches", "knox_500", when="after", nth=1))
        ...  # a client works on sb.url
        assert len(sb.ledger.started("my-batch")) == 1

What the modules cite as `real-behaviour.md §x` and `livy-knox-contract.md §n` are the notes of those measurements.
"""

from sandbox.core import Sandbox
from sandbox.faults import ACTIONS, Fault, load_faults
from sandbox.ledger import Ended, Ledger, Started
from sandbox.request import Recorded
from sandbox.settings import Settings
from sandbox.webhdfs import Node

__all__ = [
    "ACTIONS",
    "Ended",
    "Fault",
    "Ledger",
    "Node",
    "Recorded",
    "Sandbox",
    "Settings",
    "Started",
    "load_faults",
]
