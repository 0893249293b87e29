"""`python -m chaos.worker …`: `celery -A recovery_portal worker …` that can be told to die at a named point."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django

from chaos import points


def main(arguments: list[str]) -> None:
    """Wrap, then be the `celery` program, exit code included. The pool is forked from here, so its children are
    wrapped too."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recovery_portal.settings")
    from celery.__main__ import main as celery

    django.setup()
    points.install(points.Orders(Path(os.environ[points.FOLDER])))
    sys.argv = ["celery", "-A", "recovery_portal", "worker", *arguments]
    celery()


if __name__ == "__main__":
    main(sys.argv[1:])
