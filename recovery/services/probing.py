"""What a gateway says to the look before filing: in parallel, within a few seconds in all, kept for a minute.

The threads touch no database and no cache; the client's secret is resolved before they start. A thread that hangs
(in a name look-up, say) is left behind: the answer is then "slow", and each of its calls has its own deadline.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from django.conf import settings
from django.core.cache import cache

from recovery.domain.gateways import Condition
from recovery.domain.pacing import Pacing
from recovery.domain.payload import canonical, sha256
from recovery.domain.preflight import Seen
from recovery.gateway.endpoint import Endpoint
from recovery.gateway.errors import Forbidden, GatewayError, NotFound, NotSent
from recovery.gateway.livy import KnoxLivyClient
from recovery.gateway.webhdfs import WRITE_INTO, WebHdfsClient
from recovery.models import Gateway
from recovery.services.gateways import ClientFactory, open_client

OK: Final = "ok"
MISSING: Final = "missing"
DIRECTORY: Final = "directory"
DENIED: Final = "denied"
UNKNOWN: Final = "unknown"
SLOW: Final = "slow"
AT_ONCE: Final = 8
LIVY: Final = "livy:"
HOME: Final = "home:"
JAR: Final = "jar:"
FILE: Final = "file:"


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One answer. `text` is Livy's version, or the home directory; `words` what the server said; `at`: when it was
    asked for."""

    state: str
    words: str = ""
    condition: str = ""
    text: str = ""
    seen: Seen | None = None
    at: datetime | None = None


Probe = Callable[[float], Look]
"""Asks one thing within so many seconds."""


def look_around(
    gateway: Gateway,
    *,
    jar: str,
    files: Iterable[str] = (),
    now: datetime,
    fresh: bool = False,
    client_for: ClientFactory = open_client,
) -> Mapping[str, Look]:
    """What Livy and HDFS say; keys are LIVY, HOME, JAR + path and FILE + path. `fresh` passes over what is kept.

    Never inside a transaction. Without a path of WebHDFS only Livy is asked.
    """
    paths = [f"{JAR}{jar}"] if jar else []
    paths += [f"{FILE}{path}" for path in dict.fromkeys(files)]
    wanted = [LIVY, *([HOME, *paths] if gateway.webhdfs_path else [])]
    names = {_name(gateway, key): key for key in wanted}
    known: dict[str, Look] = {} if fresh else {names[n]: look for n, look in cache.get_many(names).items()}
    missing = [key for key in wanted if key not in known]
    if missing:
        found = {key: replace(look, at=now) for key, look in _asked(gateway, missing, client_for).items()}
        kept = settings.RECOVERY_PACING.preflight_kept
        for good, seconds in ((True, kept), (False, kept / 6)):
            keep = {_name(gateway, key): look for key, look in found.items() if (look.state == OK) is good}
            cache.set_many(keep, seconds)
        known |= found
    return known


def _name(gateway: Gateway, key: str) -> str:
    """Of a finding in the cache: another address or user is another finding."""
    where = (gateway.pk, gateway.base_url, gateway.livy_path, gateway.webhdfs_path, gateway.user, gateway.secret_ref)
    return "look:" + sha256(canonical([*where, key]))


def _asked(gateway: Gateway, keys: list[str], client_for: ClientFactory) -> dict[str, Look]:
    try:
        with client_for(gateway) as client:
            endpoint = client.endpoint
    except NotSent as error:
        return dict.fromkeys(keys, _no_answer(error))
    pacing = settings.RECOVERY_PACING
    probes = {key: _probe(endpoint, gateway.webhdfs_path, pacing, key) for key in keys}
    end = time.monotonic() + pacing.preflight_limit
    pool = ThreadPoolExecutor(min(AT_ONCE, len(probes)), thread_name_prefix="preflight")
    try:
        running = {pool.submit(_timed, probe, end): key for key, probe in probes.items()}
        done, late = wait(running, timeout=pacing.preflight_limit)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    found = {running[one]: one.result() for one in done}
    return found | {running[one]: Look(state=SLOW) for one in late}


def _timed(probe: Probe, end: float) -> Look:
    return probe(end - time.monotonic())


def _probe(endpoint: Endpoint, webhdfs_path: str, pacing: Pacing, key: str) -> Probe:
    if key == LIVY:
        return partial(_livy, endpoint, pacing)
    kind, _, path = key.partition(":")
    ask = {HOME: _home, JAR: _jar, FILE: _file}[f"{kind}:"]

    def probe(limit: float) -> Look:
        with WebHdfsClient(endpoint, webhdfs_path, pacing=pacing, limit=limit) as hdfs:
            return ask(hdfs, path)

    return probe


def _livy(endpoint: Endpoint, pacing: Pacing, limit: float) -> Look:
    try:
        with KnoxLivyClient.at(endpoint, pacing=replace(pacing, get_deadline=limit)) as client:
            return Look(state=OK, text=client.version().text)
    except GatewayError as error:
        return _no_answer(error)


def _home(hdfs: WebHdfsClient, _path: str) -> Look:
    """Spark puts its staging directory into the home of whom the job runs as (§m)."""
    home = ""
    try:
        home = hdfs.home()
        hdfs.status(home)
        hdfs.check_access(home, WRITE_INTO)
    except GatewayError as error:
        return replace(_no_answer(error), text=home)
    return Look(state=OK, text=home)


def _file(hdfs: WebHdfsClient, path: str) -> Look:
    try:
        status = hdfs.status(path)
        if not status.is_file:
            return Look(state=DIRECTORY)
        hdfs.check_access(path)
    except GatewayError as error:
        return _no_answer(error)
    modified = int(status.modified.timestamp() * 1000)
    return Look(state=OK, seen=Seen(length=status.length, modified=modified))


def _jar(hdfs: WebHdfsClient, path: str) -> Look:
    """With its checksum, where one can be had."""
    look = _file(hdfs, path)
    if look.seen is None:
        return look
    try:
        return replace(look, seen=replace(look.seen, checksum=hdfs.checksum(path)))
    except GatewayError:  # size and time have to do
        return look


def _no_answer(error: GatewayError) -> Look:
    if isinstance(error, NotFound):
        return Look(state=MISSING, words=error.words)
    if isinstance(error, Forbidden):
        return Look(state=DENIED, words=error.words)
    condition = error.condition if isinstance(error, NotSent) else Condition.SERVER_ERROR
    state = SLOW if condition is Condition.TIMEOUT else UNKNOWN
    return Look(state=state, words=error.words, condition=condition.value)
