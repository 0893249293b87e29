"""Each rule of docs/reference/protocol.md is named by at least one test."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

from tests.architecture.code import ROOT, tree

RULE = re.compile(r"^- \*\*([A-Z]\d+)\b", re.MULTILINE)
RULES = RULE.findall((ROOT / "docs/reference/protocol.md").read_text(encoding="utf-8"))
NEEDS_YARN = {"F7", "C3"}
"""Only YARN can tell: these come with the look-ups in YARN."""


def words_of(path: Path) -> set[str]:
    """The rules that a test module names: in the name of a test, a docstring or a comment."""
    named: set[str] = set()
    texts: list[str] = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef):
            named |= {
                rule
                for rule in RULES
                if re.search(rf"(^test|_){rule.lower()}(_|$)", "_" + node.name.removeprefix("test"))
            }
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            texts.append(ast.get_docstring(node) or "")
    source = path.read_text(encoding="utf-8")
    texts += [
        one.string for one in tokenize.generate_tokens(io.StringIO(source).readline) if one.type == tokenize.COMMENT
    ]
    for text in texts:
        named |= {rule for rule in RULES if re.search(rf"\b{rule}\b", text)}
    return named


def test_the_rules_are_found_in_the_protocol() -> None:
    assert len(RULES) == len(set(RULES))
    assert {"N1", "P4", "A7", "S5", "F8", "C4", "H6"} <= set(RULES)
    assert set(RULES) >= NEEDS_YARN
    assert len(RULES) >= 40 - 4


@pytest.fixture(scope="module")
def named() -> dict[str, set[str]]:
    own = Path(__file__)
    tests = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if path != own]
    return {str(path.relative_to(ROOT)): words_of(path) for path in tests}


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in NEEDS_YARN])
def test_the_rule_is_named_by_a_test(rule: str, named: dict[str, set[str]]) -> None:
    assert any(rule in rules for rules in named.values()), f"no test names {rule}"
