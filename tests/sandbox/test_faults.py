"""Each fault comes true at least once, and says by the ledger whether something started."""

import gzip
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from sandbox import ACTIONS, Fault, Sandbox, load_faults
from tests.sandbox.helpers import Door, eventually

POST = "POST /batches"
GET = "GET /batches/{x}"


def names(sb: Sandbox) -> list[str | None]:
    return [start.name for start in sb.ledger.started()]


def test_a_delay_comes_before_or_after_livy(sb: Sandbox, door: Door) -> None:
    sb.add_fault(Fault(POST, "delay", seconds=0.2, nth=1))
    sb.add_fault(Fault(POST, "delay", when="after", seconds=0.5, nth=2))
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(door.post, "before")
        eventually(lambda: sb.requests)
        assert names(sb) == []
        assert pending.result().status_code == 201
        pending = pool.submit(door.post, "after")
        eventually(lambda: names(sb) == ["before", "after"])
        assert not pending.done()
        assert pending.result().status_code == 201


@pytest.mark.parametrize("action", ["drop", "reset", "hang"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_no_answer_at_all(sb: Sandbox, door: Door, action: str, when: str) -> None:
    sb.add_fault(Fault(POST, action, when=when, seconds=0.05))
    with pytest.raises(requests.ConnectionError) as raised:
        door.post("unknown")
    if action == "reset":
        assert "ConnectionResetError" in repr(raised.value) or "reset" in str(raised.value)
    assert names(sb) == (["unknown"] if when == "after" else [])
    assert sb.requests[-1].status is None


def test_a_hang_outlasts_the_patience_of_the_client(sb: Sandbox, door: Door) -> None:
    sb.add_fault(Fault(GET, "hang", seconds=30))
    with pytest.raises(requests.ReadTimeout):
        door.get("/batches/x", timeout=0.1)


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [("json", "application/json", '{"msg":"slow down"}'), ("html", "text/html", "slow down"), ("empty", None, "")],
)
def test_a_status_of_ones_own(sb: Sandbox, door: Door, body: str, kind: str | None, text: str) -> None:
    sb.add_fault(Fault(POST, "status", code=429, body=body, message="slow down", headers={"Retry-After": "7"}))
    answer = door.post("refused")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert (answer.headers.get("Content-Type") or "").startswith(kind or "")
    assert text in answer.text
    assert names(sb) == []


def test_a_200_that_is_empty_or_a_login_page(sb: Sandbox, door: Door) -> None:
    sb.add_fault(Fault(GET, "empty_200", nth=1))
    sb.add_fault(Fault(GET, "login_page_200", nth=2))
    empty, login = door.get("/batches/x"), door.get("/batches/x")
    assert (empty.status_code, empty.content, empty.headers["Content-Type"]) == (200, b"", "application/json")
    assert (login.status_code, "<form" in login.text) == (200, True)


def test_redirects_to_the_same_and_to_another_host(sb: Sandbox, door: Door) -> None:
    sb.add_fault(Fault(POST, "redirect", nth=1, code=307))
    sb.add_fault(Fault(POST, "redirect", nth=2, variant="other"))
    same, other = door.post("a"), door.post("b")
    assert (same.status_code, same.headers["Location"]) == (307, f"{sb.root}/gateway/knoxsso/login")
    assert (other.status_code, other.headers["Location"]) == (
        302,
        f"http://localhost:{sb.port}/gateway/knoxsso/login",
    )
    assert names(sb) == []


def test_half_a_body(sb: Sandbox, door: Door) -> None:
    sb.add_fault(Fault(POST, "half_body"))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        door.post("half")
    assert names(sb) == ["half"]


@pytest.mark.parametrize("variant", ["body", "headers"])
def test_a_drip_never_trips_a_read_time_out(sb: Sandbox, door: Door, variant: str) -> None:
    sb.add_fault(Fault("GET /version", "drip", seconds=0.001, variant=variant))
    before = time.monotonic()
    assert door.get("/version", timeout=0.5).json()["version"] == "0.7.1-incubating"
    assert time.monotonic() - before > 0.2


def test_bodies_that_are_too_big(sb: Sandbox, door: Door) -> None:
    sb.add_fault(Fault(GET, "big_body", nth=1, size=3_000_000))
    sb.add_fault(Fault(GET, "gzip_bomb", nth=2, size=3_000_000))
    assert len(door.get("/batches/x").content) == 3_000_010
    bomb = door.get("/batches/x", stream=True)
    assert len(bomb.content) == 3_000_000
    assert int(bomb.headers["Content-Length"]) < 30_000
    assert gzip.compress(b"")  # the encoding is gzip's own
    assert bomb.headers["Content-Encoding"] == "gzip"


def test_bytes_that_are_no_utf8(sb: Sandbox, door: Door) -> None:
    door.post("a")
    sb.add_fault(Fault(GET, "invalid_utf8"))
    with pytest.raises(UnicodeDecodeError):
        door.get("/batches/a").content.decode("utf-8")


def test_answers_about_something_else(sb: Sandbox, door: Door) -> None:
    door.post("a")
    for action in ("wrong_name", "wrong_id", "wrong_json_types"):
        sb.add_fault(Fault(GET, action, times=1))
        answer = door.get("/batches/a").json()
        sb.clear_faults()
        wrong = {
            "wrong_name": ("somebody-else", 0),
            "wrong_id": ("a", 1000),
            "wrong_json_types": ({"name": "a"}, "0"),
        }
        assert (answer["name"], answer["id"]) == wrong[action]
    sb.add_fault(Fault("GET /batches", "wrong_name"))
    assert door.get("/batches").json()["sessions"][0]["name"] == "somebody-else"
    sb.clear_faults()
    sb.add_fault(Fault("GET /batches", "wrong_json_types"))
    assert door.get("/batches").json()["sessions"] == {}
    sb.add_fault(Fault("GET /{x}", "wrong_id"))
    assert door.get("/metrics").content == b""


def test_too_many_sessions_starts_nothing_and_leaves_nothing(sb: Sandbox, door: Door) -> None:
    sb.add_fault(Fault(POST, "too_many_sessions", times=1))
    refused = door.post("a")
    assert refused.json() == {"msg": "Rejected, too many sessions are being created!"}
    assert door.post("a").json()["id"] == 0


def test_a_late_accept_is_a_500_and_then_a_batch(sb: Sandbox, door: Door) -> None:
    sb.add_fault(Fault(POST, "late_accept", seconds=0.3, nth=1))
    refused = door.post("late")
    assert refused.status_code == 500
    assert "Service connectivity error." in refused.text
    assert door.state("late") is None
    assert names(sb) == []
    assert eventually(lambda: names(sb) == ["late"])
    assert door.get("/batches/late").status_code == 200


def test_a_phantom_of_ones_own(sb: Sandbox, door: Door) -> None:
    sb.add_fault(Fault(POST, "phantom", times=1))
    assert door.post("ghost").status_code == 400
    assert door.state("ghost") == "starting"
    assert names(sb) == []
    (held,) = sb.held()
    assert (held["name"], held["started"]) == ("ghost", False)
    assert sb.requests[0].struck == ("phantom",)
    sb.add_fault(Fault(GET, "dead_but_alive", times=1))
    assert door.state("ghost") == "starting"


def test_a_lost_answer(sb: Sandbox, door: Door) -> None:
    sb.add_fault(Fault(POST, "knox_500", when="after", nth=[1, 3]))
    assert [door.post(name).status_code for name in "abc"] == [500, 201, 500]
    assert names(sb) == ["a", "b", "c"]
    sb.clear_faults()
    sb.add_fault(Fault(POST, "knox_500"))
    assert door.post("d").status_code == 500
    assert "d" not in names(sb)


def test_a_delete_that_lies(sb: Sandbox, door: Door) -> None:
    door.post("a", args=["--sleep 100000"])
    sb.add_fault(Fault("DELETE /batches/{x}", "delete_lies"))
    assert door.delete("/batches/a").json() == {"msg": "deleted"}
    assert door.state("a") is None
    assert len(sb.ledger.alive("a")) == 1


def test_a_success_that_flips(sb: Sandbox, door: Door) -> None:
    sb.add_fault(Fault(POST, "flip"))
    door.post("a")
    assert door.until("a", "success", "dead") == "success"
    assert [door.state("a"), door.state("a")] == ["dead", "dead"]
    assert sb.ledger.ended("a")[0].state == "success"


def test_a_flip_asked_for_at_a_read(sb: Sandbox, door: Door) -> None:
    door.post("a")
    door.until("a", "success")
    sb.add_fault(Fault("GET /batches/{x}/state", "flip", times=1))
    assert [door.get("/batches/a/state").json()["state"] for _ in range(2)] == ["success", "dead"]


@pytest.mark.parametrize("variant", ["no_application", "polling"])
def test_dead_but_alive(on_yarn: Sandbox, yarn_door: Door, variant: str) -> None:
    yarn_door.post("a", args=["--sleep 100000"])
    yarn_door.until("a", "running")
    on_yarn.add_fault(Fault(GET, "dead_but_alive", variant=variant, times=1))
    batch = yarn_door.get("/batches/a").json()
    assert batch["state"] == "dead"
    assert yarn_door.state("a") == "dead"
    words = "No YARN application is found with tag livy-batch-0-" if variant == "no_application" else "IOException"
    assert words in "\n".join(batch["log"])
    assert bool(batch["appId"]) == (variant == "polling")
    assert len(on_yarn.ledger.alive("a")) == 1
    # Livy's kill acts only while it thinks that the application lives.
    yarn_door.delete("/batches/a")
    assert len(on_yarn.ledger.alive("a")) == 1


def test_nth_times_and_probability(sb: Sandbox, door: Door) -> None:
    def struck(fault: Fault, calls: int = 6) -> list[int]:
        sb.clear_faults()
        sb.add_fault(fault)
        return [number for number in range(1, calls + 1) if door.get("/batches/x").status_code == 503]

    assert struck(Fault(GET, "status", code=503, nth=2)) == [2]
    assert struck(Fault(GET, "status", code=503, nth=(1, 4))) == [1, 4]
    assert struck(Fault(GET, "status", code=503, times=3)) == [1, 2, 3]
    assert struck(Fault(GET, "status", code=503, probability=0.0)) == []
    half = struck(Fault(GET, "status", code=503, probability=0.5, seed=7), 20)
    assert 0 < len(half) < 20
    assert struck(Fault(GET, "status", code=503, probability=0.5, seed=7), 20) == half
    ((fault, count),) = sb.faults_struck()
    assert (fault.seed, count) == (7, len(half))


def test_routes(sb: Sandbox, door: Door) -> None:
    door.post("a b")

    def strikes(route: str, method: str, path: str) -> bool:
        sb.clear_faults()
        sb.add_fault(Fault(route, "status", code=418))
        return door.call(method, path).status_code == 418

    assert strikes("GET /batches/{x}", "GET", "/livy/v1/batches/a%20b?x=1")
    assert strikes("GET /batches", "GET", "/livy/batches/")
    assert not strikes("GET /batches", "GET", "/livy/v1/batches/a")
    assert not strikes("GET /batches/{x}", "GET", "/livy/v1/batches/a/log")
    assert strikes("* /batches/{x}/log", "GET", "/livy/v1/batches/a/log")
    assert strikes("^(GET|DELETE) /batches/.*", "DELETE", "/livy/v1/batches/a")
    assert strikes("GET /webhdfs/v1/{path}", "GET", "/webhdfs/v1/a/b?op=LISTSTATUS")
    assert strikes("GET /resourcemanager/v1/cluster/info", "GET", "/resourcemanager/v1/cluster/info")


def test_a_door_fault_and_a_livy_fault_strike_together(sb: Sandbox, door: Door) -> None:
    sb.add_fault(Fault(POST, "slow_start", seconds=0.2))
    sb.add_fault(Fault(POST, "drop", when="after"))
    before = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        door.post("a")
    assert time.monotonic() - before >= 0.2
    assert names(sb) == ["a"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"route": POST, "action": "nope"}, "unknown action"),
        ({"route": POST, "action": "drop", "when": "never"}, "when must be"),
        ({"route": POST, "action": "half_body", "when": "before"}, "cannot come before"),
        ({"route": POST, "action": "drop", "bogus": 1}, "unknown field"),
        ([], "a fault is an object"),
    ],
)
def test_a_wrong_fault_says_what_is_wrong(fault: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Fault.from_json(fault)


def test_faults_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    path.write_text(json.dumps([{"route": POST, "action": action} for action in sorted(ACTIONS)]))
    faults = load_faults(path)
    assert [fault.action for fault in faults] == sorted(ACTIONS)
    with Sandbox(speed=100, faults=faults[:1]) as sb:
        assert sb.faults_struck() == [(faults[0], 0)]
