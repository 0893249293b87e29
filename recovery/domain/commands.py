"""A recovery as commands for a terminal: `curl` to Livy through Knox, and `spark-submit`. Quoted for a POSIX shell.

To look at and to try by hand, not what the portal does: the portal's own batch name and tag are left out, because a
batch under the portal's name would be taken for the portal's. No secret is in them: `curl -u user` asks for the
password, and values that look like a secret are masked, so such a command has to be completed by hand.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any, Final

from recovery.domain.payload import Payload, canonical
from recovery.domain.redaction import MASK, SECRET_KEY, SECRET_OPTION, redact

_JOIN: Final = " \\\n  "


def as_curl(payload: Payload, *, base_url: str, livy_path: str, user: str, bearer: bool = False) -> str:
    """`POST /batches` of the payload."""
    url = "/".join(part.strip("/") for part in (base_url, livy_path, "batches") if part.strip("/"))
    words = ["curl --fail-with-body"]
    if bearer:
        words.append('-H "Authorization: Bearer $TOKEN"')
    elif user:
        words.append(f"-u {shlex.quote(user)}")
    words += [
        "-H 'Content-Type: application/json'",
        "-H 'X-Requested-By: curl'",
        f"--data-binary {shlex.quote(canonical(_masked(payload.to_json())))}",
        shlex.quote(url),
    ]
    return _JOIN.join(words)


def as_spark_submit(payload: Payload) -> str:
    """The same for a host of the cluster: `spark-submit` on YARN in cluster mode."""
    body = _masked(payload.to_json())
    words = ["spark-submit", "--master yarn", "--deploy-mode cluster"]
    for name, option in _OPTIONS.items():
        if name in body:
            value = ",".join(body[name]) if isinstance(body[name], list) else str(body[name])
            words.append(f"{option} {shlex.quote(value)}")
    words += [f"--conf {shlex.quote(f'{key}={value}')}" for key, value in sorted(body.get("conf", {}).items())]
    words.append(shlex.quote(body["file"]))
    words += [shlex.quote(arg) for arg in body.get("args", [])]
    return _JOIN.join(words)


_OPTIONS: Final[Mapping[str, str]] = {
    "className": "--class", "queue": "--queue", "proxyUser": "--proxy-user", "driverMemory": "--driver-memory",
    "driverCores": "--driver-cores", "executorMemory": "--executor-memory", "executorCores": "--executor-cores",
    "numExecutors": "--num-executors", "jars": "--jars", "files": "--files", "pyFiles": "--py-files",
    "archives": "--archives",
}  # fmt: skip


def _masked(body: Mapping[str, Any]) -> dict[str, Any]:
    """Without what looks like a secret: by the name of a setting, by the option before it, by its own looks."""
    masked: dict[str, Any] = {}
    for name, value in body.items():
        if name == "conf":
            masked[name] = {k: MASK if SECRET_KEY.search(k) else redact(v) for k, v in value.items()}
        elif name == "args":
            masked[name] = list(_masked_args(value))
        elif isinstance(value, list):
            masked[name] = [redact(item) for item in value]
        else:
            masked[name] = redact(value) if isinstance(value, str) else value
    return masked


def _masked_args(args: Iterable[str]) -> Iterable[str]:
    after_option = False
    for arg in args:
        if after_option and not arg.startswith("-"):
            yield MASK
        else:
            yield redact(arg)
        after_option = SECRET_OPTION.fullmatch(arg) is not None
