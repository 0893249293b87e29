"""Two rules for the files of the repository: no module over 400 lines, and nothing of one machine in them.

A module that long is two things. A path of somebody's home directory, the host of a package registry or a private
key in a tracked file works on one machine, or should be on none.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 400
# Absolute only: `$STATE/work/` and `"$STATE"/work/` are relative to a variable.
HOME_PATH = re.compile(r"""(?<![\w$}*.)\]-])(?<!\w["'])/(?:root|work|farm|home/\w[\w.-]*|Users/\w[\w.-]*)/""")
RULES = {
    "a machine's path": HOME_PATH,
    "a package registry's host": re.compile(
        r"pypi\.org|pythonhosted\.org|registry\.npmjs\.org|repo1?\.maven(?:\.apache)?\.org|deb\.debian\.org"
    ),
    "an index of one machine": re.compile(r"^--(?:index-url|extra-index-url|find-links)\b"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
}
OWN = "scripts/check_tree.py"  # it names the patterns


def files() -> list[str]:
    """Tracked files, and new ones that are not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted({name for name in listed.split("\0") if name and (ROOT / name).is_file()})


def text_of(name: str) -> str | None:
    """The file's text; None for a binary one."""
    data = (ROOT / name).read_bytes()
    return None if b"\0" in data else data.decode("utf-8", errors="replace")


def too_long(name: str, text: str) -> list[str]:
    """Tests and generated migrations may be long."""
    parts = Path(name).parts
    if not name.endswith(".py") or parts[0] in {"tests", "stack"} or "migrations" in parts:
        return []
    lines = text.count("\n")
    return [f"{name}: {lines} lines, at most {MAX_LINES}: which two things is it?"] if lines > MAX_LINES else []


def leaks(name: str, text: str) -> list[str]:
    """Each line that holds something of one machine."""
    if name == OWN:
        return []
    return [
        f"{name}:{number}: {what}: {line.strip()[:120]}"
        for number, line in enumerate(text.splitlines(), start=1)
        for what, rule in RULES.items()
        if rule.search(line)
    ]


def main() -> int:
    """Print what is wrong; 1 when something is."""
    problems: list[str] = []
    for name in files():
        text = text_of(name)
        if text is not None:
            problems += too_long(name, text) + leaks(name, text)
    for problem in problems:
        print(problem)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
