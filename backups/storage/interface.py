"""What a place for archives has to be able to do; a folder does it, and so does S3. Pure.

A name has parts between slashes, all of them ids and words of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from backups.archive.streams import Sink, Source


class Storage(Protocol):
    def writing(self, name: str) -> AbstractContextManager[Sink]:
        """A sink whose content is there under its name at the end of the block, and not before: an
        error, a kill or a power cut in between leaves nothing of that name."""

    def reading(self, name: str, *, start: int = 0) -> AbstractContextManager[Source]:
        """From that byte on. Raises NotStored, also where it has no such byte."""

    def names(self, prefix: str) -> Iterator[str]:
        """Of all that is there, by name."""

    def remove(self, name: str) -> None:
        """Twice is no error."""

    def sweep(self, *, before: datetime) -> int:
        """Take away what was begun before then and never finished; gives how many."""
