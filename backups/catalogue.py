"""Archives as the storage knows them: what counts is what has its entry beside it."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from uuid import UUID

from backups import keys
from backups.archive import entry as entries
from backups.archive.entry import Entry
from backups.archive.errors import ArchiveAltered, ArchiveUnfit, ForeignArchive
from backups.archive.header import Header, read_header
from backups.archive.keys import DataKey, LentKey
from backups.archive.manifest import Manifest
from backups.archive.reading import ArchiveReader, verified
from backups.archive.streams import Source, read_up_to
from backups.errors import NoBackup, WrongBackupKey
from backups.storage import place
from backups.storage.errors import NotStored
from backups.storage.interface import Storage

# What is wrong with an archive, and not with where we look from.
UNFIT = (ArchiveUnfit, WrongBackupKey, NoBackup, NotStored)
_LONGEST = 65_536  # bytes of an entry


def unknown(storage: Storage, known: Container[UUID]) -> Iterator[str]:
    """The names of entries beside archives that somebody does not know of yet."""
    for name in storage.names(""):
        ids = place.named(name)
        if name.endswith(place.ENTRY) and ids and ids[1] not in known:
            yield name


def read(storage: Storage, name: str) -> Entry:
    """An entry by its name in the storage. Raises NotStored, NoBackup for one that was put beside
    another archive, ArchiveUnfit, WrongBackupKey."""
    with storage.reading(name) as source:
        written = read_up_to(source, _LONGEST)
    entry = Entry.from_bytes(written)
    entries.check(written, keys.of(storage, entry.tenant, entry.key))
    if name != place.entry(entry.tenant, entry.backup):
        raise NoBackup("It stands beside another archive than its own.")
    return entry


def find(storage: Storage, backup_id: UUID) -> Entry:
    """One by its id alone, for when the database is gone. Raises NoBackup, and as `read`."""
    for name in storage.names(""):
        if name.endswith(f"/{backup_id}{place.ENTRY}"):
            return read(storage, name)
    raise NoBackup


def of(storage: Storage, *, tenant_id: UUID, backup_id: UUID) -> Entry:
    """One of a tenant's. Raises NoBackup, and as `read`."""
    try:
        return read(storage, place.entry(tenant_id, backup_id))
    except NotStored as fault:
        raise NoBackup from fault


def written(storage: Storage, *, tenant_id: UUID, backup_id: UUID) -> bytes:
    """The entry as it stands there: for who hands it on, and has no key to check it by.

    Raises NoBackup.
    """
    with file(storage, place.entry(tenant_id, backup_id)) as source:
        return read_up_to(source, _LONGEST)


@contextmanager
def file(storage: Storage, name: str, *, start: int = 0) -> Iterator[Source]:
    """What is kept under a name, as it is, from that byte on. Raises NoBackup."""
    try:
        with storage.reading(name, start=start) as source:
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
        manifest = verified(source, _opening(storage, entry))
    check_entry(entry, manifest)
    return manifest


def check_entry(entry: Entry, manifest: Manifest) -> None:
    """That it is of this archive. Raises ArchiveAltered."""
    if (manifest.rows, manifest.origin.at) != (entry.rows, entry.taken_at):
        raise ArchiveAltered("It does not hold what stands beside it.")


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
