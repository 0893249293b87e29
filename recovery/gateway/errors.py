"""What went wrong, told by the question that matters: did it start?

    GatewayError
    ├── NotSent            Livy did not act on the call; the gateway is in some condition (A2)
    ├── NotFound           Livy itself says that it has no such batch
    ├── Forbidden          Livy answers, and withholds this one thing (no view or modify right)
    ├── Refused            Livy's own verdict on the payload (A3)
    │   └── DuplicateName  the name is held by a batch of this Livy (A7)
    └── Ambiguous          the call may or may not have been acted on (A4)
        └── Garbled        an answer came that is not Livy's

Rules A1 to A7: protocol.md. Sources: livy-knox-contract.md §8, real-behaviour.md §f, §h.
"""

from __future__ import annotations

from recovery.domain.gateways import Condition


class GatewayError(Exception):
    """Base of all; `words` is what the server said, cut and free of secrets; `status` is the HTTP status, if any."""

    def __init__(self, words: str, *, status: int | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.status = status


class NotSent(GatewayError):
    """Livy did not act on this call. `retry_after` in seconds, where the server asked for a pause."""

    def __init__(
        self, words: str, *, condition: Condition, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(words, status=status)
        self.condition = condition
        self.retry_after = retry_after


class NotFound(GatewayError):
    """A 404 in Livy's own words: "this Livy does not know it", no more."""


class Forbidden(GatewayError):
    """Livy's 403 with an empty body: no right to view or modify this batch."""


class Refused(GatewayError):
    """Livy will not start this payload. A phantom may hold the name now."""


class DuplicateName(Refused):
    """Livy holds a batch of our name: nothing was started by this call."""


class Ambiguous(GatewayError):
    """Nothing can be said from this call: it may have been acted on, or be acted on later."""


class Garbled(Ambiguous):
    """A 2xx whose body is not Livy's, or is not about our batch."""
