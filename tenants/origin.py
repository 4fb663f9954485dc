"""Where the work at hand came from: the client's address, for limits and for the trail."""

from __future__ import annotations

from contextvars import ContextVar
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

address: ContextVar[str] = ContextVar("client_address", default="")


def of(request: HttpRequest) -> str:
    """The client's IP address.

    `X-Forwarded-For` is believed as far as `TRUSTED_PROXIES` proxies of ours have written it: each
    adds at its end the address that it was called from.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    return believed(peer, request.headers.get("X-Forwarded-For", ""))


def believed(peer: str, forwarded: str) -> str:
    """The same, from the socket's address and the header; "" where it is no IP address."""
    caller = peer
    if settings.TRUSTED_PROXIES:
        passed = [hop.strip() for hop in forwarded.split(",")]
        caller = [*passed, caller][-1 - settings.TRUSTED_PROXIES :][0] or caller
    try:
        return str(ip_address(caller))
    except ValueError:
        return ""
