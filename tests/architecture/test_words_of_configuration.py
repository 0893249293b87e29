"""What a variable expects: in English on the command line, in the reader's language on the page of an import."""

from __future__ import annotations

import ast
import re

import pytest
from django.utils import translation

from recovery import wording
from recovery.conf import read
from recovery.conf.expected import EXPECTED
from recovery.domain.errors import Problem
from recovery.services.profiles import ENV_COLUMNS
from tests.architecture.code import ROOT, called, constants, keyword, tree
from tests.test_conf import BAD

PLACEHOLDER = re.compile(r"%\((\w+)\)")


def test_each_code_has_its_sentence_and_none_is_left_over() -> None:
    used = set()
    for name in ("readers", "__init__"):
        for node in ast.walk(tree(ROOT / f"recovery/conf/{name}.py")):
            if isinstance(node, ast.Call) and called(node) in ("Bad", "_sound"):
                used |= constants(node.args[0])
            if isinstance(node, ast.Call) and called(node) == "ConfigProblem":
                used |= constants(keyword(node, "code"))
    assert used == set(EXPECTED)


def test_what_an_import_can_meet_is_translatable() -> None:
    """The codes of the variables that are read out of somebody's text."""
    read_there = {*ENV_COLUMNS, "KNOX_HOST", "KNOX_TOPOLOGY"}
    met = {problem.code for name, raw, _text in BAD if name in read_there for problem in read({name: raw}).problems}
    assert met <= set(wording.EXPECTED)
    assert set(wording.EXPECTED) <= set(EXPECTED)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_each_can_be_said_with_the_parameters_that_there_are(language: str) -> None:
    with translation.override(language):
        for code, english in EXPECTED.items():
            if code in wording.EXPECTED:
                params = dict.fromkeys(PLACEHOLDER.findall(english), "§")
                assert "%(" not in wording.expected(code, params)
        told = wording.expected("path", {}, Problem(field="", code="path_relative", params={"value": "a.jar"}))
        assert "a.jar" in told
