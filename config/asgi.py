"""HTTP to Django, WebSockets to Channels."""

import os
import sys

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

from tenants import guards

# Seconds of another's turn that a thread waits for when its answer has come. Python's own five
# milliseconds come at each statement and each word of Valkey, once somebody computes.
_TURN = 0.0005

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
_http = get_asgi_application()
guards.refuse_wrong_role()

from django.conf import settings  # noqa: E402 - they need the settings named above

from config.bodies import BodyLimit  # noqa: E402 - needs Django set up
from config.observing import interpreter  # noqa: E402 - needs Django set up
from config.refusals import RefusalMemory  # noqa: E402 - needs Django set up
from config.sockets import websocket  # noqa: E402 - needs Django set up

sys.setswitchinterval(_TURN)
interpreter.watch()
_limited = BodyLimit(RefusalMemory(_http), settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
application = ProtocolTypeRouter({"http": _limited, "websocket": websocket})
