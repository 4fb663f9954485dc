"""Where the work at hand came from: the client's address, for limits and for the trail."""

from __future__ import annotations

from contextvars import ContextVar
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

_CUSTOMER = 64  # bits of an IPv6 address that a provider gives to each customer

address: ContextVar[str] = ContextVar("client_address", default="")


def of(request: HttpRequest) -> str:
    """The client's IP address.

    `X-Forwarded-For` is believed as far as `TRUSTED_PROXIES` proxies of ours have written it: each
    adds at its end the address that it was called from.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    return believed(peer, request.headers.get("X-Forwarded-For", ""))


def network(address: str) -> str:
    """Whom an address is counted as: an IPv4 address is one customer's, and of IPv6 a whole /64.

    "unknown" where there is none.
    """
    if not address:
        return "unknown"
    found = plain(address)
    if isinstance(found, IPv4Address):
        return str(found)
    return str(IPv6Network((int(found), _CUSTOMER), strict=False))


def plain(address: str) -> IPv4Address | IPv6Address:
    """An IPv4 address in IPv6 clothes (`::ffff:a.b.c.d`, of a socket for both) is what it is.

    Raises ValueError for what is no IP address.
    """
    found = ip_address(address)
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def believed(peer: str, forwarded: str) -> str:
    """The same, from the socket's address and the header; "" where it is no IP address."""
    caller = peer
    if settings.TRUSTED_PROXIES:
        passed = [hop.strip() for hop in forwarded.split(",")]
        caller = [*passed, caller][-1 - settings.TRUSTED_PROXIES :][0] or caller
    try:
        return str(plain(caller))
    except ValueError:
        return ""
