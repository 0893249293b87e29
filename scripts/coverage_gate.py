"""Fail unless each package of `[tool.coverage_gate] full` has every line and every branch covered.

Reads the data of the last `make test` (`.coverage`), where both runs, SQLite and PostgreSQL, are added up.
"""

from __future__ import annotations

import json
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import coverage

ROOT = Path(__file__).resolve().parent.parent


def measured() -> dict[str, Any]:
    """The files of the coverage data with their summaries, as `coverage json` has them."""
    data = coverage.Coverage(data_file=str(ROOT / ".coverage"), config_file=str(ROOT / "pyproject.toml"))
    data.load()
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "coverage.json"
        data.json_report(outfile=str(out))
        files: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))["files"]
    return files


def gaps(files: dict[str, Any], package: str) -> list[str]:
    """What is not covered in `package`, a line for each file; a package that was not measured is a gap."""
    own = {name: file for name, file in files.items() if Path(name).is_relative_to(package)}
    if not own:
        return [f"{package}: no file of it was measured"]
    found = []
    for name, file in sorted(own.items()):
        lines = ", ".join(str(line) for line in file["missing_lines"])
        branches = ", ".join(f"{start}->{'exit' if end < 0 else end}" for start, end in file["missing_branches"])
        if lines or branches:
            found.append(f"{name}: lines [{lines}] branches [{branches}]")
    return found


def main() -> int:
    """Print one line for each package, and each gap; 1 when there is one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    files = measured()
    failed = False
    for package in project["tool"]["coverage_gate"]["full"]:
        missing = gaps(files, package)
        failed = failed or bool(missing)
        print(f"coverage gate: {package} {'is not at 100 %' if missing else '100 %'}")
        for line in missing:
            print(f"  {line}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
