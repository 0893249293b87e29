"""The French and English catalogues are complete, current and compiled; `--update` extracts and compiles them.

Every text of the code is in each catalogue, and no other; none is fuzzy; a translation has the placeholders of its
text; the compiled `.mo`, which is committed because a fresh machine has no gettext, says what the `.po` says. The texts
in the code are English: an English entry may be left empty.

`django.po` is extracted from the code. `vendor.po` beside it holds, by hand, texts of libraries that ship no French
(unfold); both are compiled into one `django.mo`.
"""

from __future__ import annotations

import ast
import gettext
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("fr", "en")
SOURCE_LANGUAGE = "en"
SOURCES = ("recovery", "recovery_portal", "templates", "locale", "manage.py")
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}")
LINE = re.compile(r'(?:(msgctxt|msgid_plural|msgid|msgstr)(?:\[(\d+)\])?\s+)?(".*")$')


@dataclass(kw_only=True, slots=True)
class Entry:
    """One text of a catalogue."""

    line: int
    fuzzy: bool = False
    parts: dict[str, str] = field(default_factory=dict)  # msgctxt, msgid, msgid_plural
    forms: dict[int, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it one text: context, text, plural."""
        return self.parts.get("msgctxt", ""), self.parts.get("msgid", ""), self.parts.get("msgid_plural", "")


def entries(path: Path) -> Iterator[Entry]:
    """The entries of a `.po` file, without the header and the obsolete ones."""
    for number, block in blocks(path.read_text(encoding="utf-8")):
        entry = Entry(line=number)
        current: tuple[str, int] = ("", 0)
        for line in block:
            if line.startswith("#"):
                entry.fuzzy = entry.fuzzy or (line.startswith("#,") and "fuzzy" in line)
                continue
            match = LINE.match(line.strip())
            if match is None:
                raise SystemExit(f"{path.relative_to(ROOT)}:{number}: not understood: {line}")
            keyword, index, quoted = match.groups()
            if keyword:
                current = (keyword, int(index or 0))
            text = str(ast.literal_eval(quoted))
            if current[0] == "msgstr":
                entry.forms[current[1]] = entry.forms.get(current[1], "") + text
            else:
                entry.parts[current[0]] = entry.parts.get(current[0], "") + text
        if entry.parts.get("msgid"):
            yield entry


def blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Paragraphs with the number of their first line, obsolete lines (`#~`) left out."""
    block: list[str] = []
    start = 1
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        if line.strip() and not line.startswith("#~"):
            if not block:
                start = number
            block.append(line)
        elif block:
            yield start, block
            block = []


def catalogues(root: Path, name: str = "*.po") -> dict[str, Path]:
    """Every `.po` file of the project by its path below the root."""
    found = [
        path
        for top in (root / "locale", root / "recovery" / "locale", root / "recovery_portal" / "locale")
        for path in top.glob(f"*/LC_MESSAGES/{name}")
    ]
    return {str(path.relative_to(root)): path for path in sorted(found)}


def shown(entry: Entry) -> str:
    """The text, short, for a message."""
    text = entry.parts["msgid"].replace("\n", " ")
    return repr(text if len(text) <= 70 else text[:69] + "…")


def entry_problems(entry: Entry, language: str) -> Iterator[str]:
    """What is wrong with one translation."""
    if entry.fuzzy:
        yield f"fuzzy: {shown(entry)}"
    forms = list(entry.forms.values())
    if not all(forms):
        if language != SOURCE_LANGUAGE:
            yield f"not translated: {shown(entry)}"
        return
    allowed = {*PLACEHOLDER.findall(entry.parts["msgid"]), *PLACEHOLDER.findall(entry.parts.get("msgid_plural", ""))}
    for form in forms:
        extra = set(PLACEHOLDER.findall(form)) - allowed
        lost = allowed - set(PLACEHOLDER.findall(form)) if "msgid_plural" not in entry.parts else set()
        if extra or lost:
            yield f"placeholders differ ({', '.join(sorted(extra | lost))}): {shown(entry)}"


def compiled_problems(path: Path, own: list[Entry]) -> Iterator[str]:
    """Where the `.mo` beside `path` does not say what the `.po` says."""
    compiled = path.with_name("django.mo")
    if not compiled.is_file():
        yield "not compiled"
        return
    with compiled.open("rb") as stream:
        catalogue = gettext.GNUTranslations(stream)
    for entry in own:
        context, text, plural = entry.key
        if plural or not entry.forms.get(0):
            continue
        got = catalogue.pgettext(context, text) if context else catalogue.gettext(text)
        if got != entry.forms[0]:
            yield f"the compiled file is older: {shown(entry)}"
            return


def manage(directory: Path, *arguments: str) -> None:
    """A command of the project, with the settings of the checkout or copy in `directory`."""
    command = [sys.executable, "manage.py", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(directory)}
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"manage.py {' '.join(arguments)}:\n{done.stdout}{done.stderr}")


