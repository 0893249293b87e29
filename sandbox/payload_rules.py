"""Which bodies Livy 0.7.1 refuses, how, and what the refusal leaves behind (real-behaviour.md §f, contract §1).

Two stages, because they differ in what stays: `read_request` is what Jackson and the constructor check (nothing is
left), `start_refusal` is what start() checks after the batch was registered (a phantom is left).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from sandbox.answers import Answer, livy_message, livy_string
from sandbox.settings import Settings

KNOWN = (
    "file", "proxyUser", "args", "className", "jars", "pyFiles", "files", "driverMemory", "driverCores",
    "executorMemory", "executorCores", "numExecutors", "archives", "queue", "name", "conf",
)  # fmt: skip
LISTS = ("args", "jars", "pyFiles", "files", "archives")
TEXTS = ("file", "proxyUser", "className", "driverMemory", "executorMemory", "queue", "name")
NUMBERS = ("driverCores", "executorCores", "numExecutors")
_CLASS = "org.apache.livy.server.batch.CreateBatchRequest"
_PATH_KEYS = ("spark.jars", "spark.files", "spark.yarn.dist.archives", "spark.submit.pyFiles")
#: MAX_ARG_STRLEN of Linux, and about what all arguments together may take.
_ONE_ARGUMENT, _ALL_ARGUMENTS = 128 * 1024, 2 * 1024 * 1024
_ILLEGAL = re.compile(r'[\s<>"{}|\\^`]')
_TOKENS = {dict: "START_OBJECT", list: "START_ARRAY", str: "VALUE_STRING", float: "VALUE_NUMBER_FLOAT"}


class Refused(Exception):
    """Livy says no; `answer` is how."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body[:200])
        self.answer = answer


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """A body that Jackson accepted. Numbers are kept as they came: the cast fails later, in start()."""

    texts: Mapping[str, str | None]
    lists: Mapping[str, tuple[str | None, ...]]
    numbers: Mapping[str, object]
    conf: Mapping[str, str | None]
    has_null_collection: bool

    @property
    def name(self) -> str | None:
        return self.texts.get("name")

    @property
    def file(self) -> str | None:
        return self.texts.get("file")

    @property
    def args(self) -> tuple[str, ...]:
        return tuple(item for item in self.lists.get("args", ()) if item is not None)


def read_request(body: Mapping[str, object]) -> BatchRequest:
    for key in body:
        if key not in KNOWN:
            known = ", ".join(f'"{name}"' for name in KNOWN)
            raise Refused(
                livy_string(
                    400,
                    f'Unrecognized field "{key}" (class {_CLASS}), not marked as ignorable '
                    f"(16 known properties: {known}])\n at [Source: (String) (through reference chain: "
                    f'{_CLASS}["{key}"])',
                )
            )
    conf = body.get("conf", {})
    if conf is not None and not isinstance(conf, dict):
        raise _cannot("scala.collection.immutable.Map", conf, "conf")
    return BatchRequest(
        texts={key: _text(body[key], key) for key in TEXTS if key in body},
        lists={key: _list(body[key], key) for key in LISTS if body.get(key) is not None},
        numbers={key: body[key] for key in NUMBERS if body.get(key) is not None},
        conf={key: _text(value, f'conf"]["{key}') for key, value in (conf or {}).items()},
        has_null_collection=any(key in body and body[key] is None for key in (*LISTS, "conf")),
    )


def name_refusal(name: str | None) -> Answer | None:
    """Empty or all digits; anything else is a name (§c)."""
    if name is None or (name and not (name.isascii() and name.isdigit())):
        return None
    return livy_message(400, f"Invalid session name: {name}")


