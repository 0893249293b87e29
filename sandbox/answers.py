"""What goes back over the wire, as a value, and the shapes of body that Livy and Knox send.

Error bodies come as `{"msg": …}`, a bare JSON string, HTML, or nothing at all (livy-knox-contract.md §8).
"""

import gzip
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http import HTTPStatus

JSON_TYPE = "application/json;charset=utf-8"
HTML_TYPE = "text/html;charset=iso-8859-1"
SERVER = "Jetty(9.3.24.v20180605)"
CONNECTIVITY = "java.io.IOException: Service connectivity error."
_WRAPPERS = (
    "javax.servlet.ServletException: ",
    "javax.servlet.ServletException: ",
    "org.apache.shiro.subject.ExecutionException: ",
    "java.security.PrivilegedActionException: ",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How the bytes leave: whole, or as a fault wants it (`sandbox.wire`)."""

    kind: str = "whole"
    seconds: float = 0.0
    headers_too: bool = False
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    close: bool = False
    delivery: Delivery = field(default_factory=Delivery)
    #: An error page of Knox: the same in JSON, for a client that asks for that (`negotiated`).
    page_json: bytes = b""
    #: Livy's and YARN's servlets compress for whoever takes gzip, empty bodies too.
    compressible: bool = False


def http_date() -> str:
    return formatdate(usegmt=True)


def reason(status: int) -> str:
    if status == 500:
        return "Server Error"
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def to_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def backend_json(value: object, status: int = 200, **headers: str) -> Answer:
    return backend(status, to_json(value), JSON_TYPE, **headers)


def backend(status: int, body: bytes = b"", content_type: str | None = JSON_TYPE, **headers: str) -> Answer:
    """An answer of Livy's own Jetty. Header names are given with `_` for `-`."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    date = (("Date", http_date()),)
    return Answer(status=status, body=body, content_type=content_type, headers=(*date, *named, ("Server", SERVER)))


def livy_message(status: int, text: str) -> Answer:
    return backend_json({"msg": text}, status)


def livy_string(status: int, text: str) -> Answer:
    """Livy's JSON errors and uncaught exceptions are a bare JSON *string* (real-behaviour.md §f)."""
    return backend_json(text, status)


def jetty_page(status: int, message: str, uri: str, servlet: str = "-", causes: tuple[str, ...] = ()) -> bytes:
    text = html.escape(message, quote=True).replace("&#x27;", "&apos;")
    rows = [("URI:", html.escape(uri)), ("STATUS:", str(status)), ("MESSAGE:", text), ("SERVLET:", servlet)]
    rows += [("CAUSED BY:", html.escape(cause)) for cause in causes]
    table = "\n".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    return (
        '<html>\n<head>\n<meta http-equiv="Content-Type" content="text/html;charset=ISO-8859-1"/>\n'
        f"<title>Error {status} {text}</title>\n</head>\n<body><h2>HTTP ERROR {status} {text}</h2>\n"
        f"<table>\n{table}\n</table>\n\n</body>\n</html>\n"
    ).encode("iso-8859-1", "replace")


def _page_json(status: int, message: str, uri: str, servlet: str, causes: tuple[str, ...]) -> bytes:
    """Jetty's own hand: values are escaped for HTML, line ends are not escaped at all."""
    items = {"message": message, "url": uri, "status": str(status)}
    if servlet != "-":
        items = {"servlet": servlet, **items}
    items = {**{f"cause{number}": cause for number, cause in enumerate(causes)}, **items}
    lines = ",\n".join(f'"{name}":"{html.escape(value)}"' for name, value in items.items())
    return f"{{\n{lines}\n}}".encode("utf-8", "replace")


def negotiated(answer: Answer, method: str, headers: Mapping[str, str]) -> Answer:
    """The answer as this client gets it: error pages by its verb and `Accept`, Livy's bodies by `Accept-Encoding`."""
    if answer.page_json:
        if method not in ("GET", "HEAD", "POST"):
            kept = tuple(header for header in answer.headers if header[0] != "Cache-Control")
            return replace(answer, body=b"", content_type=None, headers=kept, page_json=b"")
        for kind in (part.partition(";")[0].strip().lower() for part in headers.get("accept", "*/*").split(",")):
            if kind in ("text/html", "*/*"):
                break
            if kind == "application/json":
                return replace(answer, body=answer.page_json, content_type="application/json")
    elif answer.compressible and "gzip" in headers.get("accept-encoding", ""):
        encoded = (*answer.headers, ("Content-Encoding", "gzip"))
        return replace(answer, body=gzip.compress(answer.body, 1, mtime=0), headers=encoded)
    return answer


def knox_page(status: int, uri: str, servlet: str = "-", message: str | None = None) -> Answer:
    """An error page by Knox itself: unknown topology, refused token. Carries no Date, no cookies."""
    words = message or reason(status)
    return Answer(
        status=status,
        body=jetty_page(status, words, uri, servlet),
        content_type=HTML_TYPE,
        headers=(("Cache-Control", "must-revalidate,no-cache,no-store"),),
        page_json=_page_json(status, words, uri, servlet, ()),
    )


def bad_message(status: int) -> Answer:
    """What Jetty's parser refuses is answered before anything looks at `Accept`."""
    body = f"<h1>Bad Message {status}</h1><pre>reason: {reason(status)}</pre>".encode()
    return Answer(status=status, body=body, content_type=HTML_TYPE, close=True)


def knox_failure(uri: str, topology: str, root_cause: str = CONNECTIVITY) -> Answer:
    """Knox's 500: Livy refused, timed out or died half-way, all with the same page (real-behaviour.md, fact 2).

    To PUT and DELETE it comes with an empty body and no content type (§m 2; `negotiated`).
    """
    causes = tuple("".join(_WRAPPERS[skip:]) + root_cause for skip in range(len(_WRAPPERS) + 1))
    servlet = f"{topology}-knox-gateway-servlet"
    return replace(
        knox_page(500, uri, servlet, causes[0]),
        body=jetty_page(500, causes[0], uri, servlet, causes),
        page_json=_page_json(500, causes[0], uri, servlet, causes),
        close=True,
    )
