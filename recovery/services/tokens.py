"""Tokens of the API. Only the SHA-256 is stored; the token itself is told once, to who makes it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from recovery.models import ApiToken, LivyProfile, SubjectType
from recovery.services import events
from recovery.services.clock import seconds

BEGINNING: Final = "rp_"
PREFIX_LENGTH: Final = 12
READ: Final = "read"
"""The one scope there is: safe methods only. No scopes: all that the user may do."""
USED_EVERY: Final = 60.0
"""`last_used_at` is written at most this often (seconds): a poll is no write."""


def create_token(
    *,
    user: User,
    name: str,
    by: User | None,
    expires_at: datetime | None = None,
    scopes: Iterable[str] = (),
    profiles: Iterable[LivyProfile] = (),
) -> tuple[ApiToken, str]:
    """The row, and the token to be shown once. `profiles` are the only ones it files on (none: all of its user)."""
    raw = BEGINNING + secrets.token_urlsafe(32)
    wanted, covered = sorted(set(scopes)), list(profiles)
    with transaction.atomic():
        token = ApiToken.objects.create(
            prefix=raw[:PREFIX_LENGTH],
            sha256=_digest(raw),
            user=user,
            name=name,
            scopes=wanted,
            expires_at=expires_at,
        )
        token.profiles.set(covered)
        token.refresh_from_db()
        events.append(
            SubjectType.TOKEN,
            token.pk,
            "created",
            actor=by,
            name=name,
            user=user.get_username(),
            expires_at=expires_at.isoformat() if expires_at else None,
            scopes=wanted,
            profiles=sorted(profile.name for profile in covered),
        )
    return token, raw


def find_token(raw: str, *, now: datetime) -> ApiToken | None:
    """The row of a token that is good now: known, not revoked, not expired, its user active.

    The look-up is by SHA-256, so its time tells nothing about a token that is nearly right.
    """
    token = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), sha256=_digest(raw))
        .filter(revoked_at__isnull=True, user__is_active=True)
        .first()
    )
    if token is not None:
        _used(token, now)
    return token


def revoke(*, token: ApiToken, by: User | None, now: datetime) -> bool:
    """It is refused from now on; False when it was revoked already."""
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now) == 0:
            return False
        events.append(SubjectType.TOKEN, token.pk, "revoked", actor=by)
    token.revoked_at = now
    return True


def read_only(token: ApiToken) -> bool:
    """A token with scopes may only read: there is no other scope, and an unknown one gives nothing."""
    return bool(token.scopes)


def _used(token: ApiToken, now: datetime) -> None:
    before = now - seconds(USED_EVERY)
    if token.last_used_at is None or token.last_used_at < before:
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=before)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
        token.last_used_at = now


def _digest(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()
