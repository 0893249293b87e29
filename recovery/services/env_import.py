"""A profile from the text of somebody's `.env`: read as the portal reads its own, shown first, then stored."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from recovery.conf import SECRET_VARIABLES, VARIABLES, ConfigProblem, gateway_url, lines_of, read
from recovery.models import Gateway, LivyProfile, SubjectType
from recovery.services import events
from recovery.services.profiles import ENV_COLUMNS, check_profile, env_profile_values

_ADDRESS = frozenset({"KNOX_HOST", "KNOX_TOPOLOGY"})
_SECRET_LINE = re.compile(
    rf"^\s*(?:export\s+)?(?:{'|'.join(sorted(SECRET_VARIABLES))}|\w*(?:PASSWORD|SECRET|TOKEN)\w*)\s*=.*$",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvImport:
    """`values`: columns of the profile. `unset`: what the text does not set, so that it has its default; `left_out`:
    what is no matter of a profile. `base_url` is the gateway's, empty when the text names none."""

    values: dict[str, Any]
    base_url: str
    problems: tuple[ConfigProblem, ...]
    unset: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def unreadable(self) -> frozenset[str]:
        """The columns whose variable could not be read: `values` has a default there."""
        return frozenset(ENV_COLUMNS[one.variable] for one in self.problems if one.variable in ENV_COLUMNS)


def without_secrets(text: str) -> str:
    """The text without the lines that hold a password or a token: they are neither kept nor shown again."""
    return _SECRET_LINE.sub("", text)


def read_text(text: str) -> EnvImport:
    """What it says of a profile. Never raises: what cannot be read is among the problems."""
    lines = lines_of(io.StringIO(without_secrets(text)))
    own = {name: value for name, value in lines.items() if name in ENV_COLUMNS.keys() | _ADDRESS}
    reading = read(own)
    address = not any(problem.variable in _ADDRESS for problem in reading.problems)
    return EnvImport(
        values=env_profile_values(reading),
        base_url=gateway_url(reading["KNOX_HOST"], reading["KNOX_TOPOLOGY"])
        if address and reading["KNOX_HOST"] else "",
        problems=reading.problems,
        unset=tuple(name for name in VARIABLES if name in ENV_COLUMNS and name not in own),
        left_out=tuple(sorted(lines.keys() - ENV_COLUMNS.keys() - _ADDRESS)),
    )  # fmt: skip


def profile_from(found: EnvImport, *, name: str, gateway: Gateway) -> LivyProfile:
    """The profile that it would be, not stored. Raises InvalidInput when no payload of it could ever be filed."""
    profile = LivyProfile(name=name, gateway=gateway, enabled=False, **found.values)
    check_profile(profile)
    return profile


def import_profile(found: EnvImport, *, name: str, gateway: Gateway, by: User) -> LivyProfile:
    """Store it, disabled until somebody enables it. Raises InvalidInput."""
    profile = profile_from(found, name=name, gateway=gateway)
    profile._history_user = by  # type: ignore[attr-defined]  # simple-history's way to say who
    with transaction.atomic():
        profile.save()
        events.append(SubjectType.PROFILE, profile.pk, "created", cause="import", actor=by, version=profile.version)
    return profile
