"""An archive as it is kept, with what it takes to put it back where it was: one file, sealed.

A tar of the data key, the archive and its entry, by their names in the storage, and in this order:
what was broken off while it is unpacked has no entry, and so does not count. None of it opens
without a master key. It is the same file each time, so that it can be asked for in parts.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
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
class Whole:
    """All of the file but the archive in its midst, which is read when it is given."""

    entry: Entry
    archive: str  # its name in the storage
    before: bytes
    after: bytes

    @property
    def name(self) -> str:
        return f"{self.entry.slug}-{self.entry.taken_at:%Y%m%dT%H%M%SZ}.tar"

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.before) + self.entry.size + len(self.after)

    @property
    def tag(self) -> str:
        """As an ETag. The archive is in it by its digest, which its entry says; a key that was
        sealed anew makes another file."""
        return f'"{sha256(self.before + self.after).hexdigest()[:32]}"'


def whole(storage: Storage, *, tenant_id: UUID, backup_id: UUID) -> Whole:
    """Raises NoBackup, and what the storage raises."""
    written = catalogue.written(storage, tenant_id=tenant_id, backup_id=backup_id)
    entry = Entry.from_bytes(written)
    key_name = place.key(tenant_id, entry.key)
    with catalogue.file(storage, key_name) as source:
        key = read_up_to(source, _LONGEST_KEY)
    archive, beside = place.archive(tenant_id, backup_id), place.entry(tenant_id, backup_id)
    return Whole(
        entry=entry,
        archive=archive,
        before=_head(key_name, len(key), entry) + _padded(key) + _head(archive, entry.size, entry),
        after=_padding(entry.size) + _head(beside, len(written), entry) + _padded(written) + _END,
    )


def parcel(storage: Storage, whole: Whole, part: range | None) -> Parcel:
    """Of the archive it opens what the part needs. Raises NoBackup, and what the storage raises."""
    wanted = range(whole.size) if part is None else part
    begins = len(whole.before)
    inside = range(max(wanted.start - begins, 0), min(wanted.stop - begins, whole.entry.size))
    with ExitStack() as held:
        archive: Iterator[bytes] = iter(())
        if inside:
            file = catalogue.file(storage, whole.archive, start=inside.start)
            source = held.enter_context(file)
            archive = _read(source, len(inside))
        blocks = _blocks(whole, wanted, archive)
        return Parcel(whole.name, blocks, whole.size, held.pop_all(), whole.tag, part)


def _blocks(whole: Whole, wanted: range, archive: Iterator[bytes]) -> Iterator[bytes]:
    ends = whole.size - len(whole.after)
    if wanted.start < len(whole.before):
        yield whole.before[wanted.start : wanted.stop]
    yield from archive
    if wanted.stop > ends:
        yield whole.after[max(wanted.start - ends, 0) : wanted.stop - ends]


def _read(source: Source, left: int) -> Iterator[bytes]:
    """As many bytes as were promised, or an error. Raises ArchiveTorn."""
    while left:
        block = read_up_to(source, min(left, _AT_A_TIME))
        if not block:
            raise ArchiveTorn
        left -= len(block)
        yield block


def _head(name: str, size: int, entry: Entry) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, int(entry.taken_at.timestamp())
    return info.tobuf(tarfile.GNU_FORMAT)  # which knows of files over 8 GiB


def _padded(content: bytes) -> bytes:
    return content + _padding(len(content))


def _padding(size: int) -> bytes:
    """To the next record."""
    return bytes(-size % _RECORD)
