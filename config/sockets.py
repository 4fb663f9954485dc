"""The WebSocket routes, on platform and tenant addresses alike."""

from __future__ import annotations

from typing import Any

from channels.routing import URLRouter
from channels.security.websocket import OriginValidator
from django.conf import settings
from django.urls import re_path

from tenants.models import SLUG_PATTERN
from trading.notifications.stream import EventStream


class BrowserOrigins(OriginValidator):  # type: ignore[misc]
    """A page of a foreign origin is refused; programs send no origin, and bring a token anyway."""

    def valid_origin(self, parsed_origin: Any) -> bool:
        return parsed_origin is None or bool(super().valid_origin(parsed_origin))


websocket = BrowserOrigins(
    URLRouter([re_path(rf"^(?:t/{SLUG_PATTERN}/)?ws/v1/stream/$", EventStream.as_asgi())]),
    settings.ALLOWED_HOSTS,
)
