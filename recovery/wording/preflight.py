"""The sentence of each check of a preflight, once, translatable; sizes and times in the reader's language and zone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _

from recovery.domain.errors import Problem
from recovery.domain.gateways import Condition
from recovery.domain.preflight import STOPPED, Check, Preflight
from recovery.wording.labels import Text, label

CHECKS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "gateway_ok": _("The gateway answers: Livy %(version)s."),
        "gateway_ill": _(
            "The gateway %(condition)s. Once filed, it waits and is sent by itself when the gateway is back."
        ),
        "gateway_slow": _("The gateway has not answered in time: whether it can be used could not be checked."),
        "gateway_old": _(
            "The gateway has a Livy that is too old, or of unclear version (%(version)s): it waits there."
        ),
        "gateway_paused": _("Submissions are paused (%(reason)s): it waits until an operator resumes them."),
        "who": _("There we are the user %(user)s."),
        "who_configured": _("Our user there should be %(user)s; it could not be asked (no answer from WebHDFS)."),
        "runs_as": _("It runs as %(user)s."),
        "runs_as_other": _("It runs as %(user)s, not as %(asked)s: the last batch on this gateway did."),
        "runs_as_knox": _("Knox will run this as %(user)s, most likely: it replaces the user asked for, %(asked)s."),
        "runs_as_livy": _(
            "As whom it runs cannot be told: Livy did not say so of the last batch here. Perhaps as Livy's own user."
        ),
        "runs_as_unknown": _("As whom it runs cannot be told: the gateway has no user of its own."),
        "file_ok": _("%(name)s is there and may be read (%(size)s, changed %(age)s ago)."),
        "file_missing": _("%(name)s does not exist. Check the path, or have the file put there."),
        "file_missing_perhaps": _(
            "%(name)s does not exist in the gateway's HDFS. Its path names “%(authority)s”: is that this cluster?"
        ),
        "file_directory": _("%(name)s is a directory, not a file."),
        "file_directory_perhaps": _(
            "%(name)s is a directory in the gateway's HDFS, if “%(authority)s” is that cluster."
        ),
        "file_denied": _("%(name)s may not be read: the job would fail. Have the rights given (%(words)s)."),
        "file_denied_perhaps": _("%(name)s may not be read by us; the job may run as somebody else (%(words)s)."),
        "file_empty": _("%(name)s is empty: 0 bytes."),
        "file_empty_perhaps": _("%(name)s is empty in the gateway's HDFS, if “%(authority)s” is that cluster."),
        "file_slow": _("%(name)s: no answer in time, it could not be checked."),
        "file_unknown": _("%(name)s could not be checked (%(words)s)."),
        "file_scheme": _("%(name)s cannot be checked: the portal sees HDFS only, not “%(scheme)s”."),
        "hdfs_none": _("The files cannot be checked: this gateway has no WebHDFS."),
        "home_ok": _("The home directory is there: Spark puts its working files into it."),
        "home_missing": _("There is no home directory %(subject)s: Spark needs it, the job would die at once."),
        "home_missing_perhaps": _(
            "There is no home directory %(subject)s; it is not needed if the job runs as another."
        ),
        "home_denied": _(
            "The home directory %(subject)s may not be written to: the job would die at once (%(words)s)."
        ),
        "home_denied_perhaps": _("Our home directory %(subject)s may not be written to; the job may run as another."),
        "home_slow": _("The home directory: no answer in time, it could not be checked."),
        "home_unknown": _("The home directory could not be checked (%(words)s)."),
        "jar_same": _("The jar is the one that succeeded last (no. %(subject)s)."),
        "jar_changed": _("The jar has changed since it succeeded last (no. %(subject)s)."),
        "jar_first": _("No success of this jar is known here, to compare it with."),
        "rules_ok": _("Livy's rules for the request are kept."),
        "body_large": _("The request is large: %(size)s. A gateway with small buffers may refuse more than 8 KiB."),
        "same_none": _("The same jar with the same arguments was not run here in the last 24 hours."),
        "same_live": _("The same jar with the same arguments is under way: no. %(subject)s."),
        "same_done": _("The same jar with the same arguments has succeeded in the last 24 hours: no. %(subject)s."),
        "same_lost": _("The same jar with the same arguments may have run in the last 24 hours: no. %(subject)s."),
    }
)
"""`%(subject)s` is what was looked at; the other parameters are the check's own."""

ABOUT_A_RECOVERY: Final = frozenset({"same_live", "same_done", "same_lost", "jar_same", "jar_changed"})
"""Their subject is the number of a recovery: shown with a link."""


def check_text(check: Check, preflight: Preflight) -> str:
    """In the active language; an unknown code, of another version of the portal, is shown as it is."""
    text = CHECKS.get(check.code)
    return str(text) % _Params(check, preflight) if text is not None else check.code


def stopping(checks: Iterable[Check], preflight: Preflight) -> list[Problem]:
    """Each check that stopped a filing, as a problem with its sentence."""
    return [
        Problem(field="preflight", code=STOPPED[check.light], params={"finding": check_text(check, preflight)})
        for check in checks
    ]


def check_when(check: Check) -> str:
    """The exact time that a sentence gives as an age; empty when it gives none."""
    modified = check.params.get("modified")
    if not isinstance(modified, int):
        return ""
    return _exactly(modified)


def _exactly(milliseconds: int) -> str:
    local = timezone.localtime(datetime.fromtimestamp(milliseconds / 1000, tz=UTC))
    return f"{date_format(local, 'j N Y, H:i:s')} {local:%Z}"


class _Params(dict[str, Any]):
    def __init__(self, check: Check, preflight: Preflight) -> None:
        given = dict(check.params)
        super().__init__(given | {"subject": check.subject, "name": check.subject.rstrip("/").rsplit("/", 1)[-1]})
        size = given.get("length", given.get("size"))
        if isinstance(size, int):
            self["size"] = filesizeformat(size)
        if isinstance(given.get("modified"), int):
            then = datetime.fromtimestamp(given["modified"] / 1000, tz=UTC)
            self["age"] = timesince(then, datetime.fromisoformat(preflight.at), depth=1)
        if given.get("condition") in set(Condition):
            self["condition"] = label(Condition(given["condition"]))
            self.setdefault("words", self["condition"])

    def __missing__(self, key: str) -> str:
        return "?"
