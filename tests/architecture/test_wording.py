"""recovery/wording is complete: no member of an enum, no rule, no event and no cause is without its words."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from enum import StrEnum
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import override

from recovery import wording
from recovery.domain.errors import Problem
from recovery.domain.gateways import Channel, Condition
from recovery.domain.states import Hold, Settlement, State
from recovery.domain.verdicts import Outcome
from tests.architecture.code import called, calls, constants, keyword, modules, shown, tree

PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def enums_of_the_domain() -> set[type[StrEnum]]:
    found = set()
    for path in modules("recovery/domain"):
        module = importlib.import_module(shown(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        for _name, one in inspect.getmembers(module, inspect.isclass):
            if issubclass(one, StrEnum) and one.__module__ == module.__name__:
                found.add(one)
    return found


def test_each_member_of_each_enum_has_a_label_and_no_label_is_left_over() -> None:
    """By kind: State.FAILED and Settlement.FAILED are equal as keys of one dictionary."""
    assert set(wording.LABELS) == enums_of_the_domain()
    for kind, labels in wording.LABELS.items():
        assert {str(member) for member in labels} == {str(member) for member in kind if member != ""}
        assert all(type(member) is kind for member in labels)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_two_members_of_one_kind_read_alike(language: str) -> None:
    with translation.override(language):
        for kind in wording.LABELS:
            words = [str(wording.label(member)) for member in kind if member != ""]
            assert len(set(words)) == len(words), kind
            assert all(word.strip() for word in words)


def test_one_value_in_two_kinds_keeps_its_own_words() -> None:
    assert wording.label(State.FAILED) != wording.label(Settlement.FAILED)
    assert wording.label(Hold.NAME_TAKEN) != wording.label(Outcome.NAME_TAKEN)


# ── problems ────────────────────────────────────────────────────────────────────────────────────────────────────


def codes() -> dict[str, list[tuple[str, set[str] | None]]]:
    """code → where it is used, with the names of its parameters (None: not a literal)."""
    found: dict[str, list[tuple[str, set[str] | None]]] = {}
    for path in modules("recovery"):
        for call in calls(path):
            if called(call) == "Problem":
                params = keyword(call, "params")
                names: set[str] | None = set()
                if isinstance(params, ast.Dict):
                    names = {text for key in params.keys for text in constants(key)}
                elif params is not None:
                    names = None
                for code in constants(keyword(call, "code")):
                    found.setdefault(code, []).append((f"{shown(path)}:{call.lineno}", names))
            elif called(call) == "refuse":
                for code in constants(call.args[0]) if call.args else {"wrong_type"}:
                    names = {one.arg for one in call.keywords if one.arg} | {"expected"}
                    found.setdefault(code, []).append((f"{shown(path)}:{call.lineno}", names))
        for node in ast.walk(tree(path)):  # `code = "a" if … else "b"` before the Problem
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "code" for t in node.targets):
                for code in constants(node.value):
                    found.setdefault(code, []).append((f"{shown(path)}:{node.lineno}", None))
    return found


def test_each_rule_that_can_be_broken_has_a_sentence() -> None:
    used = codes()
    assert {"path_relative", "unbalanced_quote", "dangling_escape", "unknown_profile", "live_child"} <= set(used)
    missing = {code: places for code, places in used.items() if code not in wording.PROBLEMS}
    assert not missing


def test_each_sentence_gets_its_parameters() -> None:
    for code, places in codes().items():
        wanted = set(PLACEHOLDER.findall(str(wording.PROBLEMS[code])))
        for place, given in places:
            assert given is None or wanted <= given, f"{place}: {code} wants {wanted}, gets {given}"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_each_sentence_can_be_said(language: str) -> None:
    with translation.override(language):
        for code, text in wording.PROBLEMS.items():
            params = dict.fromkeys(PLACEHOLDER.findall(str(text)), "§")
            said = wording.sentence(Problem(field="x", code=code, params=params))
            assert said
            assert "%(" not in said
            assert "?" not in said or "?" in str(text)
            assert said.count("§") == len(PLACEHOLDER.findall(str(text)))


def test_a_parameter_that_is_missing_or_long_does_no_harm() -> None:
    with translation.override("en"):
        assert wording.sentence(Problem(field="x", code="too_long")) == "At most ? characters."
        long = Problem(field="x", code="path_relative", params={"value": "v" * 300})
        assert "v" * 200 + "…" in wording.sentence(long)
        assert "v" * 201 not in wording.sentence(long)


def test_sentences_are_sorted_by_field() -> None:
    one = Problem(field="jarPath", code="path_empty")
    two = Problem(field="conf", code="conf_key", params={"key": "a b"})
    with translation.override("en"):
        said = wording.sentences([one, two, one])
    assert list(said) == ["jarPath", "conf"]
    assert len(said["jarPath"]) == 2
    assert "“a b”" in said["conf"][0]


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────

PLACE_OF_KIND = {"append": 2, "of_recovery": 1, "of_new_recovery": 1, "note": 1}
"""Where an event's kind stands among the positional arguments; `advance` and others name it."""


