"""Writing an archive: rows are compressed, sealed and gone, however many there are. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, cast

import zstandard

from backups.archive import records
from backups.archive.chunks import Sealer
from backups.archive.header import Header
from backups.archive.keys import DataKey
from backups.archive.manifest import Manifest, Measure, TableFacts, TableHead
from backups.archive.records import BLOCK, Kind
from backups.archive.streams import Sink

# Ids and numbers for the most part: a higher level takes twice as long, and finds no more in them.
_LEVEL = 1


class ArchiveWriter:
    """Tables one after the other, and then the manifest, without which it is no archive."""

    def __init__(self, sink: Sink, header: Header, key: DataKey) -> None:
        sink.write(header.to_bytes())
        self._sealer = Sealer(sink, key.of_archive(header))
        compressor = zstandard.ZstdCompressor(level=_LEVEL)
        self._packer = compressor.stream_writer(cast("IO[bytes]", self._sealer), closefd=False)
        self.facts: list[TableFacts] = []

    @contextmanager
    def table(self, head: TableHead) -> Iterator[Callable[[bytes | memoryview], None]]:
        """Gives what takes the rows, in pieces as they come."""
        records.write(self._packer, Kind.TABLE, head.to_bytes())
        rows = _Rows(self._packer, Measure(head))
        yield rows.put
        rows.flush()
        self.facts.append(rows.measure.facts)

    def finish(self, manifest: Manifest) -> None:
        """The end; what comes after it would not be read."""
        records.write(self._packer, Kind.MANIFEST, manifest.to_bytes())
        self._packer.close()  # type: ignore[no-untyped-call]  # it has no types
        self._sealer.close()


class _Rows:
    """Gathers rows, which PostgreSQL gives one by one, into blocks."""

    def __init__(self, sink: Sink, measure: Measure) -> None:
        self._sink, self.measure = sink, measure
        self._waiting = bytearray()

    def put(self, piece: bytes | memoryview) -> None:
        for start in range(0, len(piece), BLOCK):
            self._waiting += piece[start : start + BLOCK]
            if len(self._waiting) >= BLOCK:
                self._emit(bytes(self._waiting[:BLOCK]))
                del self._waiting[:BLOCK]

    def flush(self) -> None:
        if self._waiting:
            self._emit(bytes(self._waiting))
            self._waiting.clear()

    def _emit(self, block: bytes) -> None:
        self.measure.add(block)
        records.write(self._sink, Kind.ROWS, block)
