"""What would be filed, and the exact bytes that would go on the wire, before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recovery.domain.arguments import ArgsMode
from recovery.domain.payload import Payload, sent_text, sha256
from recovery.models import LivyProfile
from recovery.services.profiles import payload_of

NAME_TO_BE = "…"
"""Stands for the batch name in a preview: the name is made when the recovery is filed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """The frozen texts as they would be, by the one builder that filing uses too (N3)."""

    payload: Payload
    args_mode: ArgsMode
    text: str
    sha256: str
    sent_text: str


def preview(
    *,
    profile: LivyProfile,
    jar_path: str,
    jar_args: str | Sequence[str],
    overrides: Mapping[str, Any] | None = None,
    name: str = NAME_TO_BE,
) -> Preview:
    """Raises InvalidInput, as filing would."""
    payload, mode = payload_of(profile, jar_path=jar_path, jar_args=jar_args, overrides=overrides)
    return frozen(payload, mode, name=name)


def frozen(payload: Payload, mode: ArgsMode, *, name: str) -> Preview:
    """The payload's texts, with `name` in the sent one."""
    text = payload.text()
    return Preview(
        payload=payload, args_mode=mode, text=text, sha256=sha256(text), sent_text=sent_text(text, name=name)
    )
