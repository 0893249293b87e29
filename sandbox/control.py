"""Control over HTTP, for tests whose sandbox is another process: `/__sandbox__/…`, loopback only, no credentials."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from sandbox.answers import JSON_TYPE, Answer, to_json
from sandbox.faults import Fault
from sandbox.request import Request
from sandbox.server import CONTROL_PREFIX

if TYPE_CHECKING:
    from sandbox.core import Sandbox


def handle(sandbox: "Sandbox", request: Request) -> Answer:
    """GET reads, POST acts; a body, if any, is a JSON object of the method's arguments."""
    order = request.path.removeprefix(CONTROL_PREFIX).strip("/")
    try:
        arguments = json.loads(request.body) if request.body else {}
        value = _reading(sandbox, order) if request.method == "GET" else _act(sandbox, request.method, order, arguments)
    except (ValueError, TypeError, LookupError) as error:
        return _json({"error": f"{type(error).__name__}: {error}"}, 400)
    return _json({"error": f"unknown: {request.method} {order}"}, 404) if value is None else _json(value)


def _reading(sandbox: "Sandbox", order: str) -> object:
    match order:
        case "ledger":
            return [asdict(record) for record in sandbox.ledger.records]
        case "requests":
            return [{**asdict(record), "body": record.body.decode("utf-8", "replace")} for record in sandbox.requests]
        case "tally":
            return sandbox.tally
        case "batches":
            return sandbox.held()
        case "faults":
            return [{**asdict(fault), "struck": struck} for fault, struck in sandbox.faults_struck()]
        case "info":
            return {"url": sandbox.url, "generation": sandbox.generation, "settings": repr(sandbox.settings)}
    return None


def _act(sandbox: "Sandbox", method: str, order: str, arguments: object) -> object:
    if order == "faults":
        return _faults(sandbox, method, arguments)
    if method != "POST" or not isinstance(arguments, dict):
        return None
    orders: dict[str, Callable[..., object]] = {
        "restart": sandbox.restart,
        "down": sandbox.livy_down,
        "up": sandbox.livy_up,
        "pause": sandbox.pause,
        "resume": sandbox.resume,
        "gc": sandbox.gc,
        "finish": sandbox.finish,
        "seed": sandbox.seed,
        "yarn_down": sandbox.yarn_down,
        "yarn_up": sandbox.yarn_up,
        "yarn_restart": sandbox.yarn_restart,
        "hdfs_down": sandbox.hdfs_down,
        "hdfs_up": sandbox.hdfs_up,
        "knox_restart": sandbox.knox_restart,
    }
    if order not in orders:
        return None
    return {"ok": True, "result": orders[order](**arguments)}


def _faults(sandbox: "Sandbox", method: str, arguments: object) -> object:
    """POST a fault or a list of them; DELETE, or POST {"clear": true}, disarms all."""
    if method == "DELETE" or arguments == {"clear": True}:
        sandbox.clear_faults()
        return {"ok": True}
    for item in arguments if isinstance(arguments, list) else [arguments]:
        sandbox.add_fault(Fault.from_json(item))
    return {"ok": True}


def _json(value: object, status: int = 200) -> Answer:
    return Answer(status=status, body=to_json(value), content_type=JSON_TYPE)
