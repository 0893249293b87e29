"""P4: what one call does on the wire, and P2's last act. Against sockets that say exactly what they are told to."""

from __future__ import annotations

import gzip
import os
import socket
import ssl
import threading
import zlib
from pathlib import Path
from typing import Any

import pytest
import requests

from recovery.domain.gateways import AuthKind, Condition
from recovery.gateway.endpoint import Endpoint
from recovery.gateway.errors import Ambiguous, NotSent
from recovery.gateway.transport import Answer, Call, Transport
from tests.gateway.conftest import Serve
from tests.gateway.raw import Peer, answer, json_answer

OK = json_answer("200 OK", "{}")
CREATED = json_answer("201 Created", '{"id":0,"name":"n","state":"starting"}')


def get(url: str, **changes: Any) -> Call:
    fields: dict[str, Any] = {"method": "GET", "url": url, "deadline": 5.0}
    return Call(**fields | changes)


def post(url: str, **changes: Any) -> Call:
    return get(url, **{"method": "POST", "body": b'{"file":"hdfs:///x.jar"}', "fresh": True} | changes)


def send(call: Call, *, endpoint: Endpoint | None = None, **options: Any) -> Answer:
    transport = Transport(endpoint or Endpoint(base_url=call.url), **options)
    try:
        return transport.send(call)
    finally:
        transport.close()


def once(data: bytes) -> Any:
    """Each connection: read one request, say `data`, close."""

    def script(peer: Peer) -> None:
        if peer.read():
            peer.say(data)

    return script


def kept(data: bytes) -> Any:
    """Each connection: answer every request with `data`, as HTTP/1.1 does."""

    def script(peer: Peer) -> None:
        while peer.read():
            peer.say(data)

    return script


def header(request: bytes, name: str) -> str | None:
    for line in request.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]:
        key, _, value = line.partition(":")
        if key.lower() == name.lower():
            return value.strip()
    return None


# ── the answer ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_is_given_whole(serve: Serve) -> None:
    head = ("Content-Type: Text/HTML; charset=iso-8859-1", "Retry-After: 17")
    server = serve(once(answer("503 Service Unavailable", b"<p>no</p>", *head)))
    given = send(get(server.url))
    assert given == Answer(status=503, content_type="text/html", body=b"<p>no</p>", retry_after=17.0)


@pytest.mark.parametrize("value", ["", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "1.5", "\xb2", "1e3"])
def test_a_retry_after_that_is_no_number_of_seconds_is_none(serve: Serve, value: str) -> None:
    server = serve(once(answer("429 Too Many Requests", b"", f"Retry-After: {value}")))
    assert send(get(server.url)).retry_after is None


def test_a_body_is_sent_as_it_is_with_the_headers_that_knox_and_livy_want(serve: Serve) -> None:
    server = serve(once(CREATED))
    body = '{"args":["é"],"file":"hdfs:///x.jar"}'.encode()
    send(post(server.url + "/livy/v1/batches", body=body))
    (request,) = server.requests
    assert request.startswith(b"POST /livy/v1/batches HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\n" + body)
    assert header(request, "Content-Type") == "application/json"
    assert header(request, "X-Requested-By")  # Livy's CSRF filter (contract §7)
    assert header(request, "X-XSRF-Header")  # Knox's (contract §10)
    assert header(request, "Accept") == "application/json"
    assert header(request, "Expect") is None


@pytest.mark.parametrize(
    ("auth", "secret", "expected"),
    [
        (AuthKind.BASIC, "pä:s", "Basic c3Zjw6k6cMOkOnM="),
        (AuthKind.BEARER, "ey.J-_x=", "Bearer ey.J-_x="),
        (AuthKind.NONE, "unused", None),
    ],
)
def test_we_say_who_we_are_as_the_endpoint_says(
    serve: Serve, auth: AuthKind, secret: str, expected: str | None
) -> None:
    server = serve(once(OK))
    send(get(server.url), endpoint=Endpoint(base_url=server.url, auth=auth, user="svcé", secret=secret))
    assert header(server.requests[0], "Authorization") == expected


@pytest.mark.parametrize("secret", ["", "two\nlines", "€uro", "a b"])
def test_a_token_that_no_header_can_carry_is_not_sent(serve: Serve, secret: str) -> None:
    server = serve(once(OK))
    with pytest.raises(NotSent) as caught:
        send(get(server.url), endpoint=Endpoint(base_url=server.url, auth=AuthKind.BEARER, secret=secret))
    assert caught.value.condition is Condition.SECRET
    assert "two" not in caught.value.words
    assert server.accepted == 0