def kinds() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in modules("recovery/services", "recovery/admin", "recovery/api", "recovery/management"):
        for call in calls(path):
            place = PLACE_OF_KIND.get(called(call))
            given: list[ast.expr | None] = [keyword(call, "kind")]
            if place is not None and len(call.args) > place:
                given.append(call.args[place])
            for kind in {text for node in given for text in constants(node)}:
                found.setdefault(kind, f"{shown(path)}:{call.lineno}")
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "kind" for t in node.targets):
                found |= {kind: f"{shown(path)}:{node.lineno}" for kind in constants(node.value)}
            if isinstance(node, ast.arg | ast.FunctionDef):
                found |= default_kinds(node, shown(path))
    return found


def default_kinds(node: ast.AST, place: str) -> dict[str, str]:
    """`def f(*, kind="…")`."""
    if not isinstance(node, ast.FunctionDef):
        return {}
    pairs: list[tuple[ast.arg, ast.expr | None]] = list(zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True))
    return {kind: place for one, default in pairs if one.arg == "kind" for kind in constants(default)}


def test_each_kind_of_event_has_its_words() -> None:
    used = kinds()
    assert {"filed", "claimed", "started", "adopted", "phantom_removed", "condition", "synced", "revoked"} <= set(used)
    assert {kind: place for kind, place in used.items() if kind not in wording.EVENTS} == {}


def test_no_words_are_left_over() -> None:
    """A kind of event or a rule that nothing says any more."""
    assert set(wording.EVENTS) - set(kinds()) == set()
    named = {text for path in modules("recovery") for node in ast.walk(tree(path)) if "wording" not in shown(path)
             for text in (constants(node) if isinstance(node, ast.Constant) else ())}  # fmt: skip
    assert set(wording.PROBLEMS) - named == set()


def test_each_cause_of_an_event_has_its_words() -> None:
    known = {str(member) for kind in (Condition, Outcome, Settlement, Channel, State) for member in kind}
    missing = {}
    for path in modules("recovery/services"):
        for call in calls(path):
            for cause in constants(keyword(call, "cause")) - {""}:
                if cause not in wording.CAUSES and cause not in known:
                    missing[cause] = f"{shown(path)}:{call.lineno}"
    assert missing == {}


@pytest.mark.parametrize(
    "member", [Condition.DNS, Outcome.GONE, Settlement.NEVER_RAN, Channel.API, State.QUEUED], ids=str
)
def test_a_cause_that_is_a_member_is_said_by_its_label(member: StrEnum) -> None:
    assert wording.cause_text(member.value) in {wording.label(member), wording.CAUSES.get(member.value)}


def test_what_is_unknown_is_shown_as_it_is() -> None:
    assert wording.cause_text("odd") == "odd"
    assert wording.event_text("odd") == "odd"
    assert wording.fact_name("odd") == "odd"
    assert wording.event_text("filed") == wording.EVENTS["filed"]
    assert wording.fact_name("words") == wording.FACTS["words"]
    assert wording.cause_text("ok") == wording.CAUSES["ok"]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("to", "lost", wording.label(State.LOST)),
        ("state", "running", wording.label(State.RUNNING)),
        ("to", "odd", "odd"),
        ("to", 3, "3"),
        ("livy_state", "lost", "lost"),
        ("changed", ["queue", "conf"], "queue, conf"),
        ("groups_now", ["Operators", "Stewards"], "Operators, Stewards"),
        ("groups_before", [], "everybody"),
    ],
)
def test_a_fact_in_words(name: str, value: Any, text: Any) -> None:
    with override("en"):  # another test of this process may have left its own language
        assert wording.fact_text(name, value) == text
