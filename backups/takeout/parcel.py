"""What somebody takes along, block by block, with what has to be let go of at the end. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parcel:
    """`size` (bytes) is None where it is known at the end only."""

    name: str
    blocks: Iterator[bytes]
    size: int | None
    held: ExitStack  # open until `close`, whether or not a block was asked for

    def __iter__(self) -> Iterator[bytes]:
        return self.blocks

    def close(self) -> None:
        self.held.close()
