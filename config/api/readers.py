"""Who reads: cursors and tags are good for the person they were given to, in the tenant."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request


def reader_of(request: Request) -> str:
    """The tenant and the person of the credential; of nobody in particular the empty string."""
    caller: Any = request.auth
    return f"{caller.tenant_id}:{caller.user_id}" if caller else ""
