"""Who was refused a moment ago and asks again is refused again, without Django.

A client that does not wait as long as `Retry-After` says would cost a whole request each time. What
the door has refused a good credential for want of room is answered again, to that credential alone,
at the same address, from the same client, until there should be room, or for a second at most.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from django.conf import settings

from config.logs import id_of
from config.observing import metrics
from config.observing.work import NAMELESS
from tenants import limits, origin, refusals
from tenants.refusals import Refusal

_LONGEST = 1.0  # seconds, which is the least that `Retry-After` says
_AT_MOST = 4_096  # are remembered
_SLOWLY = 0.25  # seconds: who does not wait by itself is made to, and asks less often
_WAITING_AT_MOST = 1_000  # whoever comes beside them is answered at once
_NAMED = (b"authorization", b"host", b"origin", b"x-forwarded-for", b"x-forwarded-proto")
_OWN = (b"content-length", b"x-request-id", b"retry-after")  # of each answer
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class _Answer:
    """What Django has answered, and until when that is answered again.

    Once there should be room, and until then, one at a time may ask: all of them at once would come
    to as many refusals by Django.
    """

    refusal: Refusal
    until: float
    headers: Headers
    document: dict[str, Any]
    is_asked: bool = False

    def holds(self, now: float) -> bool:
        return now < self.until and (self.is_asked or now < self.refusal.at)


class RefusalMemory:
    """Stands in front of Django, which says by the scope of a request what may be remembered."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self._known: dict[bytes, _Answer] = {}
        self._waiting = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        key = _key(scope)
        if key is None:
            await self.application(scope, receive, send)
            return
        known = self._known.get(key)
        if known is None:
            await self._ask(key, scope, receive, send)
        elif known.holds(time.monotonic()):
            await self._slow_down()
            await _repeat(known, scope, send)
        else:
            known.is_asked = True
            try:
                await self._ask(key, scope, receive, send)
            finally:
                known.is_asked = False

    async def _ask(self, key: bytes, scope: Any, receive: Any, send: Any) -> None:
        heard = _Heard(send)
        await self.application(scope, receive, heard)
        if (refusal := scope.get(refusals.NOTED)) is not None:
            self._remember(key, refusal, heard)

    async def _slow_down(self) -> None:
        if self._waiting >= _WAITING_AT_MOST:
            return
        self._waiting += 1
        try:
            await asyncio.sleep(_SLOWLY)
        finally:
            self._waiting -= 1

    def _remember(self, key: bytes, refusal: Refusal, heard: _Heard) -> None:
        now = time.monotonic()
        if len(self._known) >= _AT_MOST:
            self._known = {k: known for k, known in self._known.items() if known.until > now}
        if len(self._known) < _AT_MOST:
            until = now + _LONGEST
            headers = [pair for pair in heard.headers if pair[0].lower() not in _OWN]
            self._known[key] = _Answer(refusal, until, headers, json.loads(heard.body))


class _Heard:
    """Passes on an answer, and keeps that of a refusal."""

    def __init__(self, send: Any) -> None:
        self._send = send
        self._is_refusal = False
        self.headers: Headers = []
        self.body = b""

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._is_refusal = message["status"] == 429
            self.headers = message["headers"] if self._is_refusal else []
        elif self._is_refusal:
            self.body += message.get("body", b"")
        await self._send(message)


def _key(scope: Any) -> bytes | None:
    """All that such an answer depends on, as a digest; None for what the door may not be asked."""
    place = re.match(settings.CORS_URLS_REGEX, scope["path"])
    if place is None or scope["method"] not in _METHODS:
        return None
    found = dict.fromkeys(_NAMED, b"")
    for name, value in scope["headers"]:
        if name in found:
            found[name] += b"," + value if found[name] else value
    if not found[b"authorization"]:
        return None
    peer = (scope.get("client") or ("",))[0]
    client = origin.believed(peer, found.pop(b"x-forwarded-for").decode("latin-1"))
    said = [*found.values(), client.encode(), scope["scheme"].encode(), place[0].encode()]
    # Lengths first: what one header says cannot pass for what another does.
    lengths = b"".join(len(part).to_bytes(4) for part in said)
    return blake2b(lengths + b"".join(said), digest_size=16).digest()


async def _repeat(known: _Answer, scope: Any, send: Any) -> None:
    """The same, with an id of its own, and what is left of the wait."""
    now = time.monotonic()
    name = id_of(scope)
    body = json.dumps({**known.document, "request_id": name}).encode()
    headers = [
        *known.headers,
        (b"retry-after", str(max(1, math.ceil(known.refusal.at - now))).encode()),
        (b"x-request-id", name.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": body})
    refusals.count(known.refusal)
    metrics.request(
        method=scope["method"],
        route=NAMELESS,
        status=429,
        tier=limits.known_tier(known.refusal.tenant_id),
        seconds=time.monotonic() - now,
    )
