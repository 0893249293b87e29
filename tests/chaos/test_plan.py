"""A plan comes from its seed alone, and holds what it promises to hold."""

from __future__ import annotations

from collections import Counter

import pytest

from chaos import weather
from chaos.__main__ import listed
from chaos.plan import GATEWAYS, PACING, SPEED, make_plan
from recovery.domain.pacing import Pacing
from sandbox import Fault


def test_a_seed_is_a_plan() -> None:
    assert make_plan(setup="sqlite", seed=7, recoveries=30) == make_plan(setup="sqlite", seed=7, recoveries=30)
    assert make_plan(setup="sqlite", seed=7, recoveries=30) != make_plan(setup="sqlite", seed=8, recoveries=30)


def test_only_a_portal_with_servers_has_its_servers_broken() -> None:
    servers = {"redis", "postgres"}
    assert not servers & {step.target for step in make_plan(setup="sqlite", seed=1, recoveries=200).steps}
    assert servers <= {step.target for step in make_plan(setup="postgres", seed=1, recoveries=200).steps}


@pytest.mark.parametrize("seed", range(5))
def test_a_plan_is_whole(seed: int) -> None:
    plan = make_plan(setup="postgres", seed=seed, recoveries=200)
    acts = Counter(step.act for step in plan.steps)
    assert acts["file"] == 200
    assert acts["cancel"] > 20
    assert acts["resubmit"] > 5
    assert acts["fault"] > 100
    assert [step.at for step in plan.steps] == sorted(step.at for step in plan.steps)
    assert {step.facts["point"] for step in plan.steps if step.act == "kill_at"} <= set(weather.POINTS)
    for step in plan.steps:
        if step.act == "fault":
            Fault.from_json(dict(step.facts))  # raises for an unknown action
    assert "recoveries" in plan.describe()


def test_no_two_faults_of_a_route_meet_in_one_request() -> None:
    taken: set[tuple[str, str, int]] = set()
    for step in make_plan(setup="sqlite", seed=3, recoveries=200).steps:
        if step.act == "fault":
            for number in step.facts["nth"]:
                place = (step.target, step.facts["route"], number)
                assert place not in taken
                taken.add(place)


def test_the_cluster_is_in_step_with_the_pacing() -> None:
    """What Livy does late has drained before the settle time is over, as S3 takes for granted."""
    assert Pacing().settle == pytest.approx(PACING.settle * SPEED)
    late = [fault["seconds"] for _, fault in weather.SUBMITTING if fault["action"] in {"late_accept", "slow_start"}]
    assert late
    assert max(late) < PACING.settle / 2
    assert PACING.read_timeout > weather.KNOX


def test_livy_is_said_to_keep_its_batches_only_where_it_does() -> None:
    for gateway in GATEWAYS:
        for seed in range(20):
            for step in make_plan(setup="sqlite", seed=seed, recoveries=20).steps:
                if step.act == "order" and step.target == gateway.name and step.facts["do"] == "restart":
                    assert step.facts["recovery"] is gateway.recovery


def test_what_ci_runs_is_a_list_of_plans() -> None:
    for setup, seed, recoveries in listed():
        assert make_plan(setup=setup, seed=seed, recoveries=recoveries).steps
