"""What would be filed, as the pages show it: the payload, the bytes, the arguments one by one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recovery import wording
from recovery.admin import show, story
from recovery.domain.payload import Payload
from recovery.models import Gateway, LivyProfile, Recovery
from recovery.services.preview import NAME_TO_BE, Preview, frozen
from recovery.services.profiles import launch_of
from recovery.services.resubmission import Difference, resubmission_payload


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """One payload, ready for a page."""

    profile: LivyProfile
    gateway: Gateway
    args: tuple[str, ...]
    mode: str
    payload: str
    sha256: str
    sent: str
    name: str
    proxy_user: str

    @property
    def token(self) -> str:
        """Changes when anything of what was shown changes: the payload, or where it goes."""
        return f"{self.sha256}:{self.profile.pk}:{self.gateway.pk}"

    @property
    def how_many(self) -> str:
        """ "1 argument"."""
        return how_many(self.args)

    @property
    def remarks(self) -> list[str]:
        """What is allowed and yet may be a slip."""
        found = []
        if any(arg != arg.strip() for arg in self.args):
            found.append(_("An argument begins or ends with a blank or a line break."))
        if any("\n" in arg.strip() for arg in self.args):
            found.append(_("An argument holds a line break."))
        return found


def how_many(args: tuple[str, ...]) -> str:
    """ "1 argument"."""
    return ngettext("%(count)s argument", "%(count)s arguments", len(args)) % {"count": len(args)}


def of_preview(profile: LivyProfile, preview: Preview) -> Sheet:
    """Of what would be filed."""
    return Sheet(
        profile=profile,
        gateway=profile.gateway,
        args=preview.payload.args,
        mode=str(wording.label(preview.args_mode)),
        payload=show.pretty(preview.text),
        sha256=preview.sha256,
        sent=preview.sent_text,
        name=NAME_TO_BE,
        proxy_user=preview.payload.proxy_user or _("none asked for"),
    )


def of_recovery(recovery: Recovery) -> Sheet:
    """Of what was filed."""
    return Sheet(
        profile=recovery.profile,
        gateway=recovery.gateway,
        args=tuple(recovery.args),
        mode=recovery.get_args_mode_display(),
        payload=show.pretty(recovery.payload),
        sha256=recovery.payload_sha256,
        sent=recovery.sent_payload,
        name=recovery.batch_name,
        proxy_user=story.proxy_user(recovery),
    )


Row = tuple[str, str, str, str]
"""A value that is not the same everywhere: (field, then, in the profile today, now)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Again:
    """What a resubmission would send, and each value that differs between then, the profile today and now."""

    sheet: Sheet
    rows: list[Row]
    payload: Payload


def of_resubmission(recovery: Recovery, changes: dict[str, Any]) -> Again:
    """What a resubmission would send, and each value that differs between then, the profile today and now.

    Raises InvalidInput.
    """
    payload, mode, _raw = resubmission_payload(recovery=recovery, **changes)
    profile = changes.get("profile") or recovery.profile
    sheet = of_preview(profile, frozen(payload, mode, name=NAME_TO_BE))
    then, now = json.loads(recovery.payload), payload.to_json()
    today = launch_of(profile, jar_path=payload.file, args=payload.args).to_json()
    rows: list[Row] = [
        (name, before, "", after)
        for name, before, after in (
            (_("profile"), recovery.profile_name, profile.name),
            (_("gateway"), recovery.gateway.name, profile.gateway.name),
        )
        if before != after
    ]
    for name in dict.fromkeys([*then, *now, *today]):
        values = tuple(show.value(one.get(name)) for one in (then, today, now))
        if len(set(values)) > 1:
            # jar and arguments are not the profile's
            rows.append((name, values[0], "" if name in ("file", "args") else values[1], values[2]))
    return Again(sheet=sheet, rows=rows, payload=payload)


def shown(difference: Difference) -> tuple[str, str, str]:
    """A difference as texts."""
    return difference.field, show.value(difference.then), show.value(difference.now)
