"""One file of the server's in the storage: compressed, sealed, and no other than its name says.

The same construction as a tenant's archive (`backups/archive`), under a key of the platform's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import IO, cast
from uuid import UUID

import zstandard

from backups import keys
from backups.archive import keys as derived
from backups.archive.chunks import CHUNK, Opener, Sealer
from backups.archive.errors import ArchiveAltered, ArchiveUnfit, ForeignArchive, NoArchive
from backups.archive.framing import framed, read_framed
from backups.archive.reading import unpacking
from backups.archive.streams import Measured, Source
from backups.storage.interface import Storage
from backups.storage.place import PLATFORM

_MAGIC = b"bulkhead file 1\n"
_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Head:
    """Stands in the clear; the file's key is derived from these very bytes."""

    name: str
    key: UUID
    salt: str

    def to_bytes(self) -> bytes:
        return framed(_MAGIC, json.dumps({**asdict(self), "key": str(self.key)}).encode())


class Sealing:
    """A sink on the way to the storage; what has passed is known at the end."""

    def __init__(self, passed: Measured, packer: IO[bytes]) -> None:
        self._passed, self._packer = passed, packer

    def write(self, data: bytes | memoryview, /) -> int:
        return self._packer.write(data)

    @property
    def size(self) -> int:
        """Bytes in the storage, once the block has ended."""
        return self._passed.size

    @property
    def sha256(self) -> str:
        """Of the same, in hex."""
        return self._passed.sha256


@contextmanager
def writing(storage: Storage, name: str) -> Iterator[Sealing]:
    """There at the end of the block, or not at all. Raises BackupKeysMissing, WrongBackupKey."""
    key = keys.newest(storage, PLATFORM)
    head = Head(name, key.id, derived.new_salt())
    with storage.writing(name) as file:
        passed = Measured(file)
        passed.write(head.to_bytes())
        sealer = Sealer(passed, key.of_file(head.salt, head.to_bytes()))
        compressor = zstandard.ZstdCompressor(level=_LEVEL)
        packer = compressor.stream_writer(cast("IO[bytes]", sealer), closefd=False)
        yield Sealing(passed, cast("IO[bytes]", packer))
        packer.close()  # type: ignore[no-untyped-call]  # it has no types
        sealer.close()


@contextmanager
def reading(storage: Storage, name: str) -> Iterator[Source]:
    """What was written; read to its end and checked when the block has ended, whoever stopped
    before. Raises NotStored, ArchiveUnfit by its name, WrongBackupKey."""
    try:
        with _opened(storage, name) as source:
            yield source
    except ArchiveUnfit as fault:
        raise type(fault)(f"{name}: {fault.detail}") from fault


@contextmanager
def _opened(storage: Storage, name: str) -> Iterator[Source]:
    with storage.reading(name) as file:
        head = _read_head(file)
        if head.name != name:
            raise ForeignArchive
        key = keys.of(storage, PLATFORM, head.key)
        opener = Opener(file, key.of_file(head.salt, head.to_bytes()))
        unpacked = unpacking(opener)
        try:
            yield unpacked
            while unpacked.read(CHUNK):
                pass
        except zstandard.ZstdError as fault:
            raise ArchiveAltered from fault
        if opener.read(1):
            raise ArchiveAltered


def content(storage: Storage, name: str) -> bytes:
    """All of a small one. Raises as `reading`."""
    with reading(storage, name) as source:
        return b"".join(iter(lambda: source.read(CHUNK), b""))


def _read_head(source: Source) -> Head:
    written = read_framed(source, _MAGIC)
    try:
        said = json.loads(written)
        head = Head(str(said["name"]), UUID(said["key"]), str(said["salt"]))
        bytes.fromhex(head.salt)
    except (ValueError, LookupError, TypeError, AttributeError) as fault:
        raise NoArchive from fault
    if head.to_bytes() != framed(_MAGIC, written):
        raise NoArchive("Its head is not as we write it.")
    return head
