"""What somebody takes along, block by block, with what has to be let go of at the end. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parcel:
    """`size` (bytes) is of the whole, and None where it is known at the end only; `part` says which
    of its bytes the blocks are, where they are not all."""

    name: str
    blocks: Iterator[bytes]
    size: int | None
    held: ExitStack  # open until `close`, whether or not a block was asked for
    tag: str = ""  # the same as long as its bytes are
    part: range | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self.blocks

    def close(self) -> None:
        self.held.close()
