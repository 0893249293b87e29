"""The look before filing: is the gateway there, are the files, who are we, has this been done already.

What needs the database is asked first, then the network in threads (`probing.py`), never inside a transaction. The
result is a value: the doors show it, filing keeps it with the recovery. Red blocks, amber asks (domain/preflight.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from django.db.models import Q, Subquery

from recovery.domain.gateways import Condition
from recovery.domain.payload import Payload
from recovery.domain.preflight import Check, Light, Place, Preflight, Seen, hdfs_place
from recovery.domain.states import Settlement, State
from recovery.gateway.wire import Version
from recovery.models import Gateway, LivyProfile, Recovery
from recovery.services import gateways, probing
from recovery.services.gateways import ClientFactory, open_client
from recovery.services.probing import Look

RECENT: Final = timedelta(hours=24)
REACH: Final = timedelta(days=7)
"""How long before its end an ended recovery was filed at the most: the index of a jar goes by the time of filing."""
LARGE_BODY: Final = 8 * 1024
_MAY_HAVE_RUN: Final = Q(state=State.SUCCEEDED) | Q(
    state=State.LOST, settled_as__in=["", Settlement.SUCCEEDED, Settlement.LINKED]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What the database knows. `ran_as`: the last batch on this gateway; "" when Livy did not say; None: no batch."""

    same_work: tuple[int, str] | None
    last_success: tuple[int, Seen] | None
    ran_as: str | None


def preflight(
    *,
    profile: LivyProfile,
    payload: Payload,
    sent_text: str,
    now: datetime,
    fresh: bool = False,
    client_for: ClientFactory = open_client,
) -> Preflight:
    """Every check of a payload that passed Livy's rules. `fresh` looks again at what was seen a moment ago."""
    gateway = profile.gateway
    facts = facts_of(gateway, payload, now)
    uris = [*payload.jars, *payload.files, *payload.py_files, *payload.archives]
    jar = hdfs_place(payload.file)
    places = [place for place in map(hdfs_place, uris) if place is not None]
    files = [place.path for place in places]
    looks = probing.look_around(
        gateway, jar=jar.path if jar else "", files=files, now=now, fresh=fresh, client_for=client_for
    )
    user = _principal(gateway, looks)
    # who runs it as somebody else has other rights: what we may not read, the job may be able to
    ours = facts.ran_as is None or facts.ran_as == user
    seen = _look(looks, probing.JAR, jar).seen if jar else None
    checks = [
        *_gateway(gateway, looks),
        _runs_as(gateway, payload.proxy_user or "", user, facts.ran_as),
        *_file(gateway, looks, payload.file, probing.JAR, ours),
        *(check for uri in dict.fromkeys(uris) for check in _file(gateway, looks, uri, probing.FILE, ours)),
        *_home(looks, ours),
        *_changed(seen, facts.last_success),
        *_request(sent_text),
        _same_work(facts.same_work),
    ]
    if not gateway.webhdfs_path:
        checks.append(Check(code="hdfs_none", light=Light.GREY))
    at = min((look.at for look in looks.values() if look.at), default=now)  # as old as the oldest of what was kept
    return Preflight(at=at.astimezone(UTC).isoformat(timespec="seconds"), checks=tuple(checks), seen=seen)


def facts_of(gateway: Gateway, payload: Payload, now: datetime) -> Facts:
    """One query, whatever it finds: each part is the newest row of its kind."""
    args = list(payload.args)
    of_jar = Recovery.objects.of_jar(payload.file).order_by("-created_at")
    # by the state's index, since few are live; however long ago they were filed
    live = Recovery.objects.live().filter(jar_path=payload.file, args=args).order_by("-id")
    ended = of_jar.filter(_MAY_HAVE_RUN, args=args, created_at__gte=now - RECENT - REACH, finished_at__gte=now - RECENT)
    succeeded = of_jar.filter(gateway=gateway, state=State.SUCCEEDED).exclude(preflight="")
    batches = Recovery.objects.filter(gateway=gateway, livy_id__isnull=False).order_by("-id")
    parts = {
        "live_pk": live.values("pk"),
        "live_state": live.values("state"),
        "done_pk": ended.values("pk"),
        "done_state": ended.values("state"),
        "success_pk": succeeded.values("pk"),
        "success_seen": succeeded.values("preflight"),
        "ran_as": batches.values("proxy_user"),
    }
    newest = {name: Subquery(rows[:1]) for name, rows in parts.items()}
    found = cast(dict[str, Any], Gateway.objects.filter(pk=gateway.pk).values(**newest).get())
    kept = Preflight.from_text(found["success_seen"] or "")
    same = [(found[f"{kind}_pk"], found[f"{kind}_state"]) for kind in ("live", "done") if found[f"{kind}_pk"]]
    return Facts(
        same_work=same[0] if same else None,
        last_success=(found["success_pk"], kept.seen) if kept and kept.seen else None,
        ran_as=found["ran_as"],
    )


def _look(looks: Mapping[str, Look], kind: str, place: Place) -> Look:
    return looks.get(f"{kind}{place.path}", Look(state=probing.UNKNOWN))


def _principal(gateway: Gateway, looks: Mapping[str, Look]) -> str:
    """Who we are there: by our home in HDFS, else by the gateway's own setting."""
    home = looks[probing.HOME].text if probing.HOME in looks else ""
    return home.rsplit("/", 1)[-1] or gateway.user


