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

    By a `tag`, the same as long as the file's bytes are, it can be asked for in parts; then the
    blocks are those of the `part`.
    """

    def __init__(
        self,
        blocks: Blocks,
        *,
        name: str,
        content_type: str,
        size: int | None = None,
        tag: str = "",
        part: range | None = None,
    ) -> None:
        super().__init__(blocks, content_type=content_type, status=200 if part is None else 206)
        self["Content-Disposition"] = f'attachment; filename="{name}"'
        if tag:
            self["ETag"], self["Accept-Ranges"] = tag, "bytes"
        if part is not None:
            self["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
            self["Content-Length"] = str(len(part))
        elif size is not None:
            self["Content-Length"] = str(size)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        blocks = iter(self)
        while (block := await asyncio.to_thread(next, blocks, None)) is not None:
            yield block
