"""What the papers name exists: make targets, management commands, settings, linked files.

Settings are those of tables whose first column is headed "variable": each is in `.env.example`, and each variable of
`.env.example` stands in one of these tables. `docs/reference/` is quoted material: only its links are checked.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
MAKE = re.compile(r"\bmake((?:[ \t]+[A-Za-z_][\w-]*(?:=(?:\"[^\"]*\"|'[^']*'|\S*))?)+)")
TARGET = re.compile(r"^([a-z][a-z0-9-]*):", re.MULTILINE)
COMMAND = re.compile(r"\bmanage\.py[ \t]+([a-z_][a-z0-9_]*)")
LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
SETTING = re.compile(r"`([A-Z][A-Z0-9_]+)(?:=[^`]*)?`")
ASSIGNED = re.compile(r"^#?\s?([A-Z][A-Z0-9_]+)=", re.MULTILINE)
SETTING_HEADS = frozenset({"variable", "variables", "setting", "settings"})


def papers() -> list[Path]:
    """Every Markdown file of the project."""
    top = [path for path in ROOT.glob("*.md") if path.is_file()]
    below = [path for name in ("docs", "stack", "bench", "sandbox") for path in (ROOT / name).rglob("*.md")]
    return sorted(path for path in [*top, *below] if not _hidden(path.relative_to(ROOT)))


def _hidden(path: Path) -> bool:
    """In a directory that begins with a dot: an environment and its packages."""
    return any(part.startswith(".") for part in path.parts)


def quoted(path: Path) -> bool:
    """Is it material that others wrote?"""
    return path.is_relative_to(ROOT / "docs" / "reference")


def code_of(text: str) -> str:
    """Only the code spans and blocks, where `make` is a command and not a verb; comments of shell blocks left out."""
    return "\n".join(re.sub(r"(?m)(^|\s)#.*$", "", block) for block in CODE.findall(text))


def unknown_targets(text: str, targets: set[str]) -> Iterator[str]:
    """Targets that the Makefile does not have."""
    for words in MAKE.findall(code_of(text)):
        for word in re.findall(r"(?<!\S)([a-z][\w-]*)(?!\S|=)", words):
            if word not in targets:
                yield f"make {word}: no such target"


def unknown_commands(text: str, commands: set[str]) -> Iterator[str]:
    """Management commands that Django does not find."""
    for command in COMMAND.findall(code_of(text)):
        if command not in commands:
            yield f"manage.py {command}: no such command"


def broken_links(path: Path, text: str) -> Iterator[str]:
    """Relative links to files that are not there."""
    for target in LINK.findall(re.sub(CODE, "", text)):
        name = target.split("#", 1)[0]
        if name and "://" not in target and not target.startswith("mailto:") and not (path.parent / name).exists():
            yield f"{target}: no such file"


def table_settings(text: str) -> set[str]:
    """The variables of the settings tables."""
    found: set[str] = set()
    inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.lstrip().startswith("|"):
            inside = False
        elif cells[0].lower().strip("*") in SETTING_HEADS:
            inside = True
        elif inside:
            found.update(SETTING.findall(cells[0]))
    return found


def example_settings() -> set[str]:
    """The variables of `.env.example`, those in its commented blocks too."""
    path = ROOT / ".env.example"
    return set(ASSIGNED.findall(path.read_text(encoding="utf-8"))) if path.is_file() else set()


def management_commands() -> set[str]:
    """What `manage.py help` lists."""
    import os

    import django
    from django.core.management import get_commands

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recovery_portal.settings")
    django.setup()
    return set(get_commands())


def problems() -> Iterator[str]:
    """Everything that is wrong."""
    targets = set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    commands = management_commands()
    documented: dict[str, str] = {}
    for path in papers():
        name = str(path.relative_to(ROOT))
        text = path.read_text(encoding="utf-8")
        yield from (f"{name}: {what}" for what in broken_links(path, text))
        if quoted(path):
            continue
        yield from (f"{name}: {what}" for what in unknown_targets(text, targets))
        yield from (f"{name}: {what}" for what in unknown_commands(text, commands))
        documented |= dict.fromkeys(table_settings(text), name)
    example = example_settings()
    for setting in sorted(documented.keys() - example):
        yield f"{documented[setting]}: {setting} is not in .env.example"
    for setting in sorted(example - documented.keys()):
        yield f".env.example: {setting} stands in no settings table of README.md or docs/"


def main() -> int:
    """Print what is wrong; 1 when something is."""
    found = list(problems())
    for problem in found:
        print(problem)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
