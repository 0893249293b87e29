"""Where a gateway is and how we show who we are: everything a call needs, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from recovery.domain.gateways import AuthKind


class SecretUnavailable(Exception):
    """The reference leads to no secret; the message names the reference and never the secret."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """One Knox topology as a client sees it. `base_url` is `https://host:8443/gateway/<topology>`."""

    base_url: str
    livy_path: str = "livy/v1"
    auth: AuthKind = AuthKind.BASIC
    user: str = ""
    secret: str = field(default="", repr=False)
    verify_tls: bool = True
    ca_bundle: str = ""

    def livy(self, *segments: str | int, query: str = "") -> str:
        """URL below Livy; each segment percent-encoded, so that a name may hold anything."""
        parts = [self.base_url.rstrip("/"), self.livy_path.strip("/")]
        parts += [quote(str(segment), safe="") for segment in segments]
        return "/".join(part for part in parts if part) + (f"?{query}" if query else "")

    @property
    def verify(self) -> bool | str:
        """`verify` of requests: a CA file, the system's authorities, or nothing."""
        return (self.ca_bundle or True) if self.verify_tls else False


def resolve_secret(reference: str, environment: dict[str, str]) -> str:
    """The secret behind `env:NAME` or `file:/path` (first line), read at the moment of the call (design §8).

    An empty reference is an empty secret. Raises SecretUnavailable.
    """
    if not reference:
        return ""
    kind, _, place = reference.partition(":")
    if kind == "env":
        if not environment.get(place):
            raise SecretUnavailable(f"{reference}: the variable is not set")
        return environment[place]
    if kind == "file":
        try:
            return Path(place).read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise SecretUnavailable(f"{reference}: {type(error).__name__}") from error
    raise SecretUnavailable(f"{reference!r} is neither env:NAME nor file:/path")
