"""Livy killed and started anew, recovery off: it knows nothing, and the job lives on (real-behaviour.md §g, fact 5)."""

from __future__ import annotations

from tests.contract.wires import Wire


def test_a_crash_forgets_the_batch_and_not_the_job(wire: Wire) -> None:
    name = wire.name("orphan")
    tag = {"conf": {"spark.yarn.tags": name}}
    first = wire.start(name, f"--sleep 300 --table {name}", *wire.quick, **tag)
    if wire.on_yarn:
        wire.until(lambda: (batch := wire.batch(name)) and batch["appId"])
    else:
        wire.until(lambda: wire.log(name)["total"] > 2)
    wire.until(lambda: wire.alive(name))
    wire.crash_livy()
    try:
        assert wire.batch(name) is None
        assert wire.batch(first["id"]) is None
        assert wire.get("/batches").json() == {"from": 0, "total": 0, "sessions": []}
        assert wire.alive(name)
        if wire.on_yarn:
            (application,) = wire.applications(name)
            assert application["finalStatus"] == "UNDEFINED"
        # ids begin again, and the name is free: nothing in this Livy says that the first one runs
        assert wire.phantom(name).status_code == 400
        again = wire.batch(name)
        assert again is not None
        assert again["id"] == 0
    finally:
        if wire.on_yarn:
            for application in wire.applications(name):
                place = f"/resourcemanager/v1/cluster/apps/{application['id']}/state"
                killed = wire.call("PUT", place, json={"state": "KILLED"})
                assert killed.status_code in (200, 202)
        wire.end_jobs(name)
    wire.until(lambda: not wire.alive(name))
