"""What a view may ask about who calls, and from where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from rest_framework.request import Request

from tenants import origin
from tenants.arrival import Arrival
from tenants.identity import Identity


@dataclass(frozen=True, slots=True)
class Device:
    """From where somebody signs in: IP address and user agent, as the list of sessions shows."""

    address: str
    agent: str


def caller_of(request: Request) -> Identity:
    """What `TenantAuthentication` handed on."""
    return cast(Identity, request.auth)


def address_of(request: Request) -> UUID | None:
    """The tenant that host or path names."""
    return cast(Arrival, request._request).tenant_id


def device_of(request: Request) -> Device:
    """What the list of sessions will show of the client."""
    return Device(origin.address.get(), request.headers.get("User-Agent", ""))
