"""Lists, states, logs, verbs (real-behaviour.md §c, §d, §e)."""

import pytest

from sandbox import Sandbox
from tests.sandbox.helpers import Door, eventually


@pytest.fixture
def five(sb: Sandbox, door: Door) -> Door:
    for name in "abcde":
        door.post(name)
    return door


@pytest.mark.parametrize(
    ("query", "start", "names"),
    [
        ("", 0, "abcde"),
        ("?from=1&size=2", 1, "bc"),
        ("?from=9", 9, ""),
        ("?size=0", 0, ""),
        ("?size=-1", 0, ""),
        ("?from=-1&size=2", -1, "a"),
        ("?size=100000", 0, "abcde"),
    ],
)
def test_pages(five: Door, query: str, start: int, names: str) -> None:
    page = five.get(f"/batches{query}").json()
    assert list(page) == ["from", "total", "sessions"]
    assert (page["from"], page["total"]) == (start, 5)
    assert [batch["name"] for batch in page["sessions"]] == list(names)


@pytest.mark.parametrize("query", ["from=abc", "size=1.5", "from=99999999999", "size="])
def test_a_page_of_no_number_is_400(five: Door, query: str) -> None:
    value = query.partition("=")[2]
    refused = five.get(f"/batches?{query}")
    assert (refused.status_code, refused.json()) == (400, {"msg": f'For input string: "{value}"'})


def test_ids_and_names_both_find_a_batch(five: Door) -> None:
    assert five.get("/batches/2").json()["name"] == "c"
    assert five.get("/batches/2/state").json()["id"] == 2
    assert five.call("GET", "/livy/batches/c/").json()["id"] == 2


@pytest.mark.parametrize("path", ["nope", "99999", "-1", "nope/state", "nope/log"])
def test_an_unknown_batch_is_404_with_its_message(five: Door, path: str) -> None:
    for method in ("GET", "DELETE") if "/" not in path else ("GET",):
        answer = five.call(method, f"/livy/v1/batches/{path}")
        assert answer.status_code == 404
        assert answer.json() == {"msg": f"Session '{path.partition('/')[0]}' not found."}


def test_an_id_beyond_int_is_400(five: Door) -> None:
    answer = five.get("/batches/99999999999")
    assert (answer.status_code, answer.json()) == (400, {"msg": 'For input string: "99999999999"'})


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/batches", "POST, GET, HEAD"),
        ("DELETE", "/batches", "POST, GET, HEAD"),
        ("OPTIONS", "/batches", "POST, GET, HEAD"),
        ("POST", "/batches/a", "DELETE, GET, HEAD"),
        ("PATCH", "/batches/a", "DELETE, GET, HEAD"),
        ("DELETE", "/batches/a/log", "GET, HEAD"),
        ("POST", "/version", "GET, HEAD"),
    ],
)
def test_wrong_verbs_are_405_and_empty(five: Door, method: str, path: str, allow: str) -> None:
    answer = five.call(method, f"/livy/v1{path}")
    assert (answer.status_code, answer.content, answer.headers["Allow"]) == (405, b"", allow)


def test_other_paths_are_404_and_empty_but_not_json_messages(five: Door) -> None:
    assert [five.get(path).content for path in ("/ping", "/nope", "/batches/0/nope")] == [b""] * 3
    assert five.get("/ping").headers["Content-Type"] == "text/html;charset=utf-8"
    assert five.call("GET", "/livy/v2/batches").status_code == 404


def test_head_answers_without_a_body(five: Door) -> None:
    answer = five.call("HEAD", "/livy/v1/batches/a")
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_other_paths_of_livy(door: Door) -> None:
    assert door.get("/version").json()["version"] == "0.7.1-incubating"
    assert door.get("/metrics/ping").text == "pong\n"
    assert door.get("/metrics/metrics").json()["version"] == "3.0.0"
    assert door.get("/sessions").json() == {"from": 0, "total": 0, "sessions": []}
    assert door.get("/").headers["Location"].endswith("/livy/ui/")


def test_the_log_of_a_job_is_what_it_printed(door: Door) -> None:
    door.post("job", args=["--date 20240101 --table splio.active --bogus"])
    door.until("job", "success")
    page = door.get("/batches/job/log").json()
    assert list(page) == ["id", "from", "total", "log"]
    assert page["log"][0] == "stdout: "
    assert page["log"][-1] == "\nstderr: "
    assert "RECOVERY argc=1" in page["log"]
    assert "RECOVERY argv[0]=<--date 20240101 --table splio.active --bogus>" in page["log"]
    assert "RECOVERY unknown option <--bogus>" in page["log"]
    assert "RECOVERY done date=20240101 table=splio.active exit=0" in page["log"]
    assert door.get("/batches/job").json()["log"] == page["log"][-10:]


