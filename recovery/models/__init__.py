"""The tables (design §7)."""

from recovery.models.access import ApiToken
from recovery.models.event import RecoveryEvent, SubjectType
from recovery.models.gateway import Gateway
from recovery.models.housekeeping import Instance, Lease
from recovery.models.log import RecoveryLog
from recovery.models.notice import NoticeWish
from recovery.models.profile import LivyProfile
from recovery.models.recovery import Recovery
from recovery.models.signature import FailureSignature

__all__ = [
    "ApiToken",
    "FailureSignature",
    "Gateway",
    "Instance",
    "Lease",
    "LivyProfile",
    "NoticeWish",
    "Recovery",
    "RecoveryEvent",
    "RecoveryLog",
    "SubjectType",
]
