"""Jobs that run to their end: states, logs, exit codes, arguments, deletes (real-behaviour.md §a, §d, §e, §i).

They are posted at once and looked at together, because on the real stack each takes its seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.contract.wires import LAST_WORDS, WORDS, Wire

STDOUT, STDERR, DIAGNOSTICS = "stdout: ", "\nstderr: ", "\nYARN Diagnostics: "
TYPED = "--date 20240101 --table splio.active"


@dataclass
class Run:
    """One batch from its POST to its end."""

    name: str
    states: list[str] = field(default_factory=list)
    batches: list[dict[str, Any]] = field(default_factory=list)

    @property
    def end(self) -> dict[str, Any]:
        """Its last look."""
        return self.batches[-1]


@pytest.fixture(scope="module")
def runs(wire: Wire) -> dict[str, Run]:
    """One that succeeds, three that fail each in their own way, one that talks."""
    jobs = {
        "typed": [TYPED, *wire.quick],
        "fails": ["--fail 3", *wire.quick],
        "throws": ["--throw", *wire.quick],
        "exhausts": ["--oom", *wire.quick],
        "talks": ["--lines 500", "--no-spark"],
    }
    if wire.on_yarn:
        del jobs["talks"]  # its lines would stay in its container
    begun = {job: Run(wire.name(job)) for job in jobs}
    for job, run in begun.items():
        body = wire.start(run.name, *jobs[job], conf={"spark.yarn.tags": run.name.upper()})
        run.batches.append(body)
        run.states.append(body["state"])

    def look() -> bool:
        for run in begun.values():
            if run.states[-1] not in LAST_WORDS:
                batch = wire.batch(run.name)
                assert batch is not None
                run.batches.append(batch)
                if run.states[-1] != batch["state"]:
                    run.states.append(batch["state"])
        return all(run.states[-1] in LAST_WORDS for run in begun.values())

    wire.until(look)
    return begun


def test_states_go_one_way_and_have_known_words(wire: Wire, runs: dict[str, Run]) -> None:
    for run in runs.values():
        assert set(run.states) <= WORDS
        order = [word for word in ("starting", "running", *LAST_WORDS) if word in run.states]
        assert run.states == order


def test_exit_0_is_success_and_everything_else_is_dead(runs: dict[str, Run]) -> None:
    assert runs["typed"].states[-1] == "success"
    assert runs["fails"].states[-1] == "dead"
    assert runs["throws"].states[-1] == "dead"
    assert runs["exhausts"].states[-1] == "dead"


def test_the_name_stays_taken_after_the_end(wire: Wire, runs: dict[str, Run]) -> None:
    for run in runs.values():
        assert "Duplicate session name" in wire.post(name=run.name).json()["msg"]


def test_an_application_id_is_known_on_yarn_only(wire: Wire, runs: dict[str, Run]) -> None:
    for run in runs.values():
        ids = {batch["appId"] for batch in run.batches}
        if not wire.on_yarn:
            assert ids == {None}
            assert run.end["appInfo"] == {"driverLogUrl": None, "sparkUiUrl": None}
            continue
        assert len(ids - {None}) == 1
        assert run.end["appId"].startswith("application_")
        assert run.batches[0]["appId"] is None
        links, front = run.end["appInfo"], f"{wire.root}/sandbox/yarnuiv2"
        assert links["sparkUiUrl"] == f"{front}/proxy/{run.end['appId']}"
        # at the end this one may be gone again: it depends on when Livy looked last
        if links["driverLogUrl"] is not None:
            assert links["driverLogUrl"].startswith(f"{front}/node/containerlogs/container_")


def test_yarn_finds_it_by_our_tag_in_lower_case(wire: Wire, runs: dict[str, Run]) -> None:
    if not wire.on_yarn:
        pytest.skip("there is no YARN")
    finals = {"typed": "SUCCEEDED", "fails": "FAILED", "throws": "FAILED", "exhausts": "FAILED"}
    for job, run in runs.items():
        (application,) = wire.applications(run.name)
        assert application["id"] == run.end["appId"]
        assert application["finalStatus"] == finals[job]
        assert run.name in application["applicationTags"].split(",")
    assert wire.applications("nobody-has-this-tag") == []


def test_arguments_arrive_as_they_were_typed(wire: Wire, runs: dict[str, Run]) -> None:
    log = wire.log(runs["typed"].name)["log"]
    if wire.on_yarn:
        assert not any("RECOVERY argv" in line for line in log)  # that is in the container
        return
    assert f"RECOVERY argc={1 + len(wire.quick)}" in log
    assert f"RECOVERY argv[0]=<{TYPED}>" in log
    assert "RECOVERY done date=20240101 table=splio.active exit=0" in log


def test_the_log_has_its_markers_and_says_why(wire: Wire, runs: dict[str, Run]) -> None:
    for job, run in runs.items():
        page = wire.log(run.name)
        log = page["log"]
        assert (page["id"], page["from"], page["total"]) == (run.end["id"], 0, len(log))
        assert (log[0], log.count(STDOUT), log.count(STDERR)) == (STDOUT, 1, 1)
        if not wire.on_yarn:
            assert log[-1] == STDERR
            continue
        told = "\n".join(log[log.index(DIAGNOSTICS) + 1 :])
        assert {
            "typed": told == "",
            "fails": "Shutdown hook called before final status was reported." in told,
            "throws": told.startswith("User class threw exception: java.lang.IllegalStateException: RECOVERY asked"),
            "exhausts": told.startswith("User class threw exception: java.lang.OutOfMemoryError: Java heap space"),
        }[job], told
    if not wire.on_yarn:
        failed = wire.log(runs["throws"].name)["log"]
        assert any("java.lang.IllegalStateException: RECOVERY asked to throw" in line for line in failed)
        exhausted = wire.log(runs["exhausts"].name)["log"]
        assert any("java.lang.OutOfMemoryError: Java heap space" in line for line in exhausted)
        assert "RECOVERY done date=null table=null exit=3" in wire.log(runs["fails"].name)["log"]


def test_the_log_is_asked_for_by_from_and_size(wire: Wire, runs: dict[str, Run]) -> None:
    name = runs["typed" if wire.on_yarn else "talks"].name
    whole = wire.log(name)
    lines, total = whole["log"], whole["total"]
    for query, start, part in (
        ("", max(0, total - 100), lines[-100:]),
        ("?size=5", total - 5, lines[-5:]),
        ("?from=0", 0, lines[:100]),
        ("?from=0&size=3", 0, lines[:3]),
        ("?from=-1", max(0, total - 100), lines[-100:]),
        ("?from=-1&size=4", total - 4, lines[-4:]),
        (f"?from={total - 2}", total - 2, lines[-2:]),
        ("?from=1000", 1000, []),
        ("?size=1000", 0, lines),
        ("?size=0", total, []),
    ):
        assert wire.log(name, query) == {"id": whole["id"], "from": start, "total": total, "log": part}, query
    assert wire.get(f"/batches/{name}/log?size=x").json() == {"msg": 'For input string: "x"'}
    batch = wire.batch(name)
    assert batch is not None
    assert batch["log"] == lines[-10:]


def test_the_log_keeps_the_last_200_lines(wire: Wire, runs: dict[str, Run]) -> None:
    if wire.on_yarn:
        pytest.skip("in cluster mode the job's lines stay in its container")
    page = wire.log(runs["talks"].name)
    assert page["total"] == len(page["log"]) == 202
    # the real Spark has a word or two more to say at its end
    assert "RECOVERY done date=null table=null exit=0" in page["log"][-8:]
    assert not any("argc" in line for line in page["log"])


def test_delete_of_a_running_batch_ends_the_job(wire: Wire) -> None:
    name = wire.name("running")
    tags = {"spark.yarn.tags": name}
    created = wire.start(name, f"--sleep 300 --table {name}", *wire.quick, conf=tags)
    # before its application is known DELETE would wait for it, on a busy machine for longer than Knox does
    wire.until(lambda: (batch := wire.batch(name)) and batch["state"] == "running" and wire.alive(name))
    answer = wire.delete(name)
    assert (answer.status_code, answer.json()) == (200, {"msg": "deleted"})
    assert wire.batch(name) is None
    assert wire.batch(created["id"]) is None
    wire.until(lambda: not wire.alive(name))
    if wire.on_yarn:
        wire.until(lambda: [app["finalStatus"] for app in wire.applications(name)] == ["KILLED"])


def test_what_livy_takes_and_spark_does_not_is_dead_soon_and_can_be_deleted(wire: Wire) -> None:
    change: dict[str, Any] = {"queue": "nope"} if wire.on_yarn else {"driverMemory": "lots"}
    name = wire.name("unfit")
    assert wire.post(name=name, **change).status_code == 201
    end = wire.until_over(name)
    assert end["state"] == "dead"
    # a client that takes long to end lets Livy find the application that YARN refused
    late = wire.real and wire.on_yarn and end["appId"] is not None
    assert late or end["appId"] is None
    log = wire.log(name)["log"]
    assert len(log) > 2 + wire.on_yarn
    if wire.on_yarn:
        # Livy's own word, said when no application ever came of it; the reason is in the client's output
        assert late or log[-1] == "spark-submit start failed"
        assert any("unknown queue: nope" in line for line in log)
    # Delete of an ended batch just removes it.
    answer = wire.delete(end["id"])
    assert (answer.status_code, answer.json()) == (200, {"msg": "deleted"})
    for path in (name, end["id"]):
        again = wire.delete(path)
        assert (again.status_code, again.json()) == (404, {"msg": f"Session '{path}' not found."})
    assert wire.batch(name) is None
