"""What may be used where, and how long a module may be; beside the import contracts of pyproject.toml."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from recovery.services import wake
from recovery_portal.celery import app
from tests.architecture.code import ROOT, modules, shown, tree

SOURCES = modules("recovery", "recovery_portal", "sandbox")


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_http_is_spoken_in_the_gateway_only() -> None:
    libraries = {"requests", "urllib3", "httpx", "http.client", "urllib.request", "aiohttp"}
    speakers = {
        shown(path)
        for path in modules("recovery", "recovery_portal")
        if any(name == one or name.startswith(f"{one}.") for name in imported(path) for one in libraries)
    }
    assert speakers == {"recovery/gateway/transport.py"}


def test_nobody_uses_the_unnamed_post_of_the_guide() -> None:
    """`submit_jar` sends no name, so nothing protects it from a second start: people at a shell only."""
    users = {
        shown(path)
        for path in modules("recovery", "recovery_portal")
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Attribute) and node.attr == "submit_jar")
        or (isinstance(node, ast.Name) and node.id == "submit_jar")
        or (isinstance(node, ast.Constant) and node.value == "submit_jar")
    }
    assert users == set()
    gateway = tree(ROOT / "recovery/gateway/livy.py")
    assert any(isinstance(node, ast.FunctionDef) and node.name == "submit_jar" for node in ast.walk(gateway))


def test_p4_only_the_client_posts() -> None:
    """A `Call` is made by the clients alone, and each POST is fresh."""
    makers = set()
    for path in modules("recovery"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Call":
                makers.add(shown(path))
                given = {one.arg: one.value for one in node.keywords}
                if isinstance(given["method"], ast.Constant) and given["method"].value == "POST":
                    assert isinstance(given["fresh"], ast.Constant)
                    assert given["fresh"].value is True
    assert makers == {f"recovery/gateway/{name}.py" for name in ("livy", "webhdfs", "yarn")}


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_no_module_is_longer_than_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


TASKS = {value for name, value in vars(wake).items() if name.isupper() and isinstance(value, str)}


def test_each_task_of_wake_is_registered_and_has_a_queue() -> None:
    """Services wake by name only: a name that nobody registered would be a message that nobody takes."""
    app.loader.import_default_modules()
    own = {name for name in app.tasks if name.startswith("recovery.")}
    assert own == TASKS == set(wake.QUEUES)


def test_each_queue_has_a_worker_in_the_procfile() -> None:
    line = next(line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("worker:"))
    match = re.search(r"-Q ([\w,-]+)", line)
    assert match
    consumed = set(match[1].split(","))
    assert set(wake.QUEUES.values()) | {settings.CELERY_TASK_DEFAULT_QUEUE} <= consumed


def test_beat_sends_what_exists_to_its_queue() -> None:
    app.loader.import_default_modules()
    schedule: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE
    for entry in schedule.values():
        assert entry["task"] in app.tasks
        assert entry["options"]["queue"] == wake.QUEUES[entry["task"]]
