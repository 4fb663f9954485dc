"""However much there is, little of it is held at a time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from backups.archive.chunks import CHUNK, Sealer
from backups.archive.reading import ArchiveReader
from backups.archive.records import BLOCK
from tests.backups.archive.archives import Made, a_table

MEBIBYTE = 1 << 20


class Passing(Sequence[bytes]):
    """Rows that are made as they are asked for, and by nobody kept."""

    def __init__(self, size: int, row: bytes) -> None:
        self._count, self._row = size // len(row), row

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        raise IndexError(index)

    def __iter__(self) -> Iterator[bytes]:
        return (self._row for _ in range(self._count))


class Watching:
    """A sink that keeps everything, as a disk does, and how much came at a time."""

    def __init__(self) -> None:
        self.content, self.largest = bytearray(), 0

    def write(self, data: bytes, /) -> None:
        self.content += data
        self.largest = max(self.largest, len(data))


class Handing:
    """A source that knows how much it was asked for at a time."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at, self.largest = memoryview(content), 0, 0

    def read(self, size: int, /) -> bytes:
        self.largest = max(self.largest, size)
        piece = bytes(self._content[self._at : self._at + size])
        self._at += len(piece)
        return piece


def test_no_more_than_a_few_chunks_are_held_on_the_way_in_and_out() -> None:
    """Of rows that cannot be compressed, and of some that turn into a thousandth."""
    noise = random.Random(1).randbytes(MEBIBYTE // 4).replace(b"\n", b"x") + b"\n"
    for row in (noise, b"0" * (MEBIBYTE - 1) + b"\n"):
        made, sink = Made([(a_table(), Passing(24 * MEBIBYTE, row))]), Watching()
        made.write(sink)
        assert sink.largest <= CHUNK + 16
        source = Handing(bytes(sink.content))
        reader = ArchiveReader(source, lambda _, made=made: made.key)
        for _, rows in reader.tables():
            assert max(len(block) for block in rows) <= BLOCK
        assert source.largest <= CHUNK + 16


def test_a_sealer_keeps_a_chunk_back_and_no_more() -> None:
    sealer = Sealer(Watching(), b"k" * 32)
    for size in (1, CHUNK, 5 * CHUNK, 3, MEBIBYTE):
        sealer.write(b"x" * size)
        assert len(sealer._waiting) <= CHUNK
