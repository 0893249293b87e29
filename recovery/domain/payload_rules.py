"""Livy's own rules for the fields of a batch, asked before filing: what Livy would refuse (and leave a phantom for),
or accept and let die, is said here in words and field by field (livy-knox-contract.md §1, real-behaviour.md §f, §i).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from recovery.domain.arguments import text_problems
from recovery.domain.errors import InvalidInput, Problem
from recovery.domain.payload import Payload

DEFAULT_SCHEMES: Final = ("hdfs", "viewfs", "s3a", "abfs", "abfss", "gs", "ofs", "http", "https")
"""URI schemes that a gateway takes unless it says otherwise; `file` and `local` only where switched on."""

BLACKLIST: Final = frozenset(
    {
        "spark.master",
        "spark.submit.deployMode",
        "spark.yarn.jar",
        "spark.yarn.jars",
        "spark.yarn.archive",
        "spark.submit.proxyUser.allowCustomClasspathInClusterMode",
    }
)
"""Conf keys that Livy refuses after registering the batch, so that a phantom stays (contract §7)."""

PATH_LIST_KEYS: Final = frozenset(
    {"spark.jars", "spark.files", "spark.submit.pyFiles", "spark.yarn.dist.files", "spark.yarn.dist.jars",
     "spark.yarn.dist.archives", "spark.archives"}
)  # fmt: skip
"""Conf keys whose values are comma-separated paths: Livy checks them like the typed lists."""

MAX_PATH: Final = 1000
"""Characters of a path that the portal stores in a column of its own."""
MAX_WORD: Final = 150

_MEMORY: Final = re.compile(r"[1-9][0-9]*[kmgt]b?", re.IGNORECASE | re.ASCII)
_CLASS: Final = re.compile(r"[^\W\d][\w$]*(\.[^\W\d][\w$]*)*")
_URI: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):(.*)", re.DOTALL)
_CONF_KEY: Final = re.compile(r"[A-Za-z0-9_.\-/$]+")
_LAUNCH_SCRIPT_KEY: Final = re.compile(r"(JavaOptions|LibraryPath|ClassPath)$|Env\.")


def check_payload(payload: Payload, *, schemes: Iterable[str] = DEFAULT_SCHEMES, file_field: str = "jarPath") -> None:
    """Raises InvalidInput with every problem of every field; `schemes` are those the gateway allows."""
    allowed = frozenset(schemes)
    problems = path_problems(payload.file, field=file_field, schemes=allowed)
    for name, paths in (
        ("jars", payload.jars),
        ("files", payload.files),
        ("pyFiles", payload.py_files),
        ("archives", payload.archives),
    ):
        problems += paths_problems(paths, field=name, schemes=allowed)
    for name, memory in (
        ("driverMemory", payload.driver_memory),
        ("executorMemory", payload.executor_memory),
    ):
        problems += memory_problems(memory, field=name)
    for name, number in (
        ("driverCores", payload.driver_cores),
        ("executorCores", payload.executor_cores),
        ("numExecutors", payload.num_executors),
    ):
        problems += count_problems(number, field=name)
    if payload.class_name is not None and not _CLASS.fullmatch(payload.class_name):
        problems.append(Problem(field="className", code="class_name", params={"value": payload.class_name}))
    for name, word in (("queue", payload.queue), ("proxyUser", payload.proxy_user)):
        problems += word_problems(word, field=name)
    problems += conf_problems(payload.conf, schemes=allowed)
    if problems:
        raise InvalidInput(problems)


def path_problems(path: str, *, field: str, schemes: frozenset[str]) -> list[Problem]:
    """Livy takes an absolute path (on its default file system) or an absolute URI; a blank is no URI."""
    shown = {"value": path}
    if len(path) > MAX_PATH:
        return [Problem(field=field, code="too_long", params={"limit": MAX_PATH})]
    if not path.strip():
        return [Problem(field=field, code="path_empty")]
    if re.search(r"\s", path):
        return [Problem(field=field, code="path_blank", params=shown)]
    if dangerous := text_problems(path, field=field):
        return dangerous
    match = _URI.fullmatch(path)
    if match is None:
        if not path.startswith("/"):
            return [Problem(field=field, code="path_relative", params=shown)]
        return [] if "%" not in path else [Problem(field=field, code="path_percent", params=shown)]
    scheme, rest = match[1].lower(), match[2]
    if scheme not in schemes:
        allowed = ", ".join(sorted(schemes))
        return [Problem(field=field, code="path_scheme", params=shown | {"scheme": scheme, "allowed": allowed})]
    if not rest.startswith("/") or not rest.strip("/"):
        return [Problem(field=field, code="path_relative", params=shown)]
    return []


def paths_problems(paths: Sequence[str], *, field: str, schemes: frozenset[str]) -> list[Problem]:
    """`path_problems` of each, and no comma: Spark joins such lists with commas."""
    problems = []
    for path in paths:
        if "," in path:
            problems.append(Problem(field=field, code="path_comma", params={"value": path}))
        # `name#alias` is Spark's own form for files and archives
        problems += path_problems(path, field=field, schemes=schemes)
    return problems


def memory_problems(memory: str | None, *, field: str) -> list[Problem]:
    """Spark's format with its unit: "512" alone is accepted by Livy and dies (real-behaviour.md §f)."""
    if memory is None or _MEMORY.fullmatch(memory):
        return []
    return [Problem(field=field, code="memory", params={"value": memory})]


def count_problems(number: object, *, field: str) -> list[Problem]:
    """A JSON integer from 1: a number as text makes Livy answer 500 and leave a phantom."""
    if number is None or (isinstance(number, int) and not isinstance(number, bool) and 1 <= number < 2**31):
        return []
    return [Problem(field=field, code="positive_integer", params={"value": number})]


def word_problems(word: str | None, *, field: str) -> list[Problem]:
    """A queue or a user: one word."""
    if word is None:
        return []
    if len(word) > MAX_WORD:
        return [Problem(field=field, code="too_long", params={"limit": MAX_WORD})]
    if not word or re.search(r"[\s\x00-\x1f]", word):
        return [Problem(field=field, code="word", params={"value": word})]
    return text_problems(word, field=field)


def conf_problems(conf: Mapping[str, str], *, schemes: frozenset[str]) -> list[Problem]:
    """Keys that Livy blacklists, keys that are none, and values that YARN's launch script would execute."""
    problems = []
    for key, value in conf.items():
        shown = {"key": key}
        if not _CONF_KEY.fullmatch(key):
            problems.append(Problem(field="conf", code="conf_key", params=shown))
        elif key in BLACKLIST:
            problems.append(Problem(field="conf", code="conf_blacklisted", params=shown))
        elif not key.startswith("spark."):
            problems.append(Problem(field="conf", code="conf_not_spark", params=shown))
        found = text_problems(value, field="conf")
        if not _LAUNCH_SCRIPT_KEY.search(key):
            found = [p for p in found if p.code in {"nul", "not_unicode"}]
        problems += [Problem(field="conf", code=p.code, params={"position": key}) for p in found]
        if key in PATH_LIST_KEYS and not found:
            for path in filter(None, value.split(",")):
                problems += path_problems(path.strip(), field="conf", schemes=schemes)
    return problems
