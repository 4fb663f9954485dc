"""HTTP clients that cost little: connections that stay open, on each one request at a time."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from config.embedded.ports import LOOPBACK

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, and the status it has to be answered with."""

    method: str
    path: str
    token: str = ""
    body: Any = None
    status: int = 200

    def encoded(self) -> bytes:
        content = b"" if self.body is None else json.dumps(self.body).encode()
        lines = [
            f"{self.method} {self.path} HTTP/1.1",
            "Host: localhost",
            "Accept: application/json",
            *([f"Authorization: Bearer {self.token}"] if self.token else []),
            *(["Content-Type: application/json"] if content else []),
            f"Content-Length: {len(content)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + content


@dataclass(frozen=True, slots=True)
class Answered:
    """Seconds: of each request, and from the first to the last."""

    took: list[float]
    elapsed: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.took) / self.elapsed


def ask(port: int, asks: Sequence[Ask], *, clients: int) -> Answered:
    """Have so many clients ask, each every so-many-eth. Raises RuntimeError for another status."""
    return asyncio.run(_ask(port, asks, clients))


async def _ask(port: int, asks: Sequence[Ask], clients: int) -> Answered:
    shares = [asks[number::clients] for number in range(clients)]
    prepared = [[(one.encoded(), one.status) for one in share] for share in shares]
    streams = [await asyncio.open_connection(LOOPBACK, port) for _ in range(clients)]
    started = time.perf_counter()
    took = await asyncio.gather(*map(_client, streams, prepared))
    elapsed = time.perf_counter() - started
    for _, writer in streams:
        writer.close()
    return Answered([seconds for own in took for seconds in own], elapsed)


async def exchange(stream: Stream, request: bytes) -> tuple[int, bytes]:
    """Status and body of the answer to an encoded request."""
    reader, writer = stream
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    (length,) = (line[15:] for line in head.split("\r\n") if line.startswith("content-length:"))
    return int(head.split(" ", 2)[1]), await reader.readexactly(int(length))


async def _client(stream: Stream, share: list[tuple[bytes, int]]) -> list[float]:
    took = []
    for request, expected in share:
        started = time.perf_counter()
        status, body = await exchange(stream, request)
        took.append(time.perf_counter() - started)
        if status != expected:
            raise RuntimeError(f"{status} instead of {expected}: {body[:500]!r}")
    return took
