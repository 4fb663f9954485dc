"""What an installation is besides its database: its secrets, and its files.

They are needed to bring it back on another machine, where there is nothing but the storage and the
master key; and like all that is in the storage, they are sealed.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from pathlib import Path
from typing import IO, cast

from django.conf import settings

from backups.archive.streams import Sink, Source
from backups.platform import unpacking

ENVIRONMENT = "environment.json"
# Of whoever takes the copy; the master keys are not among them.
_VARIABLES = (
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "TENANT_TICKET_SECRET",
    "SEALING_KEYS",
    "METRICS_TOKEN",
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "DATABASE_BACKUP_URL",
    "REDIS_URL",
)
# Of the data folder: what the embedded servers were made with, and what people uploaded.
_SECRETS = "secrets.json"
_IN_DATA_FOLDER = (_SECRETS, "demo.json", "files")


def pack(sink: Sink) -> None:
    """A tar of them all."""
    with tarfile.open(fileobj=cast("IO[bytes]", sink), mode="w|") as tar:
        _add(tar, ENVIRONMENT, json.dumps(_environment(), indent=2).encode())
        for name in _IN_DATA_FOLDER:
            path = settings.BULKHEAD_DATA_DIR / name
            if path.exists():
                tar.add(path, arcname=name)


def unpack(source: Source, room: Path, folder: Path) -> None:
    """Into a folder, for its user alone, in the place of what is called so there; by way of a room
    on the same disk."""
    aside = room / "belongings"
    aside.mkdir(mode=0o700)
    unpacking.extract(source, aside)
    _keep_master_keys(aside / _SECRETS)
    for path in aside.iterdir():
        there = folder / path.name
        if there.is_dir():
            shutil.rmtree(there)
        path.rename(there)


def _keep_master_keys(path: Path) -> None:
    """Of a copy from before they changed come those of then: what has opened it is needed now."""
    if path.exists():
        said = json.loads(path.read_text())
        said["BACKUP_KEYS"] = ",".join(settings.BACKUP_KEYS)
        path.write_text(json.dumps(said, indent=2))


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _VARIABLES if os.environ.get(name)}


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    about = tarfile.TarInfo(name)
    about.size, about.mode = len(content), 0o600
    tar.addfile(about, io.BytesIO(content))
