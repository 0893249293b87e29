"""One HTTP request as the door read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    #: As on the request line, percent-encoded, with the query.
    target: str
    #: Lower-case names.
    headers: Mapping[str, str]
    body: bytes
    #: The actions of the faults that struck it; filled on its way.
    struck: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        pairs = parse_qsl(self.target.partition("?")[2], keep_blank_values=True)
        return dict(reversed(pairs))


@dataclass(slots=True, kw_only=True)
class Recorded:
    """What a client sent and what it was told; `status` stays None while, or if, no answer was sent."""

    seq: int
    #: Epoch seconds.
    at: float
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int | None = None
    #: The actions of the faults that struck it.
    struck: tuple[str, ...] = ()
