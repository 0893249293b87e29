"""Settling by a link (H1): a person names a batch, is shown what stands behind it, and confirms just that.

Two steps. `find` looks the batch up and changes nothing; `link` looks it up once more, and settles only when it still
is what the person was shown. No call to the gateway is made inside a transaction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Q

from recovery import wording
from recovery.domain.errors import InvalidInput, Problem
from recovery.domain.gateways import Condition
from recovery.domain.states import Settlement
from recovery.gateway.errors import GatewayError, NotFound, NotSent
from recovery.models import Recovery
from recovery.services.gateways import ClientFactory, open_client, open_yarn
from recovery.services.settling import settle

_APPLICATION: Final = re.compile(r"application_[0-9]{1,20}_[0-9]{1,10}")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_NOBODYS: Final = re.compile(r"[0-9]*|\.\.?")
"""Beyond the numbers that Livy counts to, or a step in a path: no name of a batch."""
MAX_WANTED: Final = 300


class Source(StrEnum):
    """Who told."""

    LIVY = "livy"
    YARN = "yarn"


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A batch as Livy names it, or an application as YARN does. `state`: Livy's word, or YARN's finalStatus.

    `name` is empty for a batch without one; `batch_id` is None for an application (0 is an id).
    """

    source: Source
    name: str
    batch_id: int | None
    app_id: str
    state: str
    owner: str

    def is_same(self, shown: Shown) -> bool:
        """It still is what was shown: number and name; the application too, once it was known."""
        same = (self.name, self.batch_id) == (shown.name, shown.batch_id)
        return same and (not shown.app_id or shown.app_id == self.app_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What the person was shown, as they send it back."""

    name: str
    batch_id: int | None
    app_id: str = ""


def find(*, recovery: Recovery, wanted: str, client_for: ClientFactory = open_client) -> Link:
    """What `wanted` (a batch id, a batch name, or a YARN application id) is on the recovery's own gateway.

    Raises InvalidInput: nothing of that name, another recovery's batch, or a gateway that gives no answer.
    """
    wanted = wanted.strip()
    if len(wanted) > MAX_WANTED or (_NOBODYS.fullmatch(wanted) and not _NUMBER.fullmatch(wanted)):
        raise _problem("link_unknown", value=wanted)
    try:
        link = _in_yarn(recovery, wanted) if _APPLICATION.fullmatch(wanted) else _in_livy(recovery, wanted, client_for)
    except NotFound as error:
        raise _problem("link_unknown", value=wanted) from error
    except GatewayError as error:
        condition = error.condition if isinstance(error, NotSent) else Condition.FORBIDDEN
        raise _problem("gateway_unusable", condition=wording.label(condition), words=error.words[:300]) from error
    if (other := _owner_of(link, but=recovery)) is not None:
        raise _problem("link_of_other", recovery=other)
    return link


def link(
    *,
    recovery: Recovery,
    wanted: str,
    shown: Shown,
    reason: str,
    by: User,
    now: datetime,
    client_for: ClientFactory = open_client,
) -> bool:
    """Settle the recovery as linked to `wanted`; False when it cannot be settled (any more).

    Raises InvalidInput as `find` does, and when what stands there is not what was shown.
    """
    found = find(recovery=recovery, wanted=wanted, client_for=client_for)
    if not found.is_same(shown):
        raise _problem("link_changed")
    return settle(
        recovery=recovery,
        settled_as=Settlement.LINKED,
        reason=reason,
        by=by,
        now=now,
        linked={
            "linked_batch_id": found.batch_id,
            "linked_batch_name": found.name[:300],
            "linked_app_id": found.app_id[:100],
        },
        batch=found.batch_id,
        name=found.name or None,
        app=found.app_id or None,
        owner=found.owner or None,
        **{"livy_state" if found.source is Source.LIVY else "final_status": found.state},
    )


def _problem(code: str, **params: object) -> InvalidInput:
    return InvalidInput([Problem(field="batch", code=code, params=params)])


def _in_livy(recovery: Recovery, wanted: str, client_for: ClientFactory) -> Link:
    """By number or by name, as Livy itself tells the two apart."""
    with client_for(recovery.gateway) as client:
        batch = client.get(int(wanted) if _NUMBER.fullmatch(wanted) else wanted)
    return Link(
        source=Source.LIVY,
        name=batch.name or "",
        batch_id=batch.id,
        app_id=batch.app_id or "",
        state=batch.state,
        owner=batch.owner or batch.proxy_user or "",
    )


def _in_yarn(recovery: Recovery, app_id: str) -> Link:
    """What Livy has forgotten, YARN may know."""
    if not recovery.gateway.yarn_path:
        raise _problem("link_no_yarn")
    with open_yarn(recovery.gateway) as yarn:
        app = yarn.by_id(app_id)
    # in client mode the job may rename itself, so the tag tells better whose it is
    ours = Recovery.objects.filter(batch_name__in=app.tags).values_list("batch_name", flat=True).first()
    return Link(
        source=Source.YARN,
        name=ours or app.name,
        batch_id=None,
        app_id=app.id,
        state=app.final_status,
        owner=app.user,
    )


def _owner_of(link: Link, *, but: Recovery) -> int | None:
    """Another recovery to which this batch or application belongs, or was linked."""
    theirs = Q(pk__in=())
    if link.name:
        theirs |= Q(batch_name=link.name)
    if link.app_id:
        theirs |= Q(app_id=link.app_id) | Q(linked_app_id=link.app_id)
    return Recovery.objects.filter(theirs).exclude(pk=but.pk).values_list("pk", flat=True).first()
