"""Which storage this installation has, and what is called how in it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from backups.storage.errors import UnknownStorage
from backups.storage.folder import Folder
from backups.storage.interface import Storage

ENTRY = ".json"
KEY = ".sealed"
BASE, WAL = ".base", ".wal"
# Whose keys and copies are no tenant's: those of the whole server.
PLATFORM = UUID(int=0)
_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NAMED = re.compile(rf"({_ID})/(?:keys/)?({_ID})\.[a-z]+")


def chosen() -> Storage:
    """The folder of the data folder, unless BACKUP_STORAGE names another. Raises UnknownStorage."""
    url = urlsplit(settings.BACKUP_STORAGE)
    if not settings.BACKUP_STORAGE:
        return Folder(settings.BULKHEAD_DATA_DIR / "backups")
    if url.scheme == "file" and url.path and not url.netloc:
        return Folder(Path(url.path))
    if url.scheme == "s3":
        # Who keeps archives in a folder need not wait for the library, nor have it in memory.
        from backups.storage import s3

        return s3.bucket(settings.BACKUP_STORAGE, settings.BACKUP_STORAGE_LOGIN)
    raise UnknownStorage(f"It is {url.scheme}://…; we know file:///a/folder and s3://bucket.")


def archive(tenant_id: UUID, backup_id: UUID) -> str:
    """The name of an archive."""
    return f"{tenant_id}/{backup_id}.bulkhead"


def entry(tenant_id: UUID, backup_id: UUID) -> str:
    """The name of what stands beside it."""
    return f"{tenant_id}/{backup_id}{ENTRY}"


def named(name: str) -> tuple[UUID, UUID] | None:
    """Whose an archive, its entry or a key is, and its id; None for what others have put there."""
    found = _NAMED.fullmatch(name)
    return (UUID(found[1]), UUID(found[2])) if found else None


def all_of(tenant_id: UUID) -> str:
    """What the names of all begin with that is a tenant's."""
    return f"{tenant_id}/"


def is_key(name: str) -> bool:
    return name.endswith(KEY)


def keys(tenant_id: UUID) -> str:
    """What the names of a tenant's sealed keys begin with."""
    return f"{tenant_id}/keys/"


def key(tenant_id: UUID, key_id: UUID) -> str:
    return f"{keys(tenant_id)}{key_id}{KEY}"


def base(base_id: UUID) -> str:
    """The name of what counts a copy of the whole server's files; others begin like it."""
    return f"{bases()}{base_id}{BASE}"


def bases() -> str:
    """What the names of all that belongs to such copies begin with."""
    return f"{PLATFORM}/bases/"


def part_of_base(base_id: UUID, part: str) -> str:
    """The name of one of its parts: `tar`, `manifest` or `belongings`."""
    return f"{bases()}{base_id}.{part}"


def wal(file: str) -> str:
    """The name of a file of the server's WAL: its segments, and the histories of timelines."""
    return f"{wals()}{file.lower().replace('.', '-')}{WAL}"


def wals() -> str:
    return f"{PLATFORM}/wal/"
