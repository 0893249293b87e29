"""The mistakes of `make mutations` can still be made."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutations", ROOT / "scripts" / "mutations.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for it there
    spec.loader.exec_module(module)
    return module


mutations = _script()


@pytest.mark.parametrize("mutation", mutations.MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_old_text_of_each_mutation_stands_in_the_code_once_and_the_new_one_is_code(mutation: object) -> None:
    for edit in mutation.edits:  # type: ignore[attr-defined]  # the script is no module of the project
        compile(edit.applied(ROOT), edit.file, "exec")


def test_a_mutation_whose_text_is_gone_says_so() -> None:
    edit = mutations.Edit(file="recovery/services/submission.py", old="no such text", new="")
    with pytest.raises(mutations.StaleMutation, match="0 times"):
        edit.applied(ROOT)
