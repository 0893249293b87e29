"""The gateway: topologies, identities, cookies, time-outs (real-behaviour.md §h, facts 2, 8, 9)."""

import base64
import http.client
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox import Sandbox
from tests.sandbox.helpers import JAR, Door, eventually

HTML = "text/html;charset=iso-8859-1"


def raw(url: str, **options: object) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=10, **options)  # type: ignore[arg-type]  # passed on as they are


@pytest.mark.parametrize("auth", [None, ("svc_portal", "wrong"), ("nobody", "svc-password")])
def test_no_or_bad_credentials_are_an_empty_401(sb: Sandbox, auth: tuple[str, str] | None) -> None:
    sb.livy_down()  # Knox asks before it looks for Livy
    answer = raw(f"{sb.url}/livy/v1/batches", auth=auth)
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["WWW-Authenticate"] == 'BASIC realm="application"'
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize("header", ["Basic !!!", "Basic", "Bearer sandbox-token", "Basic bm9jb2xvbg=="])
def test_odd_credentials_are_401(sb: Sandbox, header: str) -> None:
    assert raw(f"{sb.url}/livy/v1/batches", headers={"Authorization": header}).status_code == 401


def test_unknown_topology_is_html_and_unknown_service_is_empty(sb: Sandbox) -> None:
    for path in ("/gateway/nope/livy/v1/batches", "/elsewhere"):
        answer = raw(sb.root + path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, HTML)
    answer = raw(f"{sb.url}/nope/v1")
    assert (answer.status_code, answer.content) == (404, b"")
    assert "Content-Type" not in answer.headers


def test_headers_beyond_8_kib_are_431(door: Door) -> None:
    answer = door.get("/batches", headers={"X-Long": "x" * 8200})
    assert (answer.status_code, answer.headers["Content-Type"]) == (431, HTML)


def test_livys_answers_carry_a_date_of_knox_too(door: Door) -> None:
    assert len(door.get("/version").raw.headers.getlist("Date")) == 2


def test_a_session_cookie_beats_the_credentials(sb: Sandbox) -> None:
    with requests.Session() as session:
        session.trust_env = False
        url = f"{sb.url}/livy/v1/batches"
        first = session.get(url, auth=("svc_portal", "svc-password"), timeout=10)
        assert "KNOXSESSIONID=" in first.headers["Set-Cookie"]
        assert "Set-Cookie" not in session.get(url, timeout=10).headers
        assert session.get(url, auth=("svc_portal", "wrong"), timeout=10).status_code == 200
        home = session.get(f"{sb.url}/webhdfs/v1/?op=GETHOMEDIRECTORY", auth=("guest", "guest-password"), timeout=10)
        assert home.json() == {"Path": "/user/svc_portal"}
        sb.knox_restart()
        assert session.get(url, timeout=10).status_code == 401


def test_bearer_tokens_have_their_own_topology(sb: Sandbox) -> None:
    url = f"{sb.token_url}/livy/v1/batches"
    answer = raw(url, headers={"Authorization": "Bearer sandbox-token"})
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert raw(url, auth=("Token", "sandbox-token")).status_code == 200
    for bad in ({"Authorization": "Bearer x"}, {"Authorization": "Digest x"}, {}):
        refused = raw(url, headers=bad)
        assert (refused.status_code, refused.headers["Content-Type"]) == (401, HTML)
        assert "WWW-Authenticate" not in refused.headers
    assert raw(url, auth=("svc_portal", "svc-password")).status_code == 401


def test_knox_hands_out_tokens_that_expire(sb: Sandbox, door: Door) -> None:
    url = f"{sb.token_url}/livy/v1/batches"
    token = door.call("GET", "/knoxtoken/api/v1/token").json()
    assert token["expires_in"] > time.time() * 1000
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    sb.knox_restart()
    assert raw(url, headers=bearer).status_code == 200
    short = door.call("GET", "/knoxtoken/api/v1/token?lifespan=PT0S").json()["access_token"]
    refused = raw(url, headers={"Authorization": f"Bearer {short}"})
    assert refused.status_code == 401
    assert "Token has expired" in refused.text


def test_proxy_user_is_the_caller_whatever_the_body_says() -> None:
    with Sandbox(speed=100, post_cost=0, impersonation=True) as sb:
        answer = Door(sb, "steward", "steward-password").post("p", proxyUser="sddesigner")
        assert answer.json()["proxyUser"] == "steward"
        assert sb.ledger.started("p")[0].user == "steward"


