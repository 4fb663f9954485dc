"""What compiled migrations are made of: every source file of our rooms, and Django.

A migration's own file is not enough: its walls say what `tenants.rls` says.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from django.apps import apps
from django.conf import settings

_HOUSE = Path(__file__).resolve().parents[2]
_LOADED_AT = time.time()


def digest(server: int) -> str:
    """The same for two processes if they run the same code on the same release of PostgreSQL."""
    packages = [version(name) for name in ("django", "django-tenants")]
    lines = [f"{packages} {server} {settings.TENANT_APPS}"]
    for file in files():
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        lines.append(f"{file.relative_to(_HOUSE)} {content}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def are_as_loaded() -> bool:
    """Whether this process runs what stands in the files: none was replaced since it started."""
    return all(file.stat().st_ctime < _LOADED_AT for file in files())


def files() -> Iterator[Path]:
    """Of every room that has an app, wherever the house stands."""
    rooms = {app.name.partition(".")[0] for app in apps.get_app_configs()}
    for room in sorted(rooms):
        for folder, inner, names in os.walk(_HOUSE / room):
            inner[:] = sorted(name for name in inner if name != "__pycache__")
            yield from (
                Path(folder, name) for name in sorted(names) if name.endswith((".py", ".pyc"))
            )
