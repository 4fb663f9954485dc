"""A request, and what the middleware has found out about it."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest

from tenants.identity import Identity


class Arrival(HttpRequest):
    """For annotations alone: what comes is Django's own, and the middleware sets these on it."""

    client_address: str
    tenant_id: UUID | None  # whom host or path names; None at the platform's address
    identity: Identity | None
    tier: str  # of a caller who is known