def test_the_log_keeps_the_last_200_lines_and_its_total_stops_growing(door: Door) -> None:
    door.post("long", args=["--lines", "1000"])
    door.until("long", "success")

    def log(query: str) -> tuple[int, list[str]]:
        page = door.get(f"/batches/long/log{query}").json()
        assert page["total"] == 202
        return page["from"], page["log"]

    whole = log("?size=-1")
    assert (whole[0], len(whole[1])) == (0, 202)
    assert log("") == (102, whole[1][-100:])
    assert log("?size=5") == (197, whole[1][-5:])
    assert log("?from=0") == (0, whole[1][:100])
    assert log("?from=-1&size=7") == (195, whole[1][-7:])
    assert log("?from=150") == (150, whole[1][150:])
    assert log("?from=9999") == (9999, [])
    assert log("?from=10&size=2") == (10, whole[1][10:12])
    assert door.get("/batches/long/log?size=abc").status_code == 400


def test_ended_batches_are_collected_after_their_time_and_phantoms_never() -> None:
    with Sandbox(speed=100, post_cost=0, retain=20, gc_interval=10) as sb:
        door = Door(sb)
        door.post("short")
        door.post("long", args=["--sleep 100000"])
        door.post("ghost", file="x")
        door.until("short", None)
        assert [end.state for end in sb.ledger.ended("short")] == ["success"]
        assert door.get("/batches/0").status_code == 404
        assert [batch["name"] for batch in door.get("/batches").json()["sessions"]] == ["long", "ghost"]
        assert door.post("short").status_code == 201


def test_gc_at_once(sb: Sandbox, door: Door) -> None:
    door.post("a")
    door.until("a", "success")
    assert sb.gc() == 1
    assert door.state("a") is None


@pytest.mark.parametrize(
    ("args", "state"),
    [
        ([], "success"),
        (["--fail 3"], "dead"),
        (["--fail", "--table", "x"], "dead"),
        (["--throw"], "dead"),
        (["--oom"], "dead"),
        (["--sleep"], "dead"),
        (["--sleep", "soon"], "dead"),
        (["--strict", "--date 20240101"], "dead"),
        (["--strict", "--date", "20240101"], "success"),
        (["--no-spark --write auto --rows 5 --no-write"], "success"),
    ],
)
def test_the_arguments_decide_the_end(door: Door, args: list[str], state: str) -> None:
    door.post("job", args=args)
    assert door.until("job", "success", "dead") == state


def test_what_a_failing_job_prints(door: Door) -> None:
    door.post("exit", args=["--fail 3 --date d --table t"])
    door.post("throw", args=["--throw", "--write", "/data/x"])
    door.post("oom", args=["--oom"])
    door.until("throw", "dead")
    assert "RECOVERY done date=d table=t exit=3" in door.get("/batches/exit/log").json()["log"]
    log = door.get("/batches/throw/log").json()["log"]
    assert 'Exception in thread "main" java.lang.IllegalStateException: RECOVERY asked to throw' in log
    assert "RECOVERY wrote 100 rows to /data/x" in log
    assert not any("done" in line for line in log)
    door.until("oom", "dead")
    log = door.get("/batches/oom/log").json()["log"]
    assert 'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space' in log


def test_a_sleeping_job_runs_and_its_log_grows() -> None:
    with Sandbox(speed=20, post_cost=0) as sb:
        door = Door(sb)
        door.post("job", args=["--sleep 1000"])
        eventually(lambda: "RECOVERY slept 2/1000" in door.get("/batches/job/log").json()["log"])
        assert door.state("job") == "running"
        assert sb.finish("job", "dead") == 1
        assert door.state("job") == "dead"


def test_delete_kills_and_forgets(sb: Sandbox, door: Door) -> None:
    door.post("job", args=["--sleep 1000"])
    answer = door.delete("/batches/job")
    assert (answer.status_code, answer.json()) == (200, {"msg": "deleted"})
    assert [end.kind for end in sb.ledger.ended("job")] == ["killed"]
    assert door.state("job") is None
    assert door.delete("/batches/job").status_code == 404
