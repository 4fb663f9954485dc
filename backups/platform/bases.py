"""Copies of the server's files as the storage knows them: what counts is what has its entry."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath
from uuid import UUID

from backups import keys
from backups.archive import signing
from backups.archive.errors import ForeignArchive
from backups.platform.base import Base, by_end
from backups.storage import place
from backups.storage.interface import Storage
from tenants.identifiers import made_at

_LONGEST = 65_536  # bytes of an entry
TAR, MANIFEST, BELONGINGS = "tar", "manifest", "belongings"
_PARTS = (TAR, MANIFEST, BELONGINGS)


def stored(storage: Storage) -> list[Base]:
    """All that count, oldest first. Raises ArchiveUnfit, WrongBackupKey."""
    names = [name for name in storage.names(place.bases()) if name.endswith(place.BASE)]
    return sorted((_read(storage, name) for name in names), key=by_end)


def put(storage: Storage, base: Base) -> None:
    """The entry, last of all."""
    with storage.writing(place.base(base.id)) as sink:
        sink.write(base.signed(keys.of(storage, place.PLATFORM, base.key)))


def remove(storage: Storage, base: Base) -> None:
    """The entry first: what has none does not count. Twice is no error."""
    storage.remove(place.base(base.id))
    for part in _PARTS:
        storage.remove(place.part_of_base(base.id, part))


def broken_off(storage: Storage, *, before: datetime) -> list[str]:
    """The names of parts of copies that were begun before then and have no entry."""
    names = list(storage.names(place.bases()))
    counted = {name.removesuffix(place.BASE) for name in names if name.endswith(place.BASE)}
    return [
        name for name in names if name.rpartition(".")[0] not in counted and _begun(name) < before
    ]


def newest_at(storage: Storage) -> datetime | None:
    """When the newest that counts was begun, by its name alone; None where there is none."""
    names = (name for name in storage.names(place.bases()) if name.endswith(place.BASE))
    return max(map(_begun, names), default=None)


def _begun(name: str) -> datetime:
    return made_at(UUID(PurePosixPath(name).stem))


def _read(storage: Storage, name: str) -> Base:
    with storage.reading(name) as source:
        written = source.read(_LONGEST)
    base = Base.from_bytes(written)
    signing.check(written, keys.of(storage, place.PLATFORM, base.key))
    if name != place.base(base.id):
        raise ForeignArchive
    return base
