"""What each action at the door does: an answer made up instead of Livy's, or Livy's answer spoiled."""

import gzip
import io
import json
from dataclasses import replace

from sandbox.answers import HTML_TYPE, JSON_TYPE, Answer, Delivery, jetty_page, knox_failure, to_json
from sandbox.clock import Clock
from sandbox.faults import Fault
from sandbox.request import Request

LOGIN_PAGE = (
    b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>"
    b'<form method="post" action="/gateway/knoxsso/api/v1/websso">'
    b'<input name="username"><input name="password" type="password"></form></body></html>'
)


def instead(fault: Fault, clock: Clock, request: Request, topology: str) -> Answer | None:
    """The answer that is sent without asking Livy; None: go on and ask (a delay)."""
    return _made_up(fault, clock, request, topology)


def spoiled(fault: Fault, clock: Clock, request: Request, topology: str, answer: Answer) -> Answer:
    """What becomes of an answer that Livy did give."""
    match fault.action:
        case "half_body":
            return replace(answer, delivery=Delivery(kind="half"))
        case "drip":
            headers_too = fault.variant == "headers"
            return replace(answer, delivery=Delivery(kind="drip", seconds=fault.seconds, headers_too=headers_too))
        case "invalid_utf8":
            middle = len(answer.body) // 2
            return replace(answer, body=answer.body[:middle] + b"\xff\xfe\x80" + answer.body[middle:])
        case "wrong_json_types" | "wrong_id" | "wrong_name":
            return replace(answer, body=_with_wrong_values(answer.body, fault.action))
    made_up = _made_up(fault, clock, request, topology)
    return answer if made_up is None else made_up


def _made_up(fault: Fault, clock: Clock, request: Request, topology: str) -> Answer | None:
    headers = tuple(fault.headers.items())
    match fault.action:
        case "delay":
            clock.wait(fault.seconds)
            return None
        case "hang":
            return Answer(status=0, delivery=Delivery(kind="hang", seconds=fault.seconds))
        case "drop" | "reset":
            return Answer(status=0, delivery=Delivery(kind=fault.action))
        case "status":
            return _status(fault, request)
        case "empty_200":
            # Knox, when Livy dies in the middle of its answer (fact 3).
            return Answer(status=200, content_type="application/json", headers=headers)
        case "login_page_200":
            return Answer(status=200, body=LOGIN_PAGE, content_type="text/html;charset=utf-8", headers=headers)
        case "redirect":
            return _redirect(fault, request)
        case "big_body":
            body = b'{"msg":"' + b"x" * fault.size + b'"}'
            return Answer(status=200, body=body, content_type=JSON_TYPE, headers=headers)
        case "gzip_bomb":
            encoded = (("Content-Encoding", "gzip"), *headers)
            return Answer(status=200, body=_bomb(fault.size), content_type=JSON_TYPE, headers=encoded)
        case "knox_500":
            return knox_failure(request.path, topology)
    raise AssertionError(fault.action)


def _status(fault: Fault, request: Request) -> Answer:
    headers = tuple(fault.headers.items())
    if fault.body == "json":
        body, kind = to_json({"msg": fault.message}), JSON_TYPE
    elif fault.body == "html":
        body, kind = jetty_page(fault.code, fault.message, request.path), HTML_TYPE
    else:
        return Answer(status=fault.code, headers=headers)
    return Answer(status=fault.code, body=body, content_type=kind, headers=headers)


def _redirect(fault: Fault, request: Request) -> Answer:
    """To this very server, by the same or by another host name: who follows is seen in the recorded requests."""
    host = request.headers.get("host", "127.0.0.1")
    if fault.variant == "other":
        host = f"localhost:{host.rpartition(':')[2]}"
    headers = {"Location": f"http://{host}/gateway/knoxsso/login", **fault.headers}
    code = fault.code if 300 <= fault.code < 400 else 302
    return Answer(status=code, content_type="text/html;charset=utf-8", headers=tuple(headers.items()))


def _bomb(size: int) -> bytes:
    buffer = io.BytesIO()
    block = b" " * 65536
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=9, mtime=0) as stream:
        for start in range(0, size, len(block)):
            stream.write(block[: size - start])
    return buffer.getvalue()


def _with_wrong_values(body: bytes, action: str) -> bytes:
    try:
        parsed = json.loads(body)
    except ValueError:
        return body
    if not isinstance(parsed, dict):
        return body
    sessions = parsed.get("sessions")
    if isinstance(sessions, list):
        parsed["sessions"] = {} if action == "wrong_json_types" else [_wrong(item, action) for item in sessions]
        return to_json(parsed)
    return to_json(_wrong(parsed, action))


def _wrong(value: dict[str, object], action: str) -> dict[str, object]:
    wrong = dict(value)
    if action == "wrong_name":
        wrong["name"] = "somebody-else"
    elif action == "wrong_id":
        number = wrong.get("id")
        wrong["id"] = number + 1000 if isinstance(number, int) else 1000
    else:
        wrong |= {
            "id": str(value.get("id")),
            "state": 7,
            "appId": ["application"],
            "appInfo": "",
            "log": "text",
        }
        wrong["name"] = {"name": value.get("name")}
    return wrong
