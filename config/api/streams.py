"""Answers that are longer than memory: given block by block, and never read on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from django.http import StreamingHttpResponse


class Blocks(Protocol):
    """What is given; closed when the last has gone out, or the client has."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class Meter(Protocol):
    """Whoever let the request in has what comes after its answer began charged by one."""

    def running(self) -> AbstractContextManager[None]:
        """For what a thread does inside."""

    def pay(self) -> float:
        """Gives for how many seconds to rest."""


class Attachment(StreamingHttpResponse):
    """A file to keep, of blocks that may have to wait for a disk or a network.

    Django would read what is not asynchronous to its end before the first byte goes out. Here a
    thread reads each block when it is its turn, and the loop serves others meanwhile. A block that
    fails breaks the connection: with a `size` (bytes) or without, the client sees that it is cut.

    With a `meter` the blocks are charged, and the stream rests while what it may use is used up: it
    waits on the loop, and holds no thread.

    By a `tag`, the same as long as the file's bytes are, it can be asked for in parts; then the
    blocks are those of the `part`.
    """

    meter: Meter | None = None

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
        while True:
            block, rest = await asyncio.to_thread(self._next, blocks)
            if block is None:
                return
            yield block
            if rest:
                await asyncio.sleep(rest)

    def _next(self, blocks: Iterator[bytes]) -> tuple[bytes | None, float]:
        """The next block, and for how many seconds the one after it has to wait."""
        if self.meter is None:
            return next(blocks, None), 0.0
        with self.meter.running():
            block = next(blocks, None)
        return block, self.meter.pay()
