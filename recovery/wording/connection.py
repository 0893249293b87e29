"""The sentences of a test of a connection, and why a gateway cannot be used in plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from recovery.domain.gateways import Condition
from recovery.wording.labels import Text

FOUND: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "livy_ok": _("Livy %(version)s answers."),
        "livy_old": _(
            "Livy answers, but is too old or of unclear version (%(version)s): no recovery is sent there. Where you "
            "know that it is 0.6 or later, tick “version accepted”."
        ),
        "who": _("We are let in. There we are the user %(user)s."),
        "who_configured": _("We are let in, with the user %(user)s."),
        "who_token": _("We are let in with our token. As which user, only WebHDFS could tell."),
        "who_nobody": _("We are let in without showing who we are: this gateway is set to no authentication."),
        "who_unknown": _("Could not be told: nothing behind the gateway said whether it knows us."),
        "webhdfs_ok": _("WebHDFS answers. Our home directory %(home)s is there, and Spark may write into it."),
        "webhdfs_missing": _(
            "WebHDFS answers. There is no home directory %(home)s: Spark needs it, each job would die at once. Have "
            "it made."
        ),
        "webhdfs_denied": _(
            "WebHDFS answers. Our home directory %(home)s may not be written to: each job would die at once. Have the "
            "rights given."
        ),
        "webhdfs_none": _("No path of WebHDFS is set: files cannot be looked at before a filing."),
        "yarn_ok": _("YARN answers; it has been running since %(since)s."),
        "yarn_none": _(
            "No path of YARN is set: what Livy has forgotten cannot be found again, and ends as “to be checked”."
        ),
        "after_away": _("Not asked, since the gateway could not be reached."),
        "after_refusal": _(
            "Not asked, since the gateway does not let us in: a wrong password asked about too often locks an account."
        ),
        "after_secret": _("Not asked, since the secret of our user cannot be read."),
        "paused": _("Paused (%(reason)s): nothing is sent until an operator resumes."),
    }
)

WHY: Final[Mapping[Condition, Text]] = MappingProxyType(
    {
        Condition.UNREACHABLE: _("It could not be reached: no network leads there, or the connection broke."),
        Condition.DNS: _("The name of the machine was not found. Is the address spelt right?"),
        Condition.TLS: _(
            "The TLS certificate is not trusted: another name, out of date, or from an authority not known here."
        ),
        Condition.TIMEOUT: _("Time-out: no answer came in time."),
        Condition.CREDENTIALS: _("The user or the secret was refused."),
        Condition.FORBIDDEN: _("Our user is known there, but not let in."),
        Condition.NO_ROUTE: _("There is no such topology or service. Are the address and the path right?"),
        Condition.REDIRECT: _("We were sent to another address. Are the address and the path right?"),
        Condition.LOGIN_PAGE: _("A login page for people came back: the topology wants another authentication."),
        Condition.THROTTLED: _("It asks us to slow down."),
        Condition.INACTIVE: _("The service is not active, or not yet."),
        Condition.SERVER_ERROR: _("It answered with an error. The service behind the gateway may be down."),
        Condition.GARBLED: _("The answer is not one of this service."),
        Condition.TOO_MANY_SESSIONS: _("It starts as many sessions as it can. It takes more when one has ended."),
        Condition.CSRF: _("It wants a header that it did not get (CSRF)."),
        Condition.SECRET: _("The secret of our user cannot be read."),
        Condition.OLD_LIVY: _("This Livy is too old, or of unclear version."),
    }
)
"""Where the words said more, one of the next ones."""
REFUSED: Final = _("It refused the connection: nothing listens at this address and port.")
NO_VARIABLE: Final = _("The secret of our user cannot be read: the variable %(name)s is not set where the portal runs.")
NO_FILE: Final = _("The secret of our user cannot be read: the portal cannot read the file %(name)s.")
_REFERENCE: Final = re.compile(r"(env|file):(\S+): ")


def found_text(code: str, params: Mapping[str, Any]) -> str:
    """The sentence of a row of a test; times in the reader's zone."""
    shown = {name: _shown(value) for name, value in params.items()}
    return str(FOUND[code]) % shown


def why_text(condition: Condition, words: str) -> str:
    """Why a gateway cannot be used, in plain words; `words` is what was seen."""
    if condition is Condition.UNREACHABLE and "refused" in words:
        return str(REFUSED)
    if condition is Condition.SECRET and (reference := _REFERENCE.match(words)):
        text = NO_VARIABLE if reference[1] == "env" else NO_FILE
        return str(text) % {"name": reference[2]}
    return str(WHY[condition])


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        local = timezone.localtime(value)
        return f"{date_format(local, 'j N Y, H:i:s')} {local:%Z}"
    return str(value)
