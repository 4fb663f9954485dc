"""PostgreSQL's own programs, and what one that failed has said."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from django.conf import settings
from django.utils.module_loading import import_string

from backups.platform.errors import NoPrograms

_LAST_LINES = 8


def path(name: str) -> str:
    """Where a program is. Raises NoPrograms."""
    try:
        found = Path(import_string(settings.POSTGRES_PROGRAM)(name))
    except RuntimeError as fault:
        raise NoPrograms(str(fault)) from fault
    if not found.exists():
        raise NoPrograms(f"There is no {found}.")
    return str(found)


def environment(**more: str) -> dict[str, str]:
    """Little: who runs us may have PG… variables of their own, and has our secrets."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **more}


def run(name: str, *arguments: str) -> str:
    """To its end; gives what it said. Raises NoPrograms, and OSError where it failed."""
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own
        [path(name), *arguments],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OSError(f"{name}: {last_words(done.stderr)}")
    return done.stdout


def last_words(said: str) -> str:
    return "\n".join(said.strip().splitlines()[-_LAST_LINES:])
