"""Writes `docs/states.md` from the table of moves (`make states`); `--check` says whether it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from recovery.domain.states import FOLLOWED, MOVES, TERMINAL, State, mermaid  # noqa: E402  # after the path

PAGE = ROOT / "docs" / "states.md"
MEANING = {
    State.AWAITING_APPROVAL: "filed; waits for somebody's approval",
    State.QUEUED: "waits to be submitted; nothing of it runs",
    State.SUBMITTING: "a worker holds it and may be sending it",
    State.UNCONFIRMED: "the POST may or may not have arrived; being settled by name",
    State.STARTING: "Livy holds a batch of its name; not seen running yet",
    State.RUNNING: "Livy said `running`",
    State.SUCCEEDED: "Livy said `success` for our batch, twice",
    State.FAILED: "the job failed, or was stopped from outside",
    State.CANCELLED: "stopped on request, or never sent",
    State.REFUSED: "Livy or the portal's bounds said no; nothing runs",
    State.LOST: "cannot be known (« à vérifier »); a person settles it",
}


def page() -> str:
    """The whole page."""
    rows = [
        f"| `{state}` | {'end' if state in TERMINAL else 'followed' if state in FOLLOWED else 'live'} | "
        f"{MEANING[state]} | {', '.join(f'`{t}`' for t in State if t in MOVES[state]) or '–'} |"
        for state in State
    ]
    return "\n".join(
        [
            "# States of a recovery",
            "",
            "Generated from `recovery/domain/states.py` by `make states`; do not edit. A cancel that was asked for,",
            "and a person's settlement of a lost recovery, stand beside the state and are no states.",
            "",
            "```mermaid",
            mermaid().rstrip(),
            "```",
            "",
            "| state | kind | meaning | may become |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    if "--check" in sys.argv:
        current = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
        sys.exit(None if current == page() else "docs/states.md is not up to date: make states")
    PAGE.write_text(page(), encoding="utf-8")
