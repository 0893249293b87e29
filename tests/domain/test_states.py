"""The table of moves, and its picture."""

from __future__ import annotations

from enum import StrEnum

import pytest

from recovery.domain.states import FOLLOWED, LIVE, MOVES, TERMINAL, Hold, Settlement, State, legal_sources, mermaid


def test_every_state_stands_in_the_table_and_leads_to_states_only() -> None:
    assert set(MOVES) == set(State)
    for source, targets in MOVES.items():
        assert targets <= set(State)
        assert source not in targets


def test_an_end_has_no_exit() -> None:
    assert {State.SUCCEEDED, State.FAILED, State.CANCELLED, State.REFUSED, State.LOST} == TERMINAL
    assert all(not MOVES[state] for state in TERMINAL)
    assert set(State) == LIVE | TERMINAL
    assert not LIVE & TERMINAL
    assert FOLLOWED <= LIVE


def test_every_state_can_be_reached_and_every_live_state_can_end() -> None:
    reached = {State.QUEUED, State.AWAITING_APPROVAL}
    for _ in State:
        reached |= {target for state in reached for target in MOVES[state]}
    assert reached == set(State)
    for state in LIVE:
        ways = {state}
        for _ in State:
            ways |= {target for way in ways for target in MOVES[way]}
        assert ways & TERMINAL


def test_a5_a_doubt_leads_out_by_evidence_only() -> None:
    """The table allows more than A5: which of its moves need evidence is the services' matter. What no doubt may
    become is a success or a failure of a batch that nobody has seen."""
    assert not MOVES[State.UNCONFIRMED] & {State.SUCCEEDED, State.FAILED}


def test_c1_what_is_being_submitted_cannot_become_cancelled() -> None:
    assert State.CANCELLED not in MOVES[State.SUBMITTING]
    assert State.CANCELLED in MOVES[State.QUEUED]


def test_only_a_queued_row_or_a_doubt_is_submitted() -> None:
    assert legal_sources(State.SUBMITTING) == {State.QUEUED, State.UNCONFIRMED}


@pytest.mark.parametrize("to", list(State))
def test_the_sources_are_the_table_read_backwards(to: State) -> None:
    assert legal_sources(to) == {source for source in State if to in MOVES[source]}


def test_the_picture_has_each_move_and_no_other() -> None:
    lines = mermaid().splitlines()
    assert lines[0] == "stateDiagram-v2"
    drawn = {tuple(line.strip().split(" --> ")) for line in lines[1:]}
    moves = {(str(source), str(target)) for source, targets in MOVES.items() for target in targets}
    starts = {("[*]", "queued"), ("[*]", "awaiting_approval")}
    assert drawn == moves | starts | {(str(state), "[*]") for state in TERMINAL}
    assert len(lines) == 1 + len(drawn)


@pytest.mark.parametrize("words", [State, Settlement, Hold])
def test_the_words_are_distinct(words: type[StrEnum]) -> None:
    assert len({member.value for member in words}) == len(words)
