"""The WebSocket routes, on platform and tenant addresses alike."""

from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import re_path

from tenants.models import SLUG_PATTERN
from trading.notifications.stream import EventStream

websocket = AllowedHostsOriginValidator(
    URLRouter([re_path(rf"^(?:t/{SLUG_PATTERN}/)?ws/v1/stream/$", EventStream.as_asgi())])
)
