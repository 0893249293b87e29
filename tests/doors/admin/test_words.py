"""No word is without its label, no rule without its sentence, no event without its text."""

from __future__ import annotations

import ast
from enum import StrEnum
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from recovery import wording
from recovery.admin import show
from recovery.domain.arguments import ArgsMode
from recovery.domain.errors import Problem
from recovery.domain.gateways import AuthKind, Channel, Condition
from recovery.domain.states import Hold, Settlement, State
from recovery.domain.verdicts import Outcome

ENUMS: list[type[StrEnum]] = [State, Outcome, Hold, Settlement, Channel, ArgsMode, AuthKind, Condition]
CODE = sorted(Path(settings.BASE_DIR, "recovery").rglob("*.py"))


@pytest.mark.parametrize("kind", ENUMS)
def test_every_member_has_a_label_in_both_languages(kind: type[StrEnum]) -> None:
    for member in kind:
        if member.value:
            said = set()
            for language in ("en", "fr"):
                with translation.override(language):
                    said.add(str(wording.label(member)))
            assert all(said)


def test_members_of_two_kinds_with_one_value_keep_their_own_labels() -> None:
    with translation.override("en"):
        assert str(wording.label(State.FAILED)) == "failed"
        assert str(wording.label(Settlement.FAILED)) == "it had failed"
        assert str(wording.label(Hold.NAME_TAKEN)) != str(wording.label(Outcome.NAME_TAKEN))


def test_every_state_has_a_look() -> None:
    assert set(show.LOOKS) == set(State)
    assert len(set(show.LOOKS.values())) == len(State), "tone and icon together tell states apart"


def _problem_codes() -> dict[str, str]:
    """Every constant `code=` of a `Problem(…)`, and both words of a choice; with the file's name."""
    found = {}
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem":
                for word in node.keywords:
                    for value in ast.walk(word.value) if word.arg == "code" else ():
                        if isinstance(value, ast.Constant) and isinstance(value.value, str):
                            found[value.value] = path.name
    return found


def test_every_problem_has_a_sentence() -> None:
    codes = _problem_codes()
    assert codes
    for code, where in codes.items():
        assert code in wording.PROBLEMS, (code, where)
        for language in ("en", "fr"):
            with translation.override(language):
                assert wording.sentence(Problem(field="x", code=code))


def test_every_kind_of_event_has_a_text() -> None:
    """`kind=` of transitions.advance, the second argument of of_recovery and its kin, the third of append."""
    places = {"of_recovery": 1, "of_new_recovery": 1, "note": 1, "append": 2}
    found = set()
    for path in Path(settings.BASE_DIR, "recovery", "services").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            given = [word.value for word in node.keywords if word.arg == "kind"]
            if name in places and len(node.args) > places[name]:
                given.append(node.args[places[name]])
            found |= {value.value for value in given if isinstance(value, ast.Constant)}
    assert {"filed", "started", "settled", "paused", "created"} <= found
    assert found <= set(wording.EVENTS), found - set(wording.EVENTS)


def test_causes_and_facts_are_words() -> None:
    with translation.override("en"):
        assert str(wording.cause_text("job_failed")) == str(wording.label(Outcome.JOB_FAILED))
        assert str(wording.cause_text("never_ran")) == "it never ran"
        assert str(wording.cause_text("admin")) == "portal"
        assert str(wording.cause_text("ok")) == "all is well"
        assert str(wording.cause_text("unheard_of")) == "unheard_of"
        assert str(wording.fact_text("to", "lost")) == "to be checked"
        assert str(wording.fact_text("to", "elsewhere")) == "elsewhere"
        assert str(wording.fact_name("unheard_of")) == "unheard_of"


@pytest.mark.parametrize(
    ("seconds", "english", "french"),
    [
        (-5, "0 s", "0 s"),
        (42, "42 s", "42 s"),
        (190, "3 min 10 s", "3 min 10 s"),
        (7500, "2 h 05 min", "2 h 05 min"),
        (90_000, "1 day 1 h", "1 jour 1 h"),
        (190_000, "2 days 4 h", "2 jours 4 h"),
    ],
)
def test_spans_of_time(seconds: int, english: str, french: str) -> None:
    for language, words in (("en", english), ("fr", french)):
        with translation.override(language):
            assert show.span(seconds) == words


def test_only_web_addresses_become_links() -> None:
    assert show.web_link("https://rm:8088/x") == "https://rm:8088/x"
    for url in ("", "javascript:alert(1)", "data:text/html,x", "//rm/x", "/x", "https://"):
        assert show.web_link(url) == ""