def test_without_impersonation_proxy_user_is_null(sb: Sandbox, door: Door) -> None:
    assert door.post("p", proxyUser="sddesigner").json()["proxyUser"] is None
    assert sb.ledger.started("p")[0].user == "livy"


def test_livy_down_is_500_html_at_once_and_nothing_is_lost(sb: Sandbox, door: Door) -> None:
    door.post("kept")
    sb.livy_down()
    for answer in (door.get("/batches"), door.post("lost")):
        assert (answer.status_code, answer.headers["Content-Type"]) == (500, HTML)
        assert "java.io.IOException: Service connectivity error." in answer.text
        assert answer.headers["Connection"] == "close"
        assert 1700 < len(answer.content) < 2000
    for answer in (door.call("PUT", "/livy/v1/batches"), door.delete("/batches/kept")):
        assert (answer.status_code, answer.content) == (500, b"")
        assert "Content-Type" not in answer.headers
    sb.livy_up()
    assert [batch["name"] for batch in door.get("/batches").json()["sessions"]] == ["kept"]
    assert sb.ledger.started("lost") == []


def test_the_topology_without_a_livy(sb: Sandbox) -> None:
    answer = raw(f"{sb.root}/gateway/livydown/livy/v1/batches", auth=("svc_portal", "svc-password"))
    assert answer.status_code == 500


def test_a_paused_livy_makes_knox_give_up_and_accepts_late() -> None:
    with Sandbox(speed=20, post_cost=0, knox_timeout=0.2) as sb:
        door = Door(sb)
        sb.pause()
        before = time.monotonic()
        answer = door.post("late")
        assert answer.status_code == 500
        assert "Service connectivity error." in answer.text
        assert 0.2 <= time.monotonic() - before < 2
        assert door.get("/batches/late").status_code == 500
        assert sb.ledger.started("late") == []
        sb.resume()
        assert eventually(lambda: sb.ledger.started("late"))
        assert door.get("/batches/late").status_code == 200


def test_a_slow_start_outlives_knox_patience() -> None:
    with Sandbox(speed=20, post_cost=0.6, knox_timeout=0.1) as sb:
        door = Door(sb)
        assert door.post("slow", args=["--sleep 1000"]).status_code == 500
        assert door.state("slow") == "starting"
        assert door.until("slow", "running") == "running"
        assert len(sb.ledger.started("slow")) == 1


def test_a_request_to_a_paused_livy_that_is_killed_is_lost() -> None:
    with Sandbox(speed=20, post_cost=0, knox_timeout=5) as sb:
        door = Door(sb)
        sb.pause()
        with ThreadPoolExecutor(1) as pool:
            pending = pool.submit(door.post, "lost")
            eventually(lambda: sb.requests)
            time.sleep(0.2)  # recorded at the door; now it waits for Livy
            sb.restart()
            assert pending.result().status_code == 500
        assert door.get("/batches").json()["total"] == 0
        assert sb.ledger.started() == []


def test_connections_are_kept(sb: Sandbox) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sb.port, timeout=10)
    connection.connect()
    first = connection.sock
    credentials = {"Authorization": "Basic " + base64.b64encode(b"svc_portal:svc-password").decode()}
    for _ in range(5):
        connection.request("GET", "/gateway/sandbox/livy/v1/batches", headers=credentials)
        answer = connection.getresponse()
        assert (answer.status, answer.version, answer.read()[:7]) == (200, 11, b'{"from"')
        assert connection.sock is first
    connection.close()


def test_a_chunked_body_arrives_whole(sb: Sandbox, door: Door) -> None:
    parts = [b'{"file": "', JAR.encode(), b'", "name": "chunks"}']
    assert door.call("POST", "/livy/v1/batches", data=iter(parts)).status_code == 201
    assert len(sb.ledger.started("chunks")) == 1


def test_requests_are_recorded_without_the_password(sb: Sandbox, door: Door) -> None:
    door.post("seen", options={"headers": {"X-Requested-By": "me"}})
    door.get("/batches/nope")
    posted, read = sb.requests
    assert (posted.method, posted.path, posted.status) == ("POST", "/gateway/sandbox/livy/v1/batches", 201)
    assert posted.headers["authorization"] == "Basic [redacted]"
    assert posted.headers["x-requested-by"] == "me"
    assert b'"seen"' in posted.body
    assert read.status == 404
    assert posted.at <= read.at
