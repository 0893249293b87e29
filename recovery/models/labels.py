"""`choices=` callables. Their import paths are frozen into migrations: never rename or move these functions."""

from __future__ import annotations

from enum import StrEnum

from recovery import wording
from recovery.domain.arguments import ArgsMode
from recovery.domain.gateways import AuthKind, Channel, Condition
from recovery.domain.notices import Wish
from recovery.domain.signatures import Certainty
from recovery.domain.states import Hold, Settlement, State
from recovery.domain.verdicts import Outcome

Choices = list[tuple[str, object]]


def _of(kind: type[StrEnum]) -> Choices:
    return [(member.value, wording.label(member)) for member in kind if member.value]


def states() -> Choices:
    """Recovery.state."""
    return _of(State)


def outcomes() -> Choices:
    """Recovery.outcome."""
    return _of(Outcome)


def holds() -> Choices:
    """Recovery.hold."""
    return _of(Hold)


def settlements() -> Choices:
    """Recovery.settled_as."""
    return _of(Settlement)


def channels() -> Choices:
    """Recovery.channel."""
    return _of(Channel)


def args_modes() -> Choices:
    """Recovery.args_mode: how the arguments were read."""
    return _of(ArgsMode)


def profile_args_modes() -> Choices:
    """LivyProfile.args_mode: how typed arguments are read."""
    return [(mode.value, wording.label(mode)) for mode in (ArgsMode.SINGLE, ArgsMode.SPLIT)]


def auth_kinds() -> Choices:
    """Gateway.auth_kind."""
    return _of(AuthKind)


def conditions() -> Choices:
    """Gateway.condition."""
    return _of(Condition)


def certainties() -> Choices:
    """FailureSignature.certainty."""
    return _of(Certainty)


def wishes() -> Choices:
    """NoticeWish.wish."""
    return _of(Wish)
