"""Every rule's sentence, once, translatable. Tests hold that no rule is without one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from django.utils.translation import gettext_lazy as _

from recovery.domain.errors import Problem
from recovery.wording.labels import Text

PROBLEMS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "required": _("This field is needed."),
        "unknown_field": _("There is no such field."),
        "wrong_type": _("Expected: %(expected)s."),
        "unbalanced_quote": _("A quote is opened and not closed."),
        "dangling_escape": _("A backslash at the end escapes nothing."),
        "nul": _("A NUL character is not possible here (%(position)s)."),
        "backtick": _(
            "A backtick (`) is refused (%(position)s): on YARN it would be executed as a command on the cluster."
        ),
        "double_brace": _(
            "“{{” is refused (%(position)s): YARN would replace it silently. Was a template left unfilled?"
        ),
        "not_unicode": _("This text cannot be written as UTF-8 (%(position)s)."),
        "argument_too_long": _("Argument %(position)s has %(size)s bytes; %(limit)s are possible."),
        "arguments_too_long": _("All arguments together may have %(limit)s bytes."),
        "path_empty": _("Give a path, such as hdfs:///user/sddesigner/recovery.jar."),
        "path_blank": _("A path holds no blanks: “%(value)s”."),
        "path_relative": _("“%(value)s” is not absolute. Expected: hdfs:///… or /…"),
        "path_percent": _("“%(value)s”: a %% needs a scheme in front (hdfs:///…)."),
        "path_scheme": _("“%(scheme)s:” is not allowed on this gateway. Allowed: %(allowed)s."),
        "path_comma": _("“%(value)s”: a comma is not possible in a list of paths."),
        "memory": _("“%(value)s” is no size. Expected: a number and a unit, such as 4g or 512m."),
        "positive_integer": _("Expected: a whole number from 1, not %(value)s."),
        "word": _("“%(value)s”: expected one word without blanks."),
        "class_name": _("“%(value)s” is no class name. Expected: com.example.Main."),
        "conf_key": _("“%(key)s” is no configuration key."),
        "conf_blacklisted": _("Livy does not let “%(key)s” be set."),
        "conf_not_spark": _("“%(key)s”: Spark ignores keys that do not begin with “spark.”."),
        "conf_scalar": _("The value of “%(key)s” is not a scalar."),
        "conf_duration": _("“%(key)s” is a duration, and “%(value)s” is none. Expected: 30s, 10min, 2h."),
        "conf_size": _("“%(key)s” is a size, and “%(value)s” is none. Expected: 512m, 4g."),
        "conf_boolean": _("“%(key)s” is true or false, not “%(value)s”."),
        "conf_integer": _("“%(key)s” is a whole number, not “%(value)s”."),
        "conf_fraction": _("“%(key)s” is a number such as 0.6, not “%(value)s”."),
        "conf_near": _("“%(key)s” is no key that is known here. Was “%(near)s” meant?"),
        "unknown_profile": _("There is no such profile, or it is disabled: “%(value)s”."),
        "profile_forbidden": _("You may not use the profile “%(value)s”."),
        "profile_closed": _("The profile “%(value)s” is disabled, not open to you, or its gateway takes nothing new."),
        "gateway_follow_only": _("The gateway of this profile takes no new recoveries."),
        "reason_pattern": _("The reason has to name what is expected: %(expected)s."),
        "preflight_red": _("Not filed: %(finding)s"),
        "preflight_amber": _("Not filed, since it was not confirmed: %(finding)s"),
        "override_forbidden": _("You may not set this over the profile's value."),
        "reason_too_long": _("At most %(limit)s characters."),
        "too_long": _("At most %(limit)s characters."),
        "filing_key_reused": _("This Idempotency-Key was used for another request."),
        "filing_key_form": _("An Idempotency-Key has 1 to 200 visible ASCII characters."),
        "not_ended": _("Only a recovery that has ended can be resubmitted."),
        "live_child": _("It was resubmitted already, and that recovery (%(child)s) has not ended."),
        "unsettled": _("Its end is not known. An operator settles it, or resubmits it with a reason."),
        "endpoint_used": _("A recovery was filed here: this stays as it is. Make a new gateway."),
        "changed_meanwhile": _(
            "Somebody has changed it meanwhile, and nothing was saved. Open it again, look at what is new there, then "
            "make your change once more."
        ),
        "managed_by_env": _("This profile is kept by .env. Duplicate it to edit."),
        "not_cancellable": _("It has ended, or its cancel was asked for already."),
        "not_settleable": _("Only a recovery whose end cannot be known can be settled, and only once."),
        "link_unknown": _("Neither Livy nor YARN behind this gateway knows “%(value)s”."),
        "link_no_yarn": _("This gateway has no YARN to ask: give a batch id or a batch name of Livy."),
        "link_of_other": _("This batch belongs to recovery no. %(recovery)s of this portal."),
        "link_changed": _("It is not what you were shown any more. Look at it once more."),
        "gateway_unusable": _("Nothing could be looked up: the gateway %(condition)s. %(words)s"),
        "no_alarm": _("There is no alarm to acknowledge."),
        "pattern": _("This is no regular expression: look at character %(position)s (%(error)s)."),
        "pattern_large": _("This is no regular expression: it is too deep, or a number in it is too large."),
        "pattern_slow": _(
            "This pattern could take too long on an unlucky line: bound what repeats (.{0,80} instead of .*), "
            "repeat no group that repeats, and do not look around."
        ),
        "pattern_empty": _("This pattern fits an empty line, and so every log."),
        "remedy_line": _("“%(value)s” is no change. Expected: executorMemory x2, queue = …, className ?, conf …"),
        "remedy_long": _("At most %(limit)s changes."),
        "looks_nowhere": _("Choose where it looks, in one place at least."),
        "cursor": _("This cursor is not one of this list in this order."),
    }
)


def sentence(problem: Problem) -> str:
    """What is wrong, in the active language."""
    return str(PROBLEMS[problem.code]) % _SafeParams(problem.params)


def sentences(problems: Iterable[Problem]) -> dict[str, list[str]]:
    """Field → sentences, in the order of the problems."""
    out: dict[str, list[str]] = {}
    for problem in problems:
        out.setdefault(problem.field, []).append(sentence(problem))
    return out


class _SafeParams(dict[str, object]):
    """A parameter that a problem does not carry is left out of the sentence."""

    def __init__(self, params: Mapping[str, object]) -> None:
        super().__init__({key: _shown(value) for key, value in params.items()})

    def __missing__(self, key: str) -> str:
        return "?"


def _shown(value: object) -> object:
    return value[:200] + "…" if isinstance(value, str) and len(value) > 200 else value