def start_refusal(request: BatchRequest, settings: Settings) -> Answer | None:
    """Why start() throws, in the order of BatchSession.create; the batch is registered by then."""
    try:
        _check_conf(request, settings)
        if request.file is None:
            return livy_message(400, "requirement failed: File is required.")
        for value in request.numbers.values():
            _check_integer(value)
        if not request.file:
            return livy_string(500, "java.lang.IndexOutOfBoundsException: 0")
        resolve(request.file, settings)
        if None in request.lists.get("args", ()) or None in request.conf.values():
            return livy_string(500, "java.lang.NullPointerException")
        _check_length(request)
    except Refused as refused:
        return refused.answer
    return None


def resolve(path: str, settings: Settings) -> str:
    """The URI that spark-submit gets; refuses what Livy refuses (Session.scala, contract §1)."""
    illegal = _ILLEGAL.search(path)
    if illegal is not None:
        where = f"java.net.URISyntaxException: Illegal character in path at index {illegal.start()}: {path}"
        raise Refused(livy_message(400, where))
    scheme, colon, rest = path.partition(":")
    if colon and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        if scheme == "file":
            _check_local(unquote("/" + rest.lstrip("/")), settings)
        return path
    plain = unquote(path)
    if not plain.startswith("/"):
        raise Refused(livy_message(400, f"requirement failed: Path '{plain}' is not absolute."))
    if _ILLEGAL.search(plain):
        # Decoded, put behind fs.defaultFS and parsed again: nobody catches this one.
        raise Refused(livy_string(500, f"java.net.URISyntaxException: Illegal character in path at index 0: {plain}"))
    if settings.default_fs == "hdfs":
        return f"hdfs://127.0.0.1:18050{plain}"
    _check_local(plain, settings)
    return f"file://{plain}"


def _check_local(path: str, settings: Settings) -> None:
    if not any(path.startswith(root) for root in settings.local_dirs):
        raise Refused(livy_message(400, f"requirement failed: Local path {path} cannot be added to user sessions."))


def _check_conf(request: BatchRequest, settings: Settings) -> None:
    banned = [key for key in request.conf if key in settings.blacklist]
    if banned:
        raise Refused(livy_message(400, f"Blacklisted configuration values in session config: {', '.join(banned)}"))
    paths = [path for key in LISTS[1:] for path in request.lists.get(key, ())]
    paths += [path for key in _PATH_KEYS for path in (request.conf.get(key) or "").split(",")]
    for path in paths:
        if path is None:
            raise Refused(livy_string(500, "java.lang.NullPointerException"))
        if path:
            resolve(path, settings)


def _check_integer(value: object) -> None:
    if isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31:
        return
    java = "java.lang." + {str: "String", float: "Double", bool: "Boolean", int: "Long"}.get(type(value), "Object")
    raise Refused(
        livy_string(
            500,
            f"java.lang.ClassCastException: class {java} cannot be cast to class java.lang.Integer ({java} and"
            " java.lang.Integer are in module java.base of loader 'bootstrap')",
        )
    )


def _check_length(request: BatchRequest) -> None:
    sizes = [len(text.encode()) + 1 for text in (*request.args, *(f"{k}={v}" for k, v in request.conf.items()))]
    if max(sizes, default=0) > _ONE_ARGUMENT or sum(sizes) > _ALL_ARGUMENTS:
        raise Refused(
            livy_string(
                500,
                'java.io.IOException: Cannot run program "/opt/spark/bin/spark-submit": error=7,'
                " Argument list too long",
            )
        )


def _text(value: object, key: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise _cannot("java.lang.String", value, key)
    return json.dumps(value)


def _list(value: object, key: str) -> tuple[str | None, ...]:
    if not isinstance(value, list):
        raise _cannot("scala.collection.immutable.List", value, key)
    return tuple(_text(item, key) for item in value)


def _cannot(wanted: str, value: object, key: str) -> Refused:
    token = _TOKENS.get(type(value), "VALUE_NUMBER_INT")
    if isinstance(value, bool):
        token = f"VALUE_{str(value).upper()}"
    return Refused(
        livy_string(
            400,
            f"Cannot deserialize instance of `{wanted}` out of {token} token\n at [Source: (String); line: 1]"
            f' (through reference chain: {_CLASS}["{key}"])',
        )
    )