def extract(directory: Path) -> None:
    """Bring the catalogues in `directory` up to the texts of the code."""
    languages = [f"--locale={language}" for language in LANGUAGES]
    manage(directory, "makemessages", *languages, "--no-obsolete", "--no-wrap", "--add-location=file")


def current_problems(root: Path) -> Iterator[str]:
    """Texts of the code that a catalogue does not have, and the reverse; found in a copy."""
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "project"
        copy.mkdir()
        for name in SOURCES:
            if (root / name).is_dir():
                shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
            elif (root / name).is_file():
                shutil.copy2(root / name, copy / name)
        extract(copy)
        before, after = catalogues(root, "django.po"), catalogues(copy, "django.po")
        for name in sorted({*before, *after}):
            old = {entry.key: entry for entry in entries(before[name])} if name in before else {}
            new = {entry.key: entry for entry in entries(after[name])} if name in after else {}
            for key in new.keys() - old.keys():
                yield f"{name}: not in the catalogue: {shown(new[key])}"
            for key in old.keys() - new.keys():
                yield f"{name}:{old[key].line}: no longer in the code: {shown(old[key])}"


def check() -> list[str]:
    """Everything that is wrong."""
    found = catalogues(ROOT)
    problems = [] if found else ["no catalogue found: make messages"]
    for name, path in found.items():
        own = list(entries(path))
        language = path.parent.parent.name
        problems += [f"{name}:{entry.line}: {what}" for entry in own for what in entry_problems(entry, language)]
        problems += [f"{name}: {what}" for what in compiled_problems(path, own)]
    if shutil.which("xgettext"):
        problems += current_problems(ROOT)
    else:
        print("not run: are all texts of the code in the catalogues (no xgettext found; Debian package gettext)")
        if os.environ.get("CI") == "true":
            problems.append("with CI=true everything has to run")
    return problems


def update() -> None:
    """Extract and compile in place."""
    if not shutil.which("msgfmt"):
        raise SystemExit("gettext is needed (Debian package gettext)")
    extract(ROOT)
    for directory in sorted({path.parent for path in catalogues(ROOT).values()}):
        parts = [str(path) for path in sorted(directory.glob("*.po"))]  # django.po before vendor.po
        merged = subprocess.run(["msgcat", "--use-first", *parts], check=True, capture_output=True).stdout
        command = ["msgfmt", "--check-format", "-o", str(directory / "django.mo"), "-"]
        subprocess.run(command, check=True, input=merged)


def main() -> int:
    """Print what is wrong; 1 when something is. `--update` extracts and compiles first, and only reports the rest."""
    updating = "--update" in sys.argv[1:]
    if updating:
        update()
    problems = check()
    for problem in problems:
        print(problem)
    if problems:
        print("`make messages` extracts and compiles; the translations are yours to write")
    return int(bool(problems) and not updating)


if __name__ == "__main__":
    sys.exit(main())
