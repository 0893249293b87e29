"""All waiting times: production's, a test's, and the floors between them."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.domain.pacing import FLOORS, Pacing

PRODUCTION = Pacing()


def test_production_stands_above_its_own_floors() -> None:
    assert PRODUCTION.below_floor() == {}
    assert set(FLOORS) <= {f.name for f in fields(Pacing)}


def test_p4_the_client_waits_longer_than_knox() -> None:
    assert PRODUCTION.read_timeout > 30 > 20


def test_p2_a_claim_outlives_its_try() -> None:
    assert 60 < PRODUCTION.try_deadline + PRODUCTION.lease_margin <= 80
    assert PRODUCTION.follow_lease <= 30


def test_f3_a_live_recovery_is_seen_often_enough() -> None:
    assert max(PRODUCTION.poll_young, PRODUCTION.poll_old, PRODUCTION.seen_at_least) <= 120


def test_f6_gone_takes_three_looks_over_a_minute() -> None:
    assert (PRODUCTION.gone_looks, PRODUCTION.gone_for) == (3, 60)


def test_a_scale_changes_times_and_not_counts() -> None:
    fast = PRODUCTION.scaled(0.05)
    for f in fields(Pacing):
        before, after = getattr(PRODUCTION, f.name), getattr(fast, f.name)
        if f.name in {"max_tries", "gone_looks", "preflight_limit", "preflight_kept"}:  # a person waits for these
            assert after == before
        elif f.name == "look_pauses":
            assert after == pytest.approx([pause * 0.05 for pause in before])
        else:
            assert after == pytest.approx(before * 0.05), f.name
    assert PRODUCTION.scaled(1) == PRODUCTION


def test_a_tests_pacing_is_below_the_floors() -> None:
    assert dict(PRODUCTION.scaled(0.005).below_floor()) == FLOORS
    assert dict(Pacing(settle=59.9).below_floor()) == {"settle": 60}


@pytest.mark.parametrize(
    ("looks", "pause"), [(0, 2), (1, 2), (2, 5), (3, 10), (4, 20), (5, 40), (6, 60), (7, 60), (99, 60)]
)
def test_s1_pauses_between_looks_grow(looks: int, pause: float) -> None:
    assert PRODUCTION.look_pause(looks) == pause


@pytest.mark.parametrize(("failures", "pause"), [(1, 5), (2, 10), (3, 20), (5, 80), (6, 120), (100_000, 120)])
def test_a2_pauses_of_a_gateway_grow_up_to_a_limit(failures: int, pause: float) -> None:
    assert PRODUCTION.gateway_pause(failures, 1.0) == pause
    assert PRODUCTION.gateway_pause(failures, 0.0) == pause * 0.75


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_a2_jitter_spreads_a_pause_by_a_quarter(failures: int, jitter: float) -> None:
    whole = PRODUCTION.gateway_pause(failures, 1.0)
    assert 0.75 * whole <= PRODUCTION.gateway_pause(failures, jitter) <= whole


def test_f3_a_young_batch_is_looked_at_more_often() -> None:
    assert PRODUCTION.poll_pause(0) == 5
    assert PRODUCTION.poll_pause(599.9) == 5
    assert PRODUCTION.poll_pause(600) == 30
    assert Pacing(poll_old=500).poll_pause(600) == 120


def test_a_gateway_with_work_is_seen_by_then_be_it_ill_or_well() -> None:
    assert PRODUCTION.unseen_soon() == 240
    assert Pacing(gateway_pause_most=300).unseen_soon() == 600
