"""A POST that starts, and names (real-behaviour.md §a, §b; contract §1, §2)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.wires import JSON, WORDS, Wire


def test_a_start_is_201_with_the_whole_batch(wire: Wire) -> None:
    name = wire.name("shape")
    answer = wire.post(name=name, driverMemory="lots")
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == JSON
    batch = answer.json()
    # Knox does not rewrite this one: nobody may follow it.
    assert answer.headers["Location"] == f"/batches/{batch['id']}"
    assert list(batch) == ["id", "name", "owner", "proxyUser", "state", "appId", "appInfo", "log"]
    assert batch["name"] == name
    assert batch["owner"] is batch["proxyUser"] is batch["appId"] is None
    assert batch["appInfo"] == {"driverLogUrl": None, "sparkUiUrl": None}
    assert batch["state"] in ({"starting"} if wire.on_yarn else {"starting", "running"})
    markers = ["stdout: ", "\nstderr: "]
    assert batch["log"] == markers + ["\nYARN Diagnostics: "] * wire.on_yarn
    assert batch["state"] in WORDS


def test_without_a_name_there_is_none_and_no_uniqueness(wire: Wire) -> None:
    refused = {"conf": {"spark.master": "local"}}
    assert wire.post(**refused).status_code == wire.post(name=None, **refused).status_code == 400
    newest = wire.get("/batches?size=100000").json()["sessions"][-2:]
    assert [batch["name"] for batch in newest] == [None, None]
    for batch in newest:
        assert wire.batch(batch["id"]) == batch
        assert wire.delete(batch["id"]).status_code == 200


def test_proxy_user_is_overwritten_by_knox_and_null_without_impersonation(wire: Wire) -> None:
    answer = wire.start(wire.name("proxy"), driverMemory="lots", proxyUser="sddesigner")
    assert answer["proxyUser"] is None


def test_a_name_is_taken_until_it_is_deleted(wire: Wire) -> None:
    name = wire.name("taken")
    first = wire.start_brief(name)
    again = wire.post(name=name, driverMemory="lots")
    assert again.status_code == 400
    assert again.headers["Content-Type"] == JSON
    # The id in the message is the refused one's, not the holder's.
    refused = first["id"] + 1
    assert again.json() == {"msg": f"Duplicate session name: Some({name}) for session {refused}"}
    assert wire.delete(name).status_code in (200, 500)  # Knox cuts it after 20 s; Livy goes on (real-behaviour.md)
    wire.until(lambda: wire.batch(name) is None)
    wire.phantom(name)
    second = wire.batch(name)
    # Refused POSTs consume ids.
    assert second is not None
    assert second["id"] == refused + 1


def test_of_eight_parallel_posts_of_one_name_exactly_one_starts(wire: Wire) -> None:
    name = wire.name("race")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: wire.post(name=name, driverMemory="lots"), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 7
    (started,) = (answer.json()["id"] for answer in answers if answer.status_code == 201)
    assert all("Duplicate session name: Some(" in answer.text for answer in answers if answer.status_code == 400)
    found = wire.batch(name)
    assert found is not None
    assert found["id"] == started


@pytest.mark.parametrize("name", ["", "12345", 77])
def test_an_empty_or_numeric_name_is_refused_and_leaves_nothing(wire: Wire, name: object) -> None:
    answer = wire.post(name=name)
    assert (answer.status_code, answer.json()) == (400, {"msg": f"Invalid session name: {name}"})
    if name:
        assert wire.batch(name) is None


def test_any_other_name_is_reachable_percent_encoded(wire: Wire) -> None:
    name = wire.name("odd") + " é/b?c=d&'\""
    assert wire.phantom(name).status_code == 400
    encoded = quote(name, safe="")
    found = wire.batch(encoded)
    assert found is not None
    assert found["name"] == name
    assert wire.delete(encoded).status_code == 200


def test_a_bearer_token_starts_and_reads_on_its_own_topology(wire: Wire) -> None:
    token = wire.call("GET", "/knoxtoken/api/v1/token").json()["access_token"]
    bearer: dict[str, Any] = {"topology": "tokenbased", "auth": None}
    bearer["headers"] = {"Authorization": f"Bearer {token}"}
    name = wire.name("bearer")
    body = {"file": wire.jar, "name": name, "driverMemory": "lots"}
    answer = wire.call("POST", "/livy/v1/batches", json=body, **bearer)
    assert answer.status_code == 201
    assert "Set-Cookie" not in answer.headers
    assert wire.get(f"/batches/{name}", **bearer).json()["id"] == answer.json()["id"]
    assert wire.batch(name) is not None
