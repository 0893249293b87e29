"""The ledger, the command line, the control endpoint, the closing, and many batches."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import Fault, Sandbox, Settings
from sandbox.__main__ import build
from tests.sandbox.helpers import JAR, Door, eventually

ROOT = Path(__file__).resolve().parents[2]


def test_the_ledger_is_append_only_and_ordered(sb: Sandbox, door: Door) -> None:
    door.post("a", args=["--date 1"], conf={"spark.x": "1", "spark.yarn.tags": "T"})
    (start,) = sb.ledger.started("a")
    assert (start.seq, start.batch_id, start.generation, start.app_id) == (1, 0, 1, None)
    assert (start.file, start.args, start.conf["spark.x"]) == (JAR, ("--date 1",), "1")
    assert start.tags[1:] == ("t",)
    end = eventually(lambda: sb.ledger.end_of(start))
    assert (end.kind, end.state, end.seq) == ("ended", "success", 1)
    assert end.at - start.at == pytest.approx(0.02, abs=0.005)
    assert sb.ledger.records == [start, end]
    assert sb.ledger.alive() == []


def test_finish_forces_an_end(sb: Sandbox, door: Door) -> None:
    for name, state in (("a", "success"), ("b", "dead"), ("c", "killed")):
        door.post(name, args=["--sleep 100000"])
        assert sb.finish(name, state) == 1
        assert sb.finish(name, state) == 0
        assert door.state(name) == state
        batch = sb.batch(name)
        assert batch is not None
        assert batch["state"] == state
    assert sb.batch("nope") is None
    assert len(sb.livy_batches()) == 3
    with pytest.raises(ValueError, match="cannot end as"):
        sb.finish("a", "odd")


def test_the_ledger_is_also_a_file(tmp_path: Path) -> None:
    with Sandbox(speed=100, post_cost=0, state_dir=tmp_path / "new") as sb:
        Door(sb).post("a")
        path = tmp_path / "new" / "ledger.jsonl"
        lines = eventually(lambda: (found := path.read_text().splitlines()) and len(found) == 2 and found)
    assert [json.loads(line)["kind"] for line in lines] == ["started", "ended"]


def test_closing_leaves_no_thread_and_wakes_whoever_waits() -> None:
    before = set(threading.enumerate())
    sb = Sandbox(speed=1, post_cost=0)
    sb.start()
    sb.add_fault(Fault("GET /batches", "hang", seconds=60))
    door = Door(sb)

    def wait() -> None:
        with pytest.raises(requests.ConnectionError):
            door.get("/batches")

    waiting = threading.Thread(target=wait)
    waiting.start()
    kept = requests.Session()
    kept.trust_env = False
    kept.get(f"{sb.url}/livy/v1/version", auth=door.auth, timeout=5)
    eventually(lambda: len(sb.requests) == 2)
    started = time.monotonic()
    sb.close()
    sb.close()
    waiting.join()
    kept.close()
    assert time.monotonic() - started < 2
    assert set(threading.enumerate()) == before


def test_a_sandbox_that_was_never_started_closes() -> None:
    Sandbox().close()


@pytest.mark.parametrize(
    ("options", "words"),
    [({"mode": "k8s"}, "mode must be"), ({"default_fs": "s3"}, "default_fs must be"), ({"speed": 0}, "speed must be")],
)
def test_wrong_settings_say_what_is_wrong(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Sandbox(**options)


def test_many_batches_are_cheap() -> None:
    with Sandbox(speed=1000, post_cost=0, retain=1e9, max_creation=10_000) as sb:
        door = Door(sb)
        with requests.Session() as session:
            session.trust_env = False
            session.auth = door.auth
            for number in range(500):
                body = {"file": JAR, "name": f"n-{number}"}
                assert session.post(f"{sb.url}/livy/v1/batches", json=body, timeout=5).status_code == 201
        before = time.monotonic()
        page = door.get("/batches?size=100000").json()
        assert time.monotonic() - before < 1
        assert page["total"] == len(page["sessions"]) == len(sb.ledger.started()) == 500


def test_the_command_line_is_the_settings() -> None:
    sb = build([])
    assert sb.settings == Settings()
    sb.close()
    sb = build(["--user", "me:a:b", "--token", "t", "--mode", "yarn", "--recovery", "--speed", "9", "--retain", "5"])
    assert (sb.settings.users, sb.settings.tokens) == ({"me": "a:b"}, {"t": "me"})
    assert (sb.settings.mode, sb.settings.recovery, sb.settings.speed, sb.settings.retain) == ("yarn", True, 9.0, 5.0)
    sb.close()


@pytest.mark.parametrize("account", ["me", ":x"])
def test_an_account_without_password_is_refused(account: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build(["--user", account])
    assert "is not USER:PASSWORD" in capsys.readouterr().err


def test_a_bug_of_the_sandbox_looks_like_no_answer_of_livy(
    sb: Sandbox, door: Door, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(request: object) -> None:
        raise LookupError("oops")

    monkeypatch.setattr(sb._server, "gateway", fail)
    answer = door.get("/batches")
    assert (answer.status_code, answer.json()) == (599, {"sandbox_bug": "LookupError('oops')"})
    assert eventually(lambda: "the sandbox failed on GET" in capsys.readouterr().err)


class Remote:
    """A sandbox in another process, steered over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.root = url.partition("/gateway")[0]

    def order(self, order: str, body: object = None, method: str = "POST") -> Any:
        answer = requests.request(method, f"{self.root}/__sandbox__/{order}", json=body, timeout=5)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def read(self, what: str) -> Any:
        return self.order(what, None, "GET")


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    faults = tmp_path / "faults.json"
    faults.write_text('[{"route": "GET /version", "action": "status", "code": 418, "times": 1}]')
    command = [sys.executable, "-m", "sandbox", "--speed", "100", "--post-cost", "0", "--mode", "yarn"]
    command += ["--state-dir", str(tmp_path), "--faults", str(faults)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Remote(process.stdout.readline().strip())
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert json.loads((tmp_path / "ledger.jsonl").read_text().splitlines()[0])["name"] == "a"


def test_a_sandbox_in_another_process(remote: Remote) -> None:
    door = Door(remote)  # type: ignore[arg-type]  # only its url is used
    assert door.get("/version").status_code == 418
    assert door.post("a", args=["--sleep 100000"]).status_code == 201
    assert [record["kind"] for record in remote.read("ledger")] == ["started"]
    assert [request["status"] for request in remote.read("requests")] == [418, 201]
    assert [request["struck"] for request in remote.read("requests")] == [["status"], []]
    (held,) = remote.read("batches")
    assert (held["id"], held["name"], held["started"]) == (0, "a", True)
    assert '"name": "a"' in remote.read("requests")[1]["body"]
    assert remote.order("finish", {"name": "a", "state": "dead"}) == {"ok": True, "result": 1}
    assert door.state("a") == "dead"
    assert remote.order("gc")["result"] == 1
    remote.order("down")
    assert door.get("/batches").status_code == 500
    remote.order("up")
    remote.order("pause")
    remote.order("resume")
    remote.order("faults", {"route": "GET /batches", "action": "status", "code": 503})
    assert [fault["struck"] for fault in remote.read("faults")] == [1, 0]
    assert door.get("/batches").status_code == 503
    remote.order("faults", None, "DELETE")
    remote.order("faults", [{"route": "GET /batches", "action": "empty_200"}])
    remote.order("faults", {"clear": True})
    remote.order("restart", {"recovery": True, "graceful": False})
    assert remote.read("info")["generation"] == 2
    for service in ("yarn", "hdfs"):
        remote.order(f"{service}_down")
        remote.order(f"{service}_up")
    remote.order("yarn_restart")
    remote.order("knox_restart")


@pytest.mark.parametrize(
    ("method", "order", "body", "status"),
    [
        ("POST", "nope", None, 404),
        ("GET", "nope", None, 404),
        ("DELETE", "gc", None, 404),
        ("POST", "finish", {"bogus": 1}, 400),
        ("POST", "restart", {"recovery": True}, 400),
        ("POST", "faults", {"route": "x"}, 400),
    ],
)
def test_a_wrong_order_is_refused(sb: Sandbox, method: str, order: str, body: object, status: int) -> None:
    answer = requests.request(method, f"{sb.root}/__sandbox__/{order}", json=body, timeout=5)
    assert answer.status_code == status
    assert answer.json()["error"]
