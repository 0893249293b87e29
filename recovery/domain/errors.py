"""What can be wrong with an input, as values: a field, a code, and the parameters of the sentence.

The sentences themselves live in `recovery/wording.py`, because they are translated and the domain knows no Django.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong with one field of the input."""

    field: str
    """camelCase name as in the API and in Livy (`jarPath`, `driverMemory`, `conf`)."""
    code: str
    """Stable word for the rule that was broken; `recovery/wording.py` has a sentence for each."""
    params: Mapping[str, object] = attribute(default_factory=lambda: MappingProxyType({}))


class InvalidInput(ValueError):
    """The request cannot be filed as it is; `problems` says why, field by field."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.field}: {p.code} {dict(p.params)}" for p in self.problems))
