"""Single batches and lists (real-behaviour.md §c, §d). Phantoms are listed too, and cost nothing."""

from __future__ import annotations

import pytest

from tests.contract.wires import JSON, Wire


@pytest.fixture(scope="module")
def three(wire: Wire) -> list[str]:
    """Names of the three newest batches."""
    names = [wire.name("listed") for _ in range(3)]
    for name in names:
        assert wire.phantom(name).status_code == 400
    return names


def test_id_and_name_find_the_same_batch(wire: Wire, three: list[str]) -> None:
    by_name = wire.get(f"/batches/{three[0]}")
    assert (by_name.status_code, by_name.headers["Content-Type"]) == (200, JSON)
    batch = by_name.json()
    assert list(batch) == ["id", "name", "owner", "proxyUser", "state", "appId", "appInfo", "log"]
    assert wire.batch(batch["id"]) == batch
    assert wire.get(f"/batches/{three[0]}/").json() == batch
    assert wire.call("GET", f"/livy/batches/{three[0]}").json() == batch
    assert wire.get(f"/batches/{three[0]}/state").json() == {"id": batch["id"], "state": "starting"}


@pytest.mark.parametrize("path", ["/nope", "/99999", "/-1", "/nope/state", "/nope/log"])
def test_an_unknown_batch_is_404_in_livys_own_words(wire: Wire, path: str) -> None:
    answer = wire.get(f"/batches{path}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, JSON)
    assert answer.json() == {"msg": f"Session '{path.split('/')[1]}' not found."}


def test_an_id_beyond_int_is_400(wire: Wire) -> None:
    answer = wire.get("/batches/2147483648")
    assert (answer.status_code, answer.json()) == (400, {"msg": 'For input string: "2147483648"'})


def test_the_list_is_in_order_of_creation_with_all_that_livy_holds(wire: Wire, three: list[str]) -> None:
    page = wire.get("/batches?size=100000").json()
    assert list(page) == ["from", "total", "sessions"]
    assert (page["from"], page["total"]) == (0, len(page["sessions"]))
    ids = [batch["id"] for batch in page["sessions"]]
    assert ids == sorted(ids)
    assert [batch["name"] for batch in page["sessions"][-3:]] == three
    assert page["sessions"][-1] == wire.batch(three[-1])
    assert wire.get("/batches").json() == page  # by default from 0, a hundred


def test_a_page_begins_where_it_is_asked_to(wire: Wire, three: list[str]) -> None:
    total = wire.get("/batches?size=0").json()["total"]
    page = wire.get(f"/batches?from={total - 3}&size=2").json()
    assert (page["from"], page["total"]) == (total - 3, total)
    assert [batch["name"] for batch in page["sessions"]] == three[:2]


@pytest.mark.parametrize(("query", "start"), [("size=0", 0), ("size=-1", 0), ("from=100000", 100_000)])
def test_an_empty_page(wire: Wire, three: list[str], query: str, start: int) -> None:
    page = wire.get(f"/batches?{query}").json()
    assert (page["from"], page["sessions"]) == (start, [])
    assert page["total"] >= len(three)


def test_a_negative_start_shortens_the_page(wire: Wire, three: list[str]) -> None:
    first = wire.get("/batches?size=1").json()["sessions"]
    assert wire.get("/batches?from=-1&size=2").json()["sessions"] == first


@pytest.mark.parametrize("query", ["from=abc", "size=1.5", "size=", "from=99999999999"])
def test_a_page_of_no_number_is_400(wire: Wire, query: str) -> None:
    answer = wire.get(f"/batches?{query}")
    assert (answer.status_code, answer.json()) == (400, {"msg": f'For input string: "{query.partition("=")[2]}"'})


def test_version_says_who_it_is(wire: Wire) -> None:
    answer = wire.get("/version")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, JSON)
    assert answer.json()["version"] == "0.7.1-incubating"
    assert set(answer.json()) == {"url", "branch", "revision", "version", "date", "user"}
    assert wire.get("/metrics/ping").text == "pong\n"


def test_interactive_sessions_are_another_list(wire: Wire, three: list[str]) -> None:
    assert wire.get("/sessions").json() == {"from": 0, "total": 0, "sessions": []}


@pytest.mark.parametrize(("method", "path"), [("PUT", "/batches/0"), ("PATCH", "/batches"), ("OPTIONS", "/batches")])
def test_wrong_verbs_are_405_and_empty(wire: Wire, method: str, path: str) -> None:
    answer = wire.call(method, f"/livy/v1{path}")
    assert (answer.status_code, answer.content) == (405, b"")
    assert answer.headers["Allow"]


def test_other_paths_are_404_and_empty(wire: Wire) -> None:
    for path in ("/batches/0/nope", "/nope", "/ping"):
        answer = wire.get(path)
        assert (answer.status_code, answer.content) == (404, b"")
    assert wire.call("GET", "/livy/v2/batches").status_code == 404


def test_livy_compresses_for_who_takes_it(wire: Wire, three: list[str]) -> None:
    packed = wire.get(f"/batches/{three[0]}", headers={"Accept-Encoding": "gzip"})
    plain = wire.get(f"/batches/{three[0]}", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()
