"""`python -m chaos`: the plan, the run, the verdict, and how to have it again. Exit code 1 when a promise is broken."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryFile
from types import FrameType
from typing import Final

from chaos.checker import Violation, cases, check
from chaos.evidence import Evidence
from chaos.plan import make_plan
from chaos.run import Result, Run
from chaos.site import CannotStart, Site, clean_folder

SETUPS: Final = ("sqlite", "postgres")
LISTED: Final = Path(__file__).with_name("seeds.txt")


def say(text: str) -> None:
    """A line for the person at the terminal."""
    print(text, flush=True)


def listed() -> list[tuple[str, int, int]]:
    """Set-up, seed and number of recoveries of each line of `seeds.txt`."""
    lines = (line.partition("#")[0].split() for line in LISTED.read_text(encoding="utf-8").splitlines())
    return [(words[0], int(words[1]), int(words[2])) for words in lines if words]


def all_listed() -> bool:
    """The runs of `seeds.txt`, all at once, each in a process of its own: most of their time they wait. What each says
    is printed when all have ended. True when every promise held in every run."""
    children: list[subprocess.Popen[bytes]] = []
    with ExitStack() as files:
        said = [files.enter_context(TemporaryFile()) for _run in listed()]
        try:
            for (setup, seed, recoveries), out in zip(listed(), said, strict=True):
                words = ("--setup", setup, "--seed", str(seed), "--recoveries", str(recoveries))
                children.append(subprocess.Popen([sys.executable, "-m", "chaos", *words], stdout=out, stderr=out))
            ends = [child.wait() for child in children]
        finally:
            for child in children:
                child.terminate()  # no effect on one that has ended
            for child in children:
                child.wait()
        for out in said:
            out.seek(0)
            say(out.read().decode(errors="replace").rstrip())
        return not any(ends)


def one(setup: str, seed: int, recoveries: int, *, keep: bool = False) -> bool:
    """One run; True when every promise held."""
    plan = make_plan(setup=setup, seed=seed, recoveries=recoveries)
    say(plan.describe())
    folder = clean_folder(setup, seed)
    (folder / "plan.txt").write_text("\n".join(str(step) for step in plan.steps) + "\n", encoding="utf-8")
    began = time.monotonic()
    site = Site(folder, setup)
    try:
        result = Run(plan, site, say).play(site.open())
    finally:
        site.close()
    (folder / "evidence.json").write_text(json.dumps(dump(result.evidence), indent=1), encoding="utf-8")
    violations = check(result.evidence)
    violations += [Violation(rule="an answer of the API", subject="people", words=text) for text in result.complaints]
    tell(result, violations, time.monotonic() - began)
    say(f"  again: make chaos SETUP={setup} SEED={seed} RECOVERIES={recoveries}")
    if violations:
        say(f"  kept: {folder}")
    elif not keep:
        shutil.rmtree(folder)
    return not violations


def tell(result: Result, violations: list[Violation], seconds: float) -> None:
    """The verdict, for people."""
    evidence = result.evidence
    ends = Counter(f"{row.state} ({row.outcome})" if row.outcome else row.state for row in evidence.rows)
    kinds = Counter(event.kind for event in evidence.events)
    say("  " + ", ".join(f"{number} {end}" for end, number in ends.most_common()))
    say("  events: " + ", ".join(f"{kind} {number}" for kind, number in kinds.most_common()))
    excused = [case.subject for case in cases(evidence) if len(case.batches) > 1]
    for note in [*result.notes, *(f"two batches, and excused: {subject}" for subject in excused if not violations)]:
        say(f"  {note}")
    for violation in violations:
        say(f"  VIOLATION {violation}")
    started = len(evidence.batches)
    say(
        f"chaos: {'FAILED' if violations else 'passed'} in {seconds:.0f} s: {len(evidence.rows)} recoveries, "
        f"{started} batches, {len(violations)} violations"
    )


def dump(evidence: Evidence) -> dict[str, object]:
    """The evidence as JSON."""
    whole = asdict(evidence)
    return whole | {"lies": sorted(evidence.lies), "late_bytes": sorted(evidence.late_bytes)}


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every promise held in every run."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--setup", choices=(*SETUPS, "both"), default="both")
    parser.add_argument("--seed", type=int, default=None, help="default: from the clock")
    parser.add_argument("--recoveries", type=int, default=200)
    parser.add_argument("--listed", action="store_true", help="the runs of chaos/seeds.txt instead")
    parser.add_argument("--plan", action="store_true", help="only print the plan")
    parser.add_argument("--keep", action="store_true", help="keep the folder of a run that passed")
    options = parser.parse_args(arguments)
    seed = int(time.time()) % 1_000_000 if options.seed is None else options.seed
    setups = SETUPS if options.setup == "both" else (options.setup,)
    runs = listed() if options.listed else [(setup, seed, options.recoveries) for setup in setups]
    if options.plan:
        for setup, number, recoveries in runs:
            plan = make_plan(setup=setup, seed=number, recoveries=recoveries)
            say("\n".join([plan.describe(), "", *(str(step) for step in plan.steps)]))
        return 0

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    if options.listed:
        return 0 if all_listed() else 1
    try:
        outcomes = [one(*run, keep=options.keep) for run in runs]
    except CannotStart as error:
        say(f"chaos: {error}")
        return 2
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
