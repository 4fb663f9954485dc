"""What archives are written to and read from: anything with a `write`, or a `read`. Pure."""

from __future__ import annotations

import hashlib
from typing import Protocol


class Sink(Protocol):
    def write(self, data: bytes, /) -> object: ...


class Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_up_to(source: Source, size: int) -> bytes:
    """As many bytes as asked for, and fewer only at the end: a network gives what it has."""
    found = source.read(size)
    while len(found) < size and (more := source.read(size - len(found))):
        found += more
    return found


class Measured:
    """A sink on the way to another that counts and digests what passes."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes, /) -> int:
        self._sink.write(data)
        self._digest.update(data)
        self.size += len(data)
        return len(data)

    @property
    def sha256(self) -> str:
        """In hex, of all that has passed."""
        return self._digest.hexdigest()
