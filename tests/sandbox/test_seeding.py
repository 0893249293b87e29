"""Many running batches at once, and the count of what a client asks: what the benches stand on."""

import json

import pytest
import requests

from sandbox import Sandbox
from tests.sandbox.helpers import JAR, Door, eventually


def test_seeded_batches_are_like_posted_ones(yarn_door: Door) -> None:
    sb = yarn_door.sandbox
    bodies = [{"file": JAR, "name": f"rec-{n}", "args": ["--sleep 1000"]} for n in range(3)]
    seeded = sb.seed(bodies, age=60)
    assert [item["name"] for item in seeded] == ["rec-0", "rec-1", "rec-2"]
    batch = yarn_door.get("/batches/rec-1").json()
    assert (batch["id"], batch["name"], batch["appId"], batch["state"]) == (
        seeded[1]["id"],
        "rec-1",
        seeded[1]["appId"],
        "running",
    )
    assert yarn_door.post("rec-1").status_code == 400
    assert yarn_door.post("rec-3").status_code == 201
    (start,) = sb.ledger.started("rec-1")
    assert start.args == ("--sleep 1000",)
    assert sb.finish("rec-1") == 1
    assert yarn_door.state("rec-1") == "success"


def test_a_seeded_batch_ends_when_its_time_is_over(yarn_door: Door) -> None:
    """17 s of life, 10 of them gone: it ends after 7 virtual seconds."""
    sb = yarn_door.sandbox
    sb.seed([{"file": JAR, "name": "rec"}], age=10)
    (start,) = sb.ledger.started("rec")
    end = eventually(lambda: sb.ledger.end_of(start))
    assert end.at - start.at == pytest.approx(0.17, abs=0.001)


def test_seeding_what_livy_would_refuse_is_an_error(on_yarn: Sandbox) -> None:
    with pytest.raises(ValueError, match="Livy would refuse it"):
        on_yarn.seed([{"file": JAR, "name": "12"}])
    on_yarn.seed([{"file": JAR, "name": "rec"}])
    with pytest.raises(ValueError, match="'rec' is taken"):
        on_yarn.seed([{"file": JAR, "name": "rec"}])


def test_seeding_and_the_tally_over_http(yarn_door: Door) -> None:
    root = f"{yarn_door.sandbox.root}/__sandbox__"
    bodies = [{"file": JAR, "name": f"rec-{n}", "args": ["--sleep 1000"]} for n in range(2)]
    answer = requests.post(f"{root}/seed", data=json.dumps({"bodies": bodies, "age": 60}), timeout=10)
    assert [item["name"] for item in answer.json()["result"]] == ["rec-0", "rec-1"]
    assert requests.post(f"{root}/seed", data=json.dumps({"bodies": bodies}), timeout=10).status_code == 400
    size = len(yarn_door.get("/batches/rec-0", headers={"Accept-Encoding": "identity"}).content)
    yarn_door.get("/batches?size=10")
    yarn_door.get("/batches/0/log?size=1")
    yarn_door.get("/version")
    yarn_door.call("GET", "/nothing/at/all")
    tally = requests.get(f"{root}/tally", timeout=10).json()
    assert {kind: count["requests"] for kind, count in tally.items()} == {
        "GET livy/batches/{x}": 1,
        "GET livy/batches": 1,
        "GET livy/batches/{x}/log": 1,
        "GET livy": 1,
        "GET nothing": 1,
    }
    assert tally["GET livy/batches/{x}"]["bytes"] == size
