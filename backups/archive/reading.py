"""Reading an archive: what comes out of it is what went in, or an error with a name. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, cast

import zstandard

from backups.archive import records
from backups.archive.chunks import CHUNK, Opener
from backups.archive.errors import ArchiveAltered, ArchiveUnfit
from backups.archive.header import Header, read_header
from backups.archive.keys import DataKey, LentKey
from backups.archive.manifest import Manifest, Measure, TableFacts, TableHead
from backups.archive.records import Kind
from backups.archive.streams import Source

_WIDEST = 1 << 27  # bytes that a decompressor may keep; what we write needs a sixtieth of it


def unpacking(source: Source) -> zstandard.ZstdDecompressionReader:
    """What was compressed, as it is read."""
    unpacker = zstandard.ZstdDecompressor(max_window_size=_WIDEST)
    return unpacker.stream_reader(cast("IO[bytes]", source), read_size=CHUNK)


class ArchiveReader:
    """Its tables, in order, and then its manifest. `key_of` finds the key that the header names."""

    def __init__(self, source: Source, key_of: Callable[[Header], DataKey | LentKey]) -> None:
        self.header = read_header(source)
        self._opener = Opener(source, key_of(self.header).of_archive(self.header))
        self._unpacked = unpacking(self._opener)
        self._facts: list[TableFacts] = []
        self._manifest: Manifest | None = None
        self._next = self._read()

    def tables(self) -> Iterator[tuple[TableHead, Iterator[bytes]]]:
        """Each with its rows in blocks; those that are not asked for are passed over.

        Raises ArchiveUnfit, also after the last one: whoever has acted on what was given before
        takes it back then.
        """
        while self._next[0] is Kind.TABLE:
            head = TableHead.of(records.parsed(self._next[1]))
            rows = self._rows(Measure(head))
            yield head, rows
            for _ in rows:
                pass
        self._end()

    @property
    def manifest(self) -> Manifest:
        """Raises ArchiveUnfit before all tables have been read."""
        if self._manifest is None:
            raise ArchiveUnfit("It has not been read to its end.")
        return self._manifest

    def _rows(self, measure: Measure) -> Iterator[bytes]:
        self._next = self._read()
        while self._next[0] is Kind.ROWS:
            measure.add(self._next[1])
            yield self._next[1]
            self._next = self._read()
        self._facts.append(measure.facts)

    def _end(self) -> None:
        """The manifest has to be the last thing there is, and to say what has been read."""
        kind, content = self._next
        if kind is not Kind.MANIFEST or self._unpacked.read(1) or self._opener.read(1):
            raise ArchiveAltered
        manifest, header = Manifest.from_bytes(content), self.header
        said = (manifest.backup, manifest.origin.tenant, list(manifest.tables))
        if said != (header.backup, header.tenant, self._facts):
            raise ArchiveAltered("It does not hold what its manifest says.")
        self._manifest = manifest

    def _read(self) -> tuple[Kind, bytes]:
        try:
            return records.read(self._unpacked)
        except zstandard.ZstdError as fault:
            raise ArchiveAltered from fault


def verified(source: Source, key_of: Callable[[Header], DataKey]) -> Manifest:
    """Read all of it for its manifest's sake. Raises ArchiveUnfit."""
    reader = ArchiveReader(source, key_of)
    for _ in reader.tables():
        pass
    return reader.manifest