# ── P4: connections, redirects, cookies, environment ────────────────────────────────────────────────────────────


def test_p4_each_post_has_a_connection_of_its_own_and_gets_share_one(serve: Serve) -> None:
    server = serve(kept(OK))
    transport = Transport(Endpoint(base_url=server.url))
    transport.send(get(server.url))
    transport.send(get(server.url))
    assert server.accepted == 1
    transport.send(post(server.url))
    assert server.accepted == 2
    transport.send(get(server.url))
    assert server.accepted == 2
    transport.send(post(server.url))
    assert server.accepted == 3
    transport.close()
    transport.close()  # twice does no harm
    transport.send(get(server.url))
    assert server.accepted == 4
    transport.close()


def test_p4_a_kept_connection_that_the_peer_closed_is_replaced(serve: Serve) -> None:
    closed = threading.Event()

    def script(peer: Peer) -> None:
        peer.read()
        peer.say(OK)
        peer.connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    server = serve(script)
    transport = Transport(Endpoint(base_url=server.url))
    assert transport.send(get(server.url)).status == 200
    assert closed.wait(5)
    assert transport.send(get(server.url)).status == 200
    assert server.accepted == 2
    transport.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("other_host", [False, True])
def test_p4_no_redirect_is_followed_not_even_to_the_same_host(serve: Serve, status: int, other_host: bool) -> None:
    """A 302 to a login page would turn a POST into a GET that answers 200."""
    elsewhere = serve(once(OK))
    place = elsewhere.url if other_host else "/login"
    server = serve(once(answer(f"{status} Go", b"", f"Location: {place}")))
    assert send(post(server.url)).status == status
    assert len(server.requests) == 1
    assert elsewhere.accepted == 0


@pytest.mark.parametrize("location", ["http://[::1", "/\xe9", "", "//", "https://user:pw@x:99999/"])
def test_p4_the_location_of_a_redirect_is_not_even_read(serve: Serve, location: str) -> None:
    server = serve(once(answer("302 Found", b"x", f"Location: {location}")))
    assert send(get(server.url)).status == 302


def test_p4_no_cookie_is_kept_or_sent(serve: Serve) -> None:
    """Knox's session cookie would beat the credentials of the next call (real-behaviour.md, fact 8)."""
    cookies = ("Set-Cookie: KNOXSESSIONID=abc; Path=/", "Set-Cookie: hadoop.auth=x; Path=/; Domain=127.0.0.1")
    server = serve(kept(answer("200 OK", b"{}", *cookies)))
    transport = Transport(Endpoint(base_url=server.url))
    for call in (get(server.url), get(server.url), post(server.url), get(server.url)):
        transport.send(call)
    transport.close()
    assert len(server.requests) == 4
    assert {header(request, "Cookie") for request in server.requests} == {None}


