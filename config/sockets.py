"""The WebSocket routes, on platform and tenant addresses alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import URLRouter
from channels.security.websocket import WebsocketDenier
from django.urls import re_path

from tenants.models import SLUG_PATTERN
from tenants.sockets import NOT_FOUND
from trading.notifications.stream import EventStream


class SameOrigin:
    """A page may open sockets to the host it came from only; any other gets a 403.

    Programs send no origin, and bring a token anyway.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        allowed = is_same_origin(scope["headers"])
        await (self.application if allowed else WebsocketDenier())(scope, receive, send)


def is_same_origin(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether every Origin names the host and port of the Host header; true without an Origin."""
    pairs = [(name.lower(), value.lower()) for name, value in headers]
    hosts = {value for name, value in pairs if name == b"host"}
    origins = {value for name, value in pairs if name == b"origin"}
    at_home = {scheme + host for scheme in (b"http://", b"https://") for host in hosts if host}
    return origins <= at_home


class NobodyThere(AsyncWebsocketConsumer):  # type: ignore[misc]  # it has no types
    """For a path that nobody serves: only an accepted socket can carry a close code."""

    async def connect(self) -> None:
        await self.accept(next(iter(self.scope["subprotocols"]), None))
        await self.close(NOT_FOUND)


websocket = SameOrigin(
    URLRouter(
        [
            re_path(rf"^(?:t/{SLUG_PATTERN}/)?ws/v1/stream/$", EventStream.as_asgi()),
            re_path("", NobodyThere.as_asgi()),
        ]
    )
)