def _gateway(gateway: Gateway, looks: Mapping[str, Look]) -> Iterator[Check]:
    livy = looks[probing.LIVY]
    if gateway.paused:
        yield Check(code="gateway_paused", light=Light.AMBER, params={"reason": gateway.paused_reason})
    if livy.state == probing.SLOW:
        yield Check(code="gateway_slow", light=Light.GREY)
    elif livy.state != probing.OK:
        params = {"condition": livy.condition or Condition.FORBIDDEN.value, "words": livy.words[:300]}
        yield Check(code="gateway_ill", light=Light.AMBER, params=params)
    elif not gateways.version_is_fit(gateway, Version(text=livy.text)):
        yield Check(code="gateway_old", light=Light.AMBER, params={"version": livy.text[:100]})
    else:
        yield Check(code="gateway_ok", light=Light.GREEN, params={"version": livy.text[:100]})
    if probing.HOME in looks and looks[probing.HOME].text:
        yield Check(code="who", light=Light.GREEN, params={"user": _principal(gateway, looks)})
    elif gateway.user:
        yield Check(code="who_configured", light=Light.GREY, params={"user": gateway.user})


def _runs_as(gateway: Gateway, asked: str, user: str, ran_as: str | None) -> Check:
    """The truth about proxyUser: Knox replaces it, and Livy may pass over it (real-behaviour.md §j)."""
    if ran_as == "":
        return Check(code="runs_as_livy", light=Light.GREY, params={"asked": asked})
    expected = ran_as or user
    if not expected:
        return Check(code="runs_as_unknown", light=Light.GREY, params={"asked": asked})
    params = {"asked": asked, "user": expected}
    if asked and asked != expected:
        word = "runs_as_other" if ran_as else "runs_as_knox"
        return Check(code=word, light=Light.GREEN if ran_as else Light.GREY, params=params)
    return Check(code="runs_as", light=Light.GREEN, params=params)


def _file(gateway: Gateway, looks: Mapping[str, Look], uri: str, kind: str, ours: bool) -> Iterator[Check]:
    place = hdfs_place(uri)
    if place is None:
        scheme = uri.partition(":")[0]
        yield Check(code="file_scheme", light=Light.GREY, subject=uri, params={"scheme": scheme})
        return
    if not gateway.webhdfs_path:
        return  # said once, for all of them
    look = _look(looks, kind, place)
    params: dict[str, Any] = {"authority": place.authority} if place.authority else {}
    if look.words:
        params["words"] = look.words[:300]
    sure = not place.authority  # else it may name another cluster than the one behind the gateway
    word, light = f"file_{look.state}", Light.RED
    if look.seen is not None:
        params |= {"length": look.seen.length, "modified": look.seen.modified}
        if kind == probing.JAR and look.seen.length == 0:
            word = "file_empty"
        else:
            light = Light.GREEN
    elif look.state in (probing.SLOW, probing.UNKNOWN):
        params["condition"] = look.condition
        light = Light.GREY
    elif look.state == probing.DENIED and not ours:
        sure = False
    if light is Light.RED and not sure:
        word, light = f"{word}_perhaps", Light.AMBER
    yield Check(code=word, light=light, subject=uri, params=params)


def _home(looks: Mapping[str, Look], ours: bool) -> Iterator[Check]:
    """Spark's `.sparkStaging` goes there: without it the batch is dead within seconds."""
    look = looks.get(probing.HOME)
    if look is None:
        return
    params = {"words": look.words[:300]} if look.words else {}
    if look.state == probing.OK:
        yield Check(code="home_ok", light=Light.GREEN, subject=look.text)
    elif look.state in (probing.MISSING, probing.DENIED):
        word = f"home_{look.state}" if ours else f"home_{look.state}_perhaps"
        yield Check(code=word, light=Light.RED if ours else Light.AMBER, subject=look.text, params=params)
    else:
        params |= {"condition": look.condition}
        yield Check(code=f"home_{look.state}", light=Light.GREY, subject=look.text, params=params)


def _changed(seen: Seen | None, last: tuple[int, Seen] | None) -> Iterator[Check]:
    """Is it the jar that succeeded last?"""
    if seen is None:
        return
    if last is None:
        yield Check(code="jar_first", light=Light.GREY)
        return
    number, then = last
    same = seen.same_as(then)
    word, light = ("jar_same", Light.GREEN) if same else ("jar_changed", Light.AMBER)
    how = "checksum" if seen.checksum and then.checksum else "size"
    yield Check(code=word, light=light, subject=str(number), params={"by": how, "modified": then.modified})


def _request(sent_text: str) -> Iterator[Check]:
    size = len(sent_text.encode())
    yield Check(code="rules_ok", light=Light.GREEN)
    if size > LARGE_BODY:
        yield Check(code="body_large", light=Light.AMBER, params={"size": size, "limit": LARGE_BODY})


def _same_work(same: tuple[int, str] | None) -> Check:
    if same is None:
        return Check(code="same_none", light=Light.GREEN)
    number, state = same
    word = {State.SUCCEEDED.value: "same_done", State.LOST.value: "same_lost"}.get(state, "same_live")
    return Check(code=word, light=Light.AMBER, subject=str(number))
