"""Each row of a test of a connection has its sentence, and each condition its plain words."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import translation

from recovery import wording
from recovery.domain.gateways import Condition
from tests.architecture.code import ROOT, tree

PARAMS: dict[str, Any] = {
    "version": "0.7.1", "user": "svc", "home": "/user/svc", "reason": "why", "since": datetime(2026, 1, 1, tzinfo=UTC),
}  # fmt: skip
MADE = {"webhdfs_missing", "webhdfs_denied"}
"""Put together from the state of a look."""


def test_each_code_has_its_sentence_and_none_is_left_over() -> None:
    nodes = [n for n in ast.walk(tree(ROOT / "recovery/services/connection.py")) if isinstance(n, ast.Constant)]
    texts = {node.value for node in nodes if isinstance(node.value, str)}
    written = {text for text in texts if re.fullmatch(r"(livy|who|webhdfs|yarn|after)(_[a-z]+)*|paused", text)}
    not_codes = {"webhdfs_path", "yarn_path"}
    assert set(wording.FOUND) == (written | MADE) - not_codes


@pytest.mark.parametrize("language", ["en", "fr"])
def test_each_can_be_said(language: str) -> None:
    with translation.override(language):
        for code in wording.FOUND:
            assert "%(" not in wording.found_text(code, PARAMS)
        assert set(wording.WHY) == set(Condition)
        assert all(wording.why_text(condition, "") for condition in Condition)


def test_what_was_seen_makes_it_plainer() -> None:
    with translation.override("en"):
        refused = wording.why_text(Condition.UNREACHABLE, "unreachable: [Errno 111] Connection refused")
        assert refused.startswith("It refused the connection")
        away = wording.why_text(Condition.UNREACHABLE, "unreachable: [Errno 113] No route to host")
        assert away.startswith("It could not be reached")
        assert "variable NIX is not set" in wording.why_text(Condition.SECRET, "env:NIX: the variable is not set")
        assert "file /run/x" in wording.why_text(Condition.SECRET, "file:/run/x: FileNotFoundError")
        assert wording.why_text(Condition.SECRET, "the token is empty") == "The secret of our user cannot be read."
