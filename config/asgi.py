"""HTTP to Django, WebSockets to Channels."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

from tenants import guards

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
_http = get_asgi_application()
guards.refuse_wrong_role()

from config.sockets import websocket  # noqa: E402 - needs the app registry

application = ProtocolTypeRouter({"http": _http, "websocket": websocket})
