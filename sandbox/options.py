"""What a job was asked to do: the options of the stand-in jar, parsed as its `main` does.

Options may sit inside one string (`"--date 20240101 --table db.t"`), because that is what some callers send; with
`--strict` they must be separate items. Anything unknown is reported and ignored, or ends a strict job with 64.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_CODE = re.compile(r"[0-9]+")


@dataclass(slots=True)
class Options:
    date: str | None = None
    table: str | None = None
    write: str | None = None
    sleep: int = 0
    lines: int = 0
    rows: int = 100
    fail: int = 0
    throw: bool = False
    oom: bool = False
    spark: bool = True
    strict: bool = False
    no_write: bool = False
    unknown: tuple[str, ...] = ()
    #: An exception that parsing itself ends with, or "".
    crash: str = ""


def parse_options(argv: tuple[str, ...]) -> Options:
    options = Options(strict="--strict" in argv)
    words = list(argv) if options.strict else [word for item in argv for word in item.split()]
    try:
        _read(options, words)
    except _Crash as crash:
        options.crash = str(crash)
    return options


class _Crash(Exception):
    pass


def _read(options: Options, words: list[str]) -> None:
    position = 0

    def value() -> str:
        nonlocal position
        position += 1
        if position >= len(words):
            raise _Crash(f"java.lang.IndexOutOfBoundsException: Index {position} out of bounds for length {len(words)}")
        return words[position]

    def number() -> int:
        text = value()
        if not re.fullmatch(r"[+-]?[0-9]{1,10}", text):
            raise _Crash(f'java.lang.NumberFormatException: For input string: "{text}"')
        return int(text)

    while position < len(words):
        word = words[position]
        match word:
            case "--date":
                options.date = value()
            case "--table":
                options.table = value()
            case "--write":
                options.write = value()
            case "--sleep":
                options.sleep = max(0, number())
            case "--lines":
                options.lines = max(0, number())
            case "--rows":
                options.rows = number()
            case "--fail":
                options.fail = 1
                if position + 1 < len(words) and _CODE.fullmatch(words[position + 1]):
                    options.fail = number()
            case "--throw":
                options.throw = True
            case "--oom":
                options.oom = True
            case "--no-spark":
                options.spark = False
            case "--no-write":
                options.no_write = True
            case "--strict" | "--no-success" | "":
                pass
            case _:
                options.unknown = (*options.unknown, word)
                if options.strict:
                    return
        position += 1


def printed(argv: tuple[str, ...]) -> Iterator[str]:
    """The first lines of every job: its argv exactly as it arrived."""
    yield f"RECOVERY argc={len(argv)}"
    for index, item in enumerate(argv):
        # A line of the log ends where the job's own newline does.
        yield from f"RECOVERY argv[{index}]=<{item}>".split("\n")
