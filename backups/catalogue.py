"""Archives as the storage knows them: what counts is what has its entry beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from backups import keys
from backups.archive import entry as entries
from backups.archive.entry import Entry
from backups.archive.errors import ForeignArchive
from backups.archive.header import Header, read_header
from backups.archive.keys import DataKey, LentKey
from backups.archive.manifest import Manifest
from backups.archive.reading import ArchiveReader, verified
from backups.archive.streams import Source, read_up_to
from backups.errors import NoBackup
from backups.storage import place
from backups.storage.errors import NotStored
from backups.storage.interface import Storage

_LONGEST = 65_536  # bytes of an entry


def stored(storage: Storage) -> Iterator[Entry]:
    """Every archive that counts, as its entry says. Raises ArchiveUnfit, WrongBackupKey."""
    for name in storage.names(""):
        if name.endswith(place.ENTRY):
            yield _read(storage, name)


def find(storage: Storage, backup_id: UUID) -> Entry:
    """One by its id alone, for when the database is gone. Raises NoBackup, and as `stored`."""
    for name in storage.names(""):
        if name.endswith(f"/{backup_id}{place.ENTRY}"):
            return _read(storage, name)
    raise NoBackup


def of(storage: Storage, *, tenant_id: UUID, backup_id: UUID) -> Entry:
    """One of a tenant's. Raises NoBackup, and as `stored`."""
    try:
        return _read(storage, place.entry(tenant_id, backup_id))
    except NotStored as fault:
        raise NoBackup from fault


def written(storage: Storage, *, tenant_id: UUID, backup_id: UUID) -> bytes:
    """The entry as it stands there: for who hands it on, and has no key to check it by.

    Raises NoBackup.
    """
    with file(storage, place.entry(tenant_id, backup_id)) as source:
        return read_up_to(source, _LONGEST)


@contextmanager
def file(storage: Storage, name: str) -> Iterator[Source]:
    """What is kept under a name, as it is. Raises NoBackup."""
    try:
        with storage.reading(name) as source:
            yield source
    except NotStored as fault:
        raise NoBackup("Its archive is not in the storage any more.") from fault


@contextmanager
def reading(storage: Storage, entry: Entry) -> Iterator[ArchiveReader]:
    """The archive, opened. Raises NoBackup, ArchiveUnfit, WrongBackupKey."""
    with file(storage, place.archive(entry.tenant, entry.backup)) as source:
        yield ArchiveReader(source, _opening(storage, entry))


def check(storage: Storage, entry: Entry) -> Manifest:
    """Read the whole archive; gives what it says of itself. Raises as `reading`."""
    with file(storage, place.archive(entry.tenant, entry.backup)) as source:
        return verified(source, _opening(storage, entry))


def lent_key(storage: Storage, entry: Entry) -> LentKey:
    """What opens this archive and no other, once all of it has been read. Raises as `reading`."""
    with file(storage, place.archive(entry.tenant, entry.backup)) as source:
        header = read_header(source)
    key = _opening(storage, entry)(header)
    check(storage, entry)
    return LentKey(key.of_archive(header))


def remove(storage: Storage, *, tenant_id: UUID, backup_id: UUID) -> None:
    """The entry first: an archive without one does not count. Twice is no error."""
    storage.remove(place.entry(tenant_id, backup_id))
    storage.remove(place.archive(tenant_id, backup_id))


def _opening(storage: Storage, entry: Entry) -> Callable[[Header], DataKey]:
    """What finds the archive's key, if the archive is the one that the entry is of."""

    def key_of(header: Header) -> DataKey:
        if (header.tenant, header.backup) != (entry.tenant, entry.backup):
            raise ForeignArchive
        return keys.of(storage, entry.tenant, header.key)

    return key_of


def _read(storage: Storage, name: str) -> Entry:
    with storage.reading(name) as source:
        written = read_up_to(source, _LONGEST)
    entry = Entry.from_bytes(written)
    entries.check(written, keys.of(storage, entry.tenant, entry.key))
    if name != place.entry(entry.tenant, entry.backup):
        raise NoBackup("It stands beside another archive than its own.")
    return entry
