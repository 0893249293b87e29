"""Each check of a preflight has its sentence, and each sentence its parameters."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest
from django.utils import timezone, translation

from recovery import wording
from recovery.domain.preflight import Check, Light, Preflight
from recovery.services import probing
from tests.architecture.code import ROOT, tree

FILES = {f"file_{state}" for state in ("ok", "missing", "directory", "denied", "empty", "slow", "unknown", "scheme")}
MADE = FILES | {f"home_{state}" for state in ("ok", "missing", "denied", "slow", "unknown")}
MADE |= {f"{code}_perhaps" for code in MADE if code.endswith(("missing", "directory", "denied", "empty"))}
"""Codes that are put together from the state of a look."""
PARAMS: dict[str, Any] = {
    "version": "0.7.1", "condition": "dns", "reason": "why", "user": "svc", "asked": "other", "authority": "nn:8020",
    "words": "Permission denied", "scheme": "s3a", "length": 6226, "modified": 1_700_000_000_000, "size": 9000,
}  # fmt: skip


def written() -> set[str]:
    """Every text that looks like a code, in the modules that make checks."""
    module = tree(ROOT / "recovery/services/preflight.py")
    nodes = [node for node in ast.walk(module) if isinstance(node, ast.Constant)]
    texts = {node.value for node in nodes if isinstance(node.value, str)}
    kinds = "gateway|who|runs|file|hdfs|home|jar|rules|body|same"
    return {text for text in texts if re.fullmatch(rf"({kinds})(_[a-z]+)*", text)}


def test_each_check_has_its_sentence_and_no_sentence_is_left_over() -> None:
    plain = {"same_work", "same", "file", "home", "jar"}  # names, not codes
    assert set(wording.CHECKS) == (written() | MADE) - plain


def test_the_states_of_a_look_are_those_of_the_sentences() -> None:
    states = {probing.OK, probing.MISSING, probing.DIRECTORY, probing.DENIED, probing.UNKNOWN, probing.SLOW}
    assert {f"file_{state}" for state in states} <= MADE


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("code", sorted(wording.CHECKS))
def test_each_sentence_can_be_said(language: str, code: str) -> None:
    check = Check(code=code, light=Light.RED, subject="hdfs:///a/recovery.jar", params=PARAMS)
    seen = Preflight(at=timezone.now().isoformat(), checks=(check,))
    with translation.override(language):
        said = wording.check_text(check, seen)
    assert said
    assert "%(" not in said
    assert "?" not in said or "?" in str(wording.CHECKS[code])


def test_what_is_unknown_or_left_out_does_no_harm() -> None:
    seen = Preflight(at=timezone.now().isoformat(), checks=())
    assert wording.check_text(Check(code="of_tomorrow", light=Light.RED), seen) == "of_tomorrow"
    with translation.override("en"):
        said = wording.check_text(Check(code="file_unknown", light=Light.GREY, subject="/x.jar"), seen)
        assert said == "x.jar could not be checked (?)."
        check = Check(code="file_unknown", light=Light.GREY, subject="/x.jar", params={"condition": "dns"})
        assert "has a name that is not known (DNS)" in wording.check_text(check, seen)
