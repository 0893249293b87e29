"""How `jarArgs` as typed becomes the list of arguments that the jar's main() receives.

Measured (real-behaviour.md §i): Livy hands the list to spark-submit unsplit, no shell. In YARN cluster mode Spark
writes the arguments into a launch script, where a backtick is executed on the node and `{{…}}` vanishes: both are
refused here, with the reason, in every mode.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from recovery.domain.errors import InvalidInput, Problem

MAX_ARGUMENT_BYTES: Final = 128 * 1024 - 1
"""Linux takes no argument of 128 KiB or more, its closing NUL included (MAX_ARG_STRLEN)."""
MAX_TOTAL_BYTES: Final = 1024 * 1024
"""All arguments together; spark-submit answers "Argument list too long" beyond about this (real-behaviour.md §f)."""


class ArgsMode(StrEnum):
    """How `jarArgs` is read."""

    SINGLE = "single"
    """One argument, as typed: the guide's `args: [jar_args]`."""
    SPLIT = "split"
    """Cut as a POSIX shell would, quotes respected."""
    LIST = "list"
    """Given as a list by the API, passed as it is."""


def parse_arguments(raw: str | Sequence[str], mode: ArgsMode, *, field: str = "jarArgs") -> tuple[str, ...]:
    """The arguments for Livy; empty `jarArgs` gives none (N4).

    Raises InvalidInput naming `field` for an unbalanced quote and for what YARN would execute or swallow.
    """
    if not isinstance(raw, str):
        args = tuple(raw)
    elif mode is ArgsMode.SPLIT:
        try:
            args = tuple(shlex.split(raw, posix=True))
        except ValueError as error:
            code = "unbalanced_quote" if "quotation" in str(error) else "dangling_escape"
            raise InvalidInput([Problem(field=field, code=code)]) from error
    else:
        args = (raw,) if raw.strip() else ()
    problems = [p for index, arg in enumerate(args) for p in text_problems(arg, field=field, position=index + 1)]
    if not problems and sum(len(arg.encode()) + 1 for arg in args) > MAX_TOTAL_BYTES:
        problems.append(Problem(field=field, code="arguments_too_long", params={"limit": MAX_TOTAL_BYTES}))
    if problems:
        raise InvalidInput(problems)
    return args


def text_problems(text: str, *, field: str, position: int = 1) -> list[Problem]:
    """What forbids `text` as a word of a command line in YARN's launch script."""
    where = {"position": position}
    problems = []
    if "\0" in text:
        problems.append(Problem(field=field, code="nul", params=where))
    if "`" in text:
        problems.append(Problem(field=field, code="backtick", params=where))
    if "{{" in text:
        problems.append(Problem(field=field, code="double_brace", params=where))
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        problems.append(Problem(field=field, code="not_unicode", params=where))
    else:
        if size > MAX_ARGUMENT_BYTES:
            limit = {"limit": MAX_ARGUMENT_BYTES, "size": size}
            problems.append(Problem(field=field, code="argument_too_long", params=where | limit))
    return problems
