"""An archive as it is kept, with what it takes to put it back where it was: one file, sealed.

A tar of the data key, the archive and its entry, by their names in the storage, and in this order:
what was broken off while it is unpacked has no entry, and so does not count. None of it opens
without a master key.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import UUID

from backups import catalogue
from backups.archive.entry import Entry
from backups.archive.errors import ArchiveTorn
from backups.archive.streams import Source, read_up_to
from backups.storage import place
from backups.storage.interface import Storage
from backups.takeout.parcel import Parcel

_AT_A_TIME = 262_144  # bytes
_RECORD = tarfile.BLOCKSIZE
_END = bytes(2 * _RECORD)
_LONGEST_KEY = 4_096  # bytes


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    size: int
    source: Source | bytes


def parcel(storage: Storage, *, tenant_id: UUID, backup_id: UUID) -> Parcel:
    """Raises NoBackup, and what the storage raises."""
    with ExitStack() as held:
        written = catalogue.written(storage, tenant_id=tenant_id, backup_id=backup_id)
        entry = Entry.from_bytes(written)
        key_name = place.key(tenant_id, entry.key)
        key = read_up_to(held.enter_context(catalogue.file(storage, key_name)), _LONGEST_KEY)
        archive_name = place.archive(tenant_id, backup_id)
        archive = held.enter_context(catalogue.file(storage, archive_name))
        members = (
            _Member(key_name, len(key), key),
            _Member(archive_name, entry.size, archive),
            _Member(place.entry(tenant_id, backup_id), len(written), written),
        )
        size = sum(_RECORD + _padded(member.size) for member in members) + len(_END)
        name = f"{entry.slug}-{entry.taken_at:%Y%m%dT%H%M%SZ}.tar"
        return Parcel(name, _tar(members, entry), size, held.pop_all())


def _tar(members: tuple[_Member, ...], entry: Entry) -> Iterator[bytes]:
    for member in members:
        info = tarfile.TarInfo(member.name)
        info.size, info.mode, info.mtime = member.size, 0o600, int(entry.taken_at.timestamp())
        yield info.tobuf(tarfile.GNU_FORMAT)  # which knows of files over 8 GiB
        yield from [member.source] if isinstance(member.source, bytes) else _read(member)
        yield bytes(_padded(member.size) - member.size)
    yield _END


def _read(member: _Member) -> Iterator[bytes]:
    """As many bytes as were promised, or an error. Raises ArchiveTorn."""
    left = member.size
    while left:
        block = read_up_to(member.source, min(left, _AT_A_TIME))  # type: ignore[arg-type]  # a file
        if not block:
            raise ArchiveTorn
        left -= len(block)
        yield block


def _padded(size: int) -> int:
    return -(-size // _RECORD) * _RECORD
