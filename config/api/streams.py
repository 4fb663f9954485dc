"""Answers that are longer than memory: given block by block, and never read on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from django.http import StreamingHttpResponse


class Blocks(Protocol):
    """What is given; closed when the last has gone out, or the client has."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class Attachment(StreamingHttpResponse):
    """A file to keep, of blocks that may have to wait for a disk or a network.

    Django would read what is not asynchronous to its end before the first byte goes out. Here a
    thread reads each block when it is its turn, and the loop serves others meanwhile. A block that
    fails breaks the connection: with a `size` (bytes) or without, the client sees that it is cut.
    """

    def __init__(
        self, blocks: Blocks, *, name: str, content_type: str, size: int | None = None
    ) -> None:
        super().__init__(blocks, content_type=content_type)
        self["Content-Disposition"] = f'attachment; filename="{name}"'
        if size is not None:
            self["Content-Length"] = str(size)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        blocks = iter(self)
        while (block := await asyncio.to_thread(next, blocks, None)) is not None:
            yield block
