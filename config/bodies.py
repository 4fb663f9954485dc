"""What a client may send before anybody looks at it: so many bytes, and told how many there are.

Django takes a body in whole before the first middleware runs, and DRF reads one without a length
as empty. Both are settled here, in front of Django.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from config.headers import HEADERS
from config.logs import id_of

_HEADERS = [
    *((name.lower().encode(), value.encode()) for name, value in HEADERS.items()),
    (b"content-type", b"application/problem+json"),
    (b"cache-control", b"private, no-store"),
    (b"connection", b"close"),
]
_POURED = 8  # times the limit
_SECONDS = 5.0  # for the rest of a body that is refused
_REFUSAL = {
    "type": "/problems/too_large",
    "title": "The request is too large.",
    "status": 413,
    "detail": "The request is too large.",
    "code": "too_large",
    "errors": [],
}


class TooLong(Exception):
    """More came than may come."""


class Gone(Exception):
    """The client has hung up."""


class BodyLimit:
    """Hands on requests with a whole body of at most `limit` bytes; answers 413 to others."""

    def __init__(self, application: Any, limit: int) -> None:
        self.application = application
        self.limit = limit

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            body = await self._whole(scope, receive)
        except TooLong:
            await self._refuse(scope, receive, send)
        except Gone:
            return
        else:
            await self.application(_measured(scope, len(body)), _replay(body, receive), send)

    async def _refuse(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer at once, and then let the client finish if it sends little too much.

        Hanging up on what is still being sent would take the answer away with it.
        """
        name = id_of(scope)
        answer = json.dumps({**_REFUSAL, "request_id": name}).encode()
        headers = [
            *_HEADERS,
            (b"x-request-id", name.encode()),
            (b"content-length", str(len(answer)).encode()),
        ]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": answer, "more_body": True})
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._pour_away(receive), _SECONDS)
        await send({"type": "http.response.body", "body": b""})

    async def _pour_away(self, receive: Any) -> None:
        poured = 0
        while poured < _POURED * self.limit:
            message = await receive()
            poured += len(message.get("body", b""))
            if not message.get("more_body"):
                return

    async def _whole(self, scope: Any, receive: Any) -> bytes:
        """Raises TooLong, as soon as it is known, or Gone."""
        for name, value in scope["headers"]:
            if name == b"content-length" and (not value.isdigit() or int(value) > self.limit):
                raise TooLong
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Gone
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self.limit:
                raise TooLong
        return bytes(body)


def _measured(scope: Any, length: int) -> Any:
    """The scope of a request that came in one piece."""
    dropped = (b"content-length", b"transfer-encoding")
    headers = [pair for pair in scope["headers"] if pair[0] not in dropped]
    if length or any(name in dropped for name, _ in scope["headers"]):
        headers.append((b"content-length", str(length).encode()))
    return {**scope, "headers": headers}


def _replay(body: bytes, receive: Any) -> Any:
    """The body as one message, and then whatever else the client has to say."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Any:
        return waiting.pop() if waiting else await receive()

    return again
