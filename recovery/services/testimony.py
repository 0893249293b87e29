"""What YARN says about a recovery: the second witness, asked by tag and by application id (S3, F5 to F7, C3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from recovery.gateway.errors import GatewayError, NotFound
from recovery.gateway.yarn import Application, YarnClient
from recovery.models import Recovery
from recovery.services import duplicates, events
from recovery.services.gateways import open_yarn

log = structlog.get_logger(__name__)

CLOCKS_APART = timedelta(seconds=60)
"""How much the cluster's clock may differ from the database's."""


class Says(StrEnum):
    """YARN's answer, as far as it goes."""

    NOTHING_HERE = "nothing_here"
    """This gateway has no YARN."""
    SILENT = "silent"
    """It gives no answer now."""
    NONE = "none"
    """It knows no application of ours, and has remembered since the try."""
    FORGOT = "forgot"
    """It knows none, but it was restarted since the try: that says nothing."""
    ALIVE = "alive"
    OVER = "over"
    SEVERAL = "several"
    """More than one: an alarm, and never picked from (F7)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Testimony:
    """The answer, and the application where there is one."""

    says: Says
    app: Application | None = None


def hear(recovery: Recovery, *, since: datetime | None) -> Testimony:
    """Ask YARN about a recovery. `since`: from when on it would have to remember. Writes the alarm of F7."""
    if not recovery.gateway.yarn_path:
        return Testimony(says=Says.NOTHING_HERE)
    try:
        with open_yarn(recovery.gateway) as yarn:
            apps = _applications(recovery, yarn)
            if not apps:
                remembers = since is not None and yarn.info().started <= since - CLOCKS_APART
                return Testimony(says=Says.NONE if remembers else Says.FORGOT)
    except GatewayError as error:
        log.warning("yarn_silent", gateway=recovery.gateway_id, words=error.words[:200])
        return Testimony(says=Says.SILENT)
    if len(apps) > 1:
        names = sorted(app.id for app in apps)
        duplicates.raise_alarm(recovery.pk, cause="yarn", applications=names)
        return Testimony(says=Says.SEVERAL)
    return Testimony(says=Says.OVER if apps[0].is_over else Says.ALIVE, app=apps[0])


def _applications(recovery: Recovery, yarn: YarnClient) -> list[Application]:
    apps = {app.id: app for app in yarn.by_tag(recovery.batch_name)}
    if recovery.app_id and recovery.app_id not in apps:
        try:
            apps[recovery.app_id] = yarn.by_id(recovery.app_id)
        except NotFound:
            log.info("yarn_forgot", recovery=recovery.pk, app=recovery.app_id)
    return list(apps.values())


def kill(recovery: Recovery, app: Application) -> None:
    """C3: the DELETE did not end it. Asked for again at each look until it is over."""
    try:
        with open_yarn(recovery.gateway) as yarn:
            yarn.kill(app.id)
    except GatewayError as error:
        events.of_recovery(recovery.pk, "delete_failed", cause=type(error).__name__, words=error.words[:500])
        return
    events.of_recovery(recovery.pk, "kill_sent", app=app.id)
