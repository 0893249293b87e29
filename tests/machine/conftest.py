"""How far the machine looks. `MACHINE_EXAMPLES=3000 MACHINE_FIRST=1000 pytest tests/machine` looks elsewhere and
longer; without them each run looks at the same examples."""

from __future__ import annotations

import os

from django.conf import settings as django
from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "32"))
STEPS = int(os.environ.get("MACHINE_STEPS", "30"))
FIRST = int(os.environ.get("MACHINE_FIRST", "0" if "sqlite" in django.DATABASES["default"]["ENGINE"] else "100"))
"""Number of the first example; each number has its own. `make test` plays others on PostgreSQL than on SQLite."""
SHRINK = os.environ.get("MACHINE_SHRINK", "true") == "true"
"""Make a failing example small; takes up to five minutes."""
BLOCKS = 4
"""For several processes (`-n`)."""

ONE_EXAMPLE = settings(
    max_examples=1,
    stateful_step_count=STEPS,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if SHRINK else [])],
)
"""Hypothesis makes five of six examples by varying one that it has; a seed for each makes all of them new."""
