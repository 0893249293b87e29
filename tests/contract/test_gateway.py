"""Knox: who is let in, what has no route, what its own error pages look like (real-behaviour.md §h, facts 2, 8)."""

from __future__ import annotations

import time

import pytest
import requests

from tests.contract.wires import HTML, PASSWORD, USER, Wire

DOWN = "Service connectivity error."


@pytest.mark.parametrize("auth", [None, (USER, "wrong"), ("nobody", PASSWORD)])
@pytest.mark.parametrize("topology", ["sandbox", "livydown"])
def test_no_or_bad_credentials_are_an_empty_401(wire: Wire, auth: tuple[str, str] | None, topology: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = wire.call(method, "/livy/v1/batches", auth=auth, topology=topology, json={"file": "x"})
        assert (answer.status_code, answer.content) == (401, b"")
        assert answer.headers["WWW-Authenticate"] == 'BASIC realm="application"'
        assert "Content-Type" not in answer.headers


def test_an_unknown_topology_is_a_404_page(wire: Wire) -> None:
    for method in ("GET", "POST"):
        answer = wire.call(method, "/livy/v1/batches", topology="nope")
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, HTML)
        assert "HTTP ERROR 404 Not Found" in answer.text


@pytest.mark.parametrize("auth", [None, (USER, PASSWORD)])
def test_an_unknown_service_is_an_empty_404_even_for_a_stranger(wire: Wire, auth: tuple[str, str] | None) -> None:
    answer = wire.call("GET", "/nope/v1/batches", auth=auth)
    assert (answer.status_code, answer.content) == (404, b"")
    assert "Content-Type" not in answer.headers


def test_a_kept_cookie_beats_the_credentials(wire: Wire) -> None:
    with requests.Session() as session:
        session.trust_env, session.verify = False, wire.verify
        url = f"{wire.root}/sandbox/livy/v1/batches?size=0"
        first = session.get(url, auth=(USER, PASSWORD), timeout=30)
        assert "KNOXSESSIONID=" in first.headers["Set-Cookie"]
        assert "rememberMe=deleteMe" in first.headers["Set-Cookie"]
        assert session.get(url, timeout=30).status_code == 200
        assert session.get(url, auth=(USER, "wrong"), timeout=30).status_code == 200
        if wire.hdfs:
            home = f"{wire.root}/sandbox/webhdfs/v1/?op=GETHOMEDIRECTORY"
            assert session.get(home, auth=("guest", "guest-password"), timeout=30).json() == {"Path": f"/user/{USER}"}
        session.cookies.clear()
        assert session.get(url, auth=(USER, "wrong"), timeout=30).status_code == 401


def test_tokens_are_handed_out_and_expire(wire: Wire) -> None:
    token = wire.call("GET", "/knoxtoken/api/v1/token").json()
    assert {"access_token", "token_id", "managed", "token_type", "expires_in"} <= set(token)
    assert token["token_type"] == "Bearer"
    # an epoch in milliseconds, not a duration
    assert time.time() * 1000 < token["expires_in"] < (time.time() + 86_400) * 1000
    short = wire.call("GET", "/knoxtoken/api/v1/token?lifespan=PT1S").json()
    time.sleep(1.2)
    answer = wire.get(
        "/batches",
        topology="tokenbased",
        auth=None,
        headers={"Authorization": f"Bearer {short['access_token']}"},
    )
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, HTML)
    assert "Token has expired" in answer.text


@pytest.mark.parametrize("header", ["Bearer x", "Digest x", ""])
def test_a_bad_token_is_a_401_page_without_a_challenge(wire: Wire, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    answer = wire.get("/batches", topology="tokenbased", auth=None, headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, HTML)
    assert "WWW-Authenticate" not in answer.headers
    assert wire.get("/batches", topology="tokenbased").status_code == 401  # basic credentials are none there


def test_a_token_may_be_the_password_of_the_user_token(wire: Wire) -> None:
    token = wire.call("GET", "/knoxtoken/api/v1/token").json()["access_token"]
    assert wire.get("/batches?size=0", topology="tokenbased", auth=("Token", token)).status_code == 200


def test_livy_down_is_a_500_page_to_get_and_post(wire: Wire) -> None:
    for method in ("GET", "POST"):
        answer = wire.call(method, "/livy/v1/batches", topology="livydown", json={"file": "x"})
        assert (answer.status_code, answer.headers["Content-Type"]) == (500, HTML)
        assert f"java.io.IOException: {DOWN}" in answer.text
        assert answer.headers["Connection"] == "close"


def test_livy_down_is_an_empty_500_to_delete_and_put(wire: Wire) -> None:
    for method in ("DELETE", "PUT"):
        answer = wire.call(method, "/livy/v1/batches/x", topology="livydown")
        assert (answer.status_code, answer.content) == (500, b"")
        assert "Content-Type" not in answer.headers


def test_its_error_pages_are_json_for_who_accepts_only_that(wire: Wire) -> None:
    """As the portal's client does: then no 500 and no 404 of Knox is HTML, and none has Livy's `msg`."""
    json = {"Accept": "application/json"}
    for topology, status, words in (("livydown", 500, DOWN), ("nope", 404, "Not Found"), ("tokenbased", 401, "Un")):
        answer = wire.get("/batches", topology=topology, headers=json)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json")
        page = answer.json()
        assert words in page["message"]
        assert page["status"] == str(status)
        assert page["url"] == f"/gateway/{topology}/livy/v1/batches"
        assert "msg" not in page
        # what Livy says is the same whatever is accepted
    assert wire.get("/batches/nope", headers=json).json() == {"msg": "Session 'nope' not found."}


def test_headers_beyond_8_kib_are_431(wire: Wire) -> None:
    answer = wire.get("/batches", headers={"X-Long": "x" * 8200, "Accept": "application/json"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (431, HTML)
    assert answer.text == "<h1>Bad Message 431</h1><pre>reason: Request Header Fields Too Large</pre>"


def test_a_connection_is_kept(wire: Wire) -> None:
    with requests.Session() as session:
        session.trust_env, session.verify, session.auth = False, wire.verify, (USER, PASSWORD)
        url = f"{wire.root}/sandbox/livy/v1/version"
        for _ in range(3):
            assert session.get(url, timeout=30).status_code == 200
        (pool,) = session.get_adapter(url).poolmanager.pools._container.values()  # type: ignore[attr-defined]
        assert pool.num_connections == 1