def test_p4_proxies_of_the_environment_are_ignored(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, server = serve(once(OK)), serve(once(OK))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv(name.lower(), proxy.url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert send(get(server.url)).status == 200
    assert proxy.accepted == 0


def test_p4_netrc_is_ignored(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(once(OK))
    assert requests.utils.get_netrc_auth(server.url) is not None  # requests would have used it
    send(get(server.url), endpoint=Endpoint(base_url=server.url, auth=AuthKind.NONE))
    assert header(server.requests[0], "Authorization") is None


# ── P4: deadline and cap ────────────────────────────────────────────────────────────────────────────────────────

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("at_once", "slowly"),
    [
        (b"", HEAD + b"X-Slow: " + b"x" * 400),
        (HEAD + b"Content-Length: 400\r\n\r\n", b"1" * 400),
        (HEAD + b"Connection: close\r\n\r\n", b"1" * 400),  # http.client lets go of the socket here
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n1\r\n" * 60),
        (HEAD + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(os.urandom(400))),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 20),
    ],
    ids=["headers", "body of known length", "body that ends by closing", "chunks", "gzip", "100 Continue"],
)
def test_p4_the_deadline_is_total_however_slowly_the_answer_drips(serve: Serve, at_once: bytes, slowly: bytes) -> None:
    """The read time-out of requests is between two bytes: a drip never meets it."""
    finished = threading.Event()

    def script(peer: Peer) -> None:
        peer.read()
        peer.say(at_once)
        peer.drip(slowly)
        finished.set()

    server = serve(script)
    with pytest.raises(Ambiguous):
        send(post(server.url, deadline=0.3), read_timeout=10)
    assert not finished.is_set()


def test_p4_the_deadline_holds_over_tls(serve: Serve, tls: ssl.SSLContext, certificate: Path) -> None:
    finished = threading.Event()

    def script(peer: Peer) -> None:
        peer.read()
        peer.say(HEAD + b"\r\n")
        peer.drip(b"1" * 400)
        finished.set()

    server = serve(script, tls=tls)
    with pytest.raises(Ambiguous):
        send(post(server.url, deadline=0.5), endpoint=Endpoint(base_url=server.url, ca_bundle=str(certificate)))
    assert not finished.is_set()


def test_p4_an_answer_that_is_cut_at_the_deadline_is_no_answer(serve: Serve) -> None:
    """What was read so far is whole JSON by chance, and its end came from our own watchdog."""

    def script(peer: Peer) -> None:
        peer.read()
        peer.say(HEAD + b'\r\n{"id":0,"name":"n","state":"starting"}')
        peer.stay()

    server = serve(script)
    with pytest.raises(Ambiguous, match="deadline") as caught:
        send(post(server.url, deadline=0.3))
    assert caught.value.status == 200


def test_p4_silence_is_ended_by_the_read_timeout(serve: Serve) -> None:
    server = serve(lambda peer: (peer.read(), peer.stay()))
    with pytest.raises(Ambiguous):
        send(post(server.url, deadline=60), read_timeout=0.2)
    assert len(server.requests) == 1


def test_p4_the_clock_decides_when_the_watchdog_sleeps(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine too busy to run the timer's thread the deadline is seen between two reads."""

    class NeverFires(threading.Timer):
        def run(self) -> None:
            self.finished.wait()

    monkeypatch.setattr(threading, "Timer", NeverFires)

    def script(peer: Peer) -> None:
        peer.read()
        peer.say(HEAD + b"\r\n")
        peer.drip(b"{}", every=0.2)

    server = serve(script)
    with pytest.raises(Ambiguous, match="deadline"):
        send(get(server.url, deadline=0.3), read_timeout=5)


def test_p4_a_watchdog_that_wakes_too_late_leaves_the_next_call_alone(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers: list[threading.Timer] = []

    class Recorded(threading.Timer):
        def __init__(self, interval: float, function: Any) -> None:
            super().__init__(interval, function)
            timers.append(self)

    monkeypatch.setattr(threading, "Timer", Recorded)
    server = serve(kept(OK))
    transport = Transport(Endpoint(base_url=server.url))
    transport.send(get(server.url))
    timers[0].function()  # it had passed its check of `cancel` in the last moment
    transport.send(get(server.url))
    transport.close()
    assert server.accepted == 1


def test_p4_a_deadline_that_has_passed_sends_nothing(serve: Serve) -> None:
    server = serve(once(OK))
    for deadline in (0, -3.0):
        with pytest.raises(NotSent) as caught:
            send(post(server.url, deadline=deadline))
        assert caught.value.condition is Condition.TIMEOUT
    assert server.accepted == 0


def test_p2_a_deadline_that_passes_while_connecting_sends_nothing(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow DNS server cannot be interrupted: the deadline is looked at again before the first byte."""
    look_up, ended = socket.getaddrinfo, threading.Event()

    def slowly(*args: Any, **kwargs: Any) -> Any:
        ended.wait(0.3)
        return look_up(*args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    seen = []
    server = serve(lambda peer: seen.append(peer.read()))
    with pytest.raises(NotSent) as caught:
        send(post(server.url, deadline=0.1))
    assert caught.value.condition is Condition.TIMEOUT
    assert server.bytes_seen == 0


@pytest.mark.parametrize("kind", ["plain", "chunked", "gzip", "redirect", "no length"])
def test_p4_bytes_are_capped_after_decompression(serve: Serve, kind: str) -> None:
    body = b"a" * 300_000
    packed = gzip.compress(body)
    said = {
        "plain": answer("200 OK", body),
        "chunked": HEAD + b"Transfer-Encoding: chunked\r\n\r\n493e0\r\n" + body + b"\r\n0\r\n\r\n",
        "gzip": answer("200 OK", packed, "Content-Encoding: gzip"),
        "redirect": answer("302 Found", packed, "Content-Encoding: gzip", "Location: /elsewhere"),
        "no length": HEAD + b"\r\n" + body,
    }[kind]
    server = serve(once(said))
    with pytest.raises(Ambiguous, match="larger than 200000 bytes"):
        send(get(server.url), max_bytes=200_000)
    assert len(send(get(server.url), max_bytes=300_000).body) == 300_000


def test_p4_a_gzip_bomb_ends_at_the_cap(serve: Serve) -> None:
    """20 MB of zeros in 20 kB: more than the cap of production."""
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(20)) + packer.flush()
    server = serve(once(answer("200 OK", bomb, "Content-Encoding: gzip")))
    with pytest.raises(Ambiguous, match="larger than 16777216 bytes"):
        send(get(server.url))


def test_p4_twenty_megabytes_end_at_the_cap_and_eight_pass(serve: Serve) -> None:
    sizes = [20_000_000, 8_000_000]

    def script(peer: Peer) -> None:
        peer.read()
        peer.say(answer("200 OK", b"a" * sizes[peer.number - 1]))

    server = serve(script)
    with pytest.raises(Ambiguous, match="larger"):
        send(get(server.url))
    assert len(send(get(server.url)).body) == 8_000_000


def test_p4_nothing_is_sent_twice_whatever_the_answer(serve: Serve) -> None:
    busy = answer("503 Service Unavailable", b"", "Retry-After: 0")
    server = serve(kept(busy))
    assert send(post(server.url)).status == 503
    assert len(server.requests) == 1


# ── P2: the last act ────────────────────────────────────────────────────────────────────────────────────────────


class ClaimGone(Exception):
    pass


@pytest.mark.parametrize("secure", [False, True])
def test_p2_the_last_act_runs_after_connecting_and_before_the_first_byte(
    serve: Serve, tls: ssl.SSLContext, certificate: Path, secure: bool
) -> None:
    stood, order = threading.Event(), []

    def script(peer: Peer) -> None:
        stood.set()
        peer.read()
        order.append("first byte")
        peer.say(CREATED)

    def last_act() -> None:
        assert stood.wait(5)
        assert server.bytes_seen == 0
        order.append("last act")

    server = serve(script, tls=tls if secure else None)
    endpoint = Endpoint(base_url=server.url, ca_bundle=str(certificate))
    assert send(post(server.url, last_act=last_act), endpoint=endpoint).status == 201
    assert order == ["last act", "first byte"]


@pytest.mark.parametrize("secure", [False, True])
def test_p2_a_last_act_that_raises_stops_the_call_with_nothing_sent(
    serve: Serve, tls: ssl.SSLContext, certificate: Path, secure: bool
) -> None:
    ended, read = threading.Event(), []

    def script(peer: Peer) -> None:
        read.append(peer.read())
        ended.set()

    def last_act() -> None:
        raise ClaimGone("another worker has it")

    server = serve(script, tls=tls if secure else None)
    endpoint = Endpoint(base_url=server.url, ca_bundle=str(certificate))
    with pytest.raises(ClaimGone, match="another worker"):
        send(post(server.url, last_act=last_act), endpoint=endpoint)
    assert ended.wait(5)
    assert read == [b""]
    assert server.bytes_seen == 0


def test_p2_the_last_act_also_guards_a_kept_connection(serve: Serve) -> None:
    def last_act() -> None:
        raise ClaimGone

    server = serve(kept(OK))
    transport = Transport(Endpoint(base_url=server.url))
    transport.send(get(server.url))
    with pytest.raises(ClaimGone):
        transport.send(get(server.url, last_act=last_act))
    transport.send(get(server.url))
    transport.close()
    assert len(server.requests) == 2


def test_p2_without_a_connection_the_last_act_does_not_run() -> None:
    acts: list[int] = []
    with pytest.raises(NotSent):
        send(post(refused_url(), last_act=lambda: acts.append(1)))
    assert acts == []


# ── not sent, or ambiguous: by the cause ────────────────────────────────────────────────────────────────────────


def refused_url() -> str:
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def not_sent(call: Call, **options: Any) -> NotSent:
    with pytest.raises(NotSent) as caught:
        send(call, **options)
    return caught.value


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a2_a_refused_port_is_not_sent(scheme: str) -> None:
    error = not_sent(post(refused_url().replace("http", scheme)))
    assert error.condition is Condition.UNREACHABLE
    assert "refused" in error.words


@pytest.mark.parametrize("host", ["no-such-host.invalid", f"{'a' * 64}.example", "a..example"])
def test_a2_a_name_that_does_not_exist_is_not_sent(host: str) -> None:
    assert not_sent(post(f"https://{host}:8443/")).condition is Condition.DNS


def test_a2_a_connect_timeout_is_not_sent() -> None:
    """A listener whose queue is full drops the packets that would open a connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        error = not_sent(post(f"http://127.0.0.1:{listener.getsockname()[1]}"), connect_timeout=0.2)
        for filler in fillers:
            filler.close()
    assert error.condition is Condition.TIMEOUT


def test_a2_a_tls_handshake_that_hangs_is_not_sent(serve: Serve) -> None:
    server = serve(lambda peer: peer.stay())
    error = not_sent(post(server.url.replace("http", "https")), connect_timeout=0.2)
    assert error.condition is Condition.TIMEOUT


def test_a2_a_certificate_that_nobody_vouches_for_is_not_sent(
    serve: Serve, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(once(CREATED), tls=tls)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))  # P4: the environment has no say
    monkeypatch.setenv("CURL_CA_BUNDLE", str(certificate))
    error = not_sent(post(server.url))
    assert error.condition is Condition.TLS
    assert server.bytes_seen == 0


def test_a2_a_certificate_for_another_host_is_not_sent(serve: Serve, tls: ssl.SSLContext, certificate: Path) -> None:
    server = serve(once(CREATED), tls=tls)
    url = server.url.replace("127.0.0.1", "localhost")
    error = not_sent(post(url), endpoint=Endpoint(base_url=url, ca_bundle=str(certificate)))
    assert error.condition is Condition.TLS
    assert server.bytes_seen == 0


def test_a_certificate_of_the_own_authority_is_accepted(serve: Serve, tls: ssl.SSLContext, certificate: Path) -> None:
    server = serve(once(CREATED), tls=tls)
    endpoint = Endpoint(base_url=server.url, ca_bundle=str(certificate))
    assert send(post(server.url), endpoint=endpoint).status == 201


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_verification_can_be_switched_off(serve: Serve, tls: ssl.SSLContext) -> None:
    server = serve(once(CREATED), tls=tls)
    assert send(post(server.url), endpoint=Endpoint(base_url=server.url, verify_tls=False)).status == 201


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a2_a_ca_bundle_that_cannot_be_used_is_not_sent(serve: Serve, tmp_path: Path, content: str | None) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)
    server = serve(once(CREATED))
    url = server.url.replace("http", "https")
    error = not_sent(post(url), endpoint=Endpoint(base_url=url, ca_bundle=str(bundle)))
    assert error.condition is Condition.TLS
    assert server.bytes_seen == 0


def test_a2_no_tls_at_the_other_end_is_not_sent(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.connection.recv(100)  # the client's hello
        peer.say(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    error = not_sent(post(serve(script).url.replace("http", "https")))
    assert error.condition is Condition.TLS


def hears_then_closes(peer: Peer) -> None:
    peer.connection.recv(4096)  # the client's hello


def hears_then_resets(peer: Peer) -> None:
    peer.connection.recv(4096)
    peer.reset()


@pytest.mark.parametrize("script", [hears_then_closes, hears_then_resets])
def test_a2_a_peer_that_ends_the_handshake_is_not_sent(serve: Serve, script: Any) -> None:
    error = not_sent(post(serve(script).url.replace("http", "https")))
    assert error.condition in (Condition.TLS, Condition.UNREACHABLE)


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1:99999/", "ftp://127.0.0.1/", "http:///x"])
def test_a2_an_address_that_is_none_is_not_sent(url: str) -> None:
    assert isinstance(not_sent(post(url)), NotSent)


def reads_then_closes(peer: Peer) -> None:
    peer.read()


def reads_then_resets(peer: Peer) -> None:
    peer.read()
    peer.reset()


@pytest.mark.parametrize(
    "script",
    [
        reads_then_closes,
        reads_then_resets,
        once(b"\0\1\2"),
        once(b"HTTP/1.1 abc\r\n\r\n"),
        once(b"HTTP/1.1 201 Created\r\nContent-Length: 50\r\n\r\n{}"),
        once(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc"),
        once(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        once(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"),
        once(b"HTTP/1.1 201 Created\r\n" + b"a: b\r\n" * 200 + b"\r\n"),
        once(b"HTTP/1.1 201 Created\r\nX: " + b"a" * 70_000 + b"\r\n\r\n"),
        once(answer("201 Created", b"no gzip", "Content-Encoding: gzip")),
    ],
    ids=[
        "closes", "resets", "noise", "no status", "truncated", "two lengths", "no chunk", "half the chunks",
        "200 headers", "a long header", "no gzip",
    ],
)  # fmt: skip
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a4_after_the_first_byte_everything_is_a_doubt(
    serve: Serve, tls: ssl.SSLContext, certificate: Path, script: Any, secure: bool
) -> None:
    """The class of the exception does not tell: requests raises ConnectionError for a refused port too."""
    server = serve(script, tls=tls if secure else None)
    with pytest.raises(Ambiguous):
        send(post(server.url), endpoint=Endpoint(base_url=server.url, ca_bundle=str(certificate)))
    assert len(server.requests) == 1
