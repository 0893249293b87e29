"""What each kind of variable expects, in English, for the command line and the system checks.

A page says the same in the reader's language (`recovery/wording/configuration.py`; a test holds the two together).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CONF: Final = 'a JSON object of scalars, such as {"spark.sql.shuffle.partitions":"200"}'

EXPECTED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "flag": "true or false",
        "integer": "a whole number from %(minimum)s to %(maximum)s",
        "characters": "at most %(limit)s characters",
        "factor": "a number above 0, at most 100 (1 = production times)",
        "emails": "comma-separated e-mail addresses",
        "web_address": "https://host, without a path",
        "path": "comma-separated absolute paths such as hdfs:///libs/x.jar; %(path)r is wrong: %(rule)s",
        "conf_one_line": CONF + ", all on one line: a line of .env ends at its end",
        "conf_comments": CONF + ", without // comments (JSON has none; stopped at line %(line)s column %(column)s)",
        "conf_syntax": CONF + " (%(error)s at line %(line)s column %(column)s)",
        "conf_unreadable": CONF + " (%(error)s)",
        "conf_not_object": CONF + ", not a %(type)s",
        "conf_value": CONF + "; the value of %(key)r is not a scalar",
        "conf_rule": CONF + "; %(rule)s: %(params)s",
        "one_word": "one word without blanks",
        "size": "a size with its unit, such as 4g or 512m",
        "args_mode": "single (one argument, as typed) or split (cut as a shell would)",
        "language": "fr or en",
        "portal_id": "a lower-case letter, then up to 19 of a-z, 0-9 and -; it starts every batch name",
        "topology": "the name of a Knox topology, the part of the URL after /gateway/",
        "regular_expression": "a regular expression, such as DATA-[0-9]+, or nothing",
        "database_url": "sqlite:///path or postgres://user:password@host:port/name",
        "broker_url": "redis://host:port/0, or filesystem:// for one machine",
        "email_url": "smtp://user:password@host:25, or smtp+tls:// or smtp+ssl://",
        "email": "one e-mail address",
        "time_zone": "the name of a time zone, such as Europe/Paris or UTC",
        "log_level": "DEBUG, INFO, WARNING, ERROR or CRITICAL",
        "host": "host, host:port or https://host:port",
        "host_plain": "host, host:port or https://host:port, without user and query",
        "one_password": "either AD_PASSWORD or AD_PASSWORD_FILE, not both",
        "mail_server": "the mail server's address, such as smtp://host:25, since ALARM_EMAILS is set",
        "utf8": "a text in UTF-8",
        "password_file": "a file whose first line is the password (%(error)s)",
    }
)


def english(code: str, params: Mapping[str, object]) -> str:
    """The sentence of a code."""
    return EXPECTED[code] % params
