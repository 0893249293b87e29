"""What a variable of a profile expects, translatable: the codes of `recovery/conf/expected.py` that a page can show."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from django.utils.translation import gettext_lazy as _

from recovery.domain.errors import Problem
from recovery.wording.labels import Text
from recovery.wording.problems import sentence

EXPECTED: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "integer": _("a whole number from %(minimum)s to %(maximum)s"),
        "characters": _("at most %(limit)s characters"),
        "path": _("comma-separated absolute paths, such as hdfs:///libs/x.jar"),
        "conf_one_line": _("a JSON object all on one line: a line of .env ends at its end"),
        "conf_comments": _("a JSON object without // comments (at line %(line)s, column %(column)s)"),
        "conf_syntax": _("a JSON object (at line %(line)s, column %(column)s: %(error)s)"),
        "conf_unreadable": _('a JSON object, such as {"spark.sql.shuffle.partitions":"200"}'),
        "conf_not_object": _('a JSON object, such as {"spark.sql.shuffle.partitions":"200"}'),
        "conf_value": _("a JSON object whose values are texts, numbers, true or false; “%(key)s” has another one"),
        "conf_rule": _("a JSON object of Spark settings"),
        "one_word": _("one word without blanks"),
        "size": _("a size with its unit, such as 4g or 512m"),
        "args_mode": _("single (one argument, as typed) or split (cut as a shell would)"),
        "topology": _("the name of a Knox topology, the part of the address after /gateway/"),
        "host": _("host, host:port or https://host:port"),
        "host_plain": _("host, host:port or https://host:port, without user and query"),
    }
)


def expected(code: str, params: Mapping[str, object], broke: Problem | None = None) -> str:
    """What was expected, as a sentence; then the sentence of the rule that the value broke."""
    text = str(EXPECTED[code]) % params + "."
    return f"{text} {sentence(broke)}" if broke is not None else text
