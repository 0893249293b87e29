"""Prove that the state machine of `tests/machine` would see our worst mistakes: make each of them, and run it.

Each mutation is applied to a copy of the tree, never to the tree itself. Prints which assertion caught it, and after
how long; exits with 1 when one survives, or when the machine fails without any. Arguments are names of some of them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("recovery", "recovery_portal", "sandbox", "templates", "tests", "pyproject.toml", "manage.py", ".env.example")
EXAMPLES = os.environ.get("MACHINE_EXAMPLES", "80")
"""More than in every run: some mistakes want a rare moment."""


class StaleMutation(Exception):
    """The code has changed, and the mutation no longer says what it did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """`old` must stand in the file exactly once."""

    file: str
    old: str
    new: str

    def applied(self, root: Path) -> str:
        """The file's text with the edit in it; raises StaleMutation."""
        text = (root / self.file).read_text(encoding="utf-8")
        if (found := text.count(self.old)) != 1:
            raise StaleMutation(f"{self.file} has this {found} times, not once:\n{self.old}")
        return text.replace(self.old, self.new)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutation:
    """One mistake, made of edits."""

    name: str
    breaks: str
    """The rule of protocol.md that it breaks."""
    edits: tuple[Edit, ...]


MUTATIONS = (
    Mutation(
        name="retry-under-a-new-name",
        breaks="N1",
        edits=(
            Edit(
                file="recovery/services/submission.py",
                old="    try:\n        batch = client.create(\n            recovery.sent_payload,\n"
                "            name=recovery.batch_name,\n",
                new='    name = recovery.batch_name + (f"-{recovery.tries}" if recovery.tries > 1 else "")\n'
                "    try:\n        batch = client.create(\n"
                "            recovery.sent_payload.replace(recovery.batch_name, name),\n            name=name,\n",
            ),
        ),
    ),
    Mutation(
        name="trust-the-id",
        breaks="F2",
        edits=(
            Edit(
                file="recovery/services/stopping.py",
                old="    if recovery.app_id and batch.app_id:\n        return recovery.app_id == batch.app_id\n",
                new="",
            ),
        ),
    ),
    Mutation(
        name="delete-a-phantom-at-first-sight",
        breaks="S2",
        edits=(
            Edit(
                file="recovery/services/reconciliation.py",
                old="    elif recovery.answered_try == recovery.fence and not instance.pause_reason():\n",
                new="    elif not instance.pause_reason():\n",
            ),
        ),
    ),
    Mutation(
        name="drop-a-late-201",
        breaks="A6",
        edits=(
            Edit(
                file="recovery/services/submission.py",
                old="            _late(attempt, batch, client, clock)\n",
                new='            log.info("late", recovery=recovery.pk)\n',
            ),
        ),
    ),
    Mutation(
        name="queued-after-a-doubt",
        breaks="A4",
        edits=(
            Edit(
                file="recovery/services/attempts.py",
                old="        State.UNCONFIRMED,\n        kind=kind,\n",
                new="        State.QUEUED,\n        kind=kind,\n",
            ),
            Edit(
                file="recovery/services/attempts.py",
                old='        "may_have_started": True,\n',
                new='        "may_have_started": False,\n',
            ),
        ),
    ),
    Mutation(
        name="post-again-after-60-s-without-a-witness",
        breaks="S3",
        edits=(
            Edit(
                file="recovery/services/reconciliation.py",
                old="    return (recovery.try_ends_at or now) + seconds(settings.RECOVERY_PACING.settle)\n",
                new="    return recovery.try_ends_at or now\n",
            ),
            Edit(
                file="recovery/services/reconciliation.py",
                old="    if since is None:\n        return False\n    return witnesses",
                new="    if since is not None:\n        return True\n    return witnesses",
            ),
        ),
    ),
    Mutation(
        name="no-look-at-the-claim-before-the-first-byte",
        breaks="P2",
        edits=(
            Edit(
                file="recovery/services/attempts.py",
                old="        if self.remaining() <= 0 or not rows.update(post_begun_try=self.fence):\n",
                new="        if not rows.update(post_begun_try=self.fence) and self.fence < 0:\n",
            ),
        ),
    ),
    Mutation(
        name="take-one-of-several-livys-for-all",
        breaks="S4",
        edits=(
            Edit(
                file="recovery/services/witnesses.py",
                old="    if not gateway.single_livy or now - since > seconds(",
                new="    if now - since > seconds(",
            ),
        ),
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One run of the machine."""

    failed: bool
    seconds: float
    words: str


def copied(target: Path) -> None:
    """The tree as it is, without what tools and tests wrote."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target / name)


def run(edits: tuple[Edit, ...]) -> Run:
    """The machine on a copy of the tree with these edits."""
    with tempfile.TemporaryDirectory(prefix="recovery-mutation.") as directory:
        tree = Path(directory) / "tree"
        tree.mkdir()
        copied(tree)
        for edit in edits:
            (tree / edit.file).write_text(edit.applied(tree), encoding="utf-8")
        own = {
            "PORTAL_ENV_FILE": os.devnull,
            "PORTAL_VAR_DIR": str(Path(directory) / "var"),
            "DEBUG": "true",
            "SECRET_KEY": "only-for-tests-on-this-machine",
            "MACHINE_EXAMPLES": EXAMPLES,
            "MACHINE_SHRINK": "false",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [sys.executable, "-m", "pytest", "tests/machine", "-x", "-q", "-p", "no:cacheprovider"]
        before = time.monotonic()
        done = subprocess.run(
            [*command, "-p", "no:randomly"], cwd=tree, env=os.environ | own, capture_output=True, text=True, check=False
        )
        seconds = time.monotonic() - before
    if done.returncode not in (0, 1):  # pytest: 1 is "a test has failed"
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    found = re.search(r"^E +((?:AssertionError|[\w.]+Error|[\w.]+Move): .*)$", done.stdout, re.MULTILINE)
    return Run(failed=done.returncode == 1, seconds=seconds, words=found[1] if found else done.stdout[-300:])


def main(names: list[str]) -> int:
    """Print the table; 1 when a mutation survives."""
    chosen = [mutation for mutation in MUTATIONS if not names or mutation.name in names]
    if unknown := set(names) - {mutation.name for mutation in MUTATIONS}:
        print(f"no such mutation: {', '.join(sorted(unknown))}")
        return 1
    for mutation in chosen:
        for edit in mutation.edits:
            edit.applied(ROOT)  # stale ones are said before anything runs
    good = True
    if not names:
        plain = run(())
        good = not plain.failed
        print(f"{'(none)':42} {plain.seconds:6.0f} s      {'passes' if good else f'FAILS: {plain.words}'}", flush=True)
    for mutation in chosen:
        result = run(mutation.edits)
        verdict = f"caught: {result.words[:160]}" if result.failed else "SURVIVES"
        print(f"{mutation.name:42} {result.seconds:6.0f} s  {mutation.breaks}  {verdict}", flush=True)
        good = good and result.failed
    return int(not good)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
