"""Identifiers: time-ordered UUIDs, and the schema name that a tenant's UUID reserves."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7

__all__ = ["PUBLIC_SCHEMA", "made_at", "new_id", "schema_of", "tenant_of"]

PUBLIC_SCHEMA = "public"
_DEDICATED = re.compile(r"tenant_([0-9a-f]{32})")


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562 §5.7): keys sort by creation time and stay put when a tenant moves."""
    return uuid7()


def made_at(made: UUID) -> datetime:
    """When `new_id` gave it, to the millisecond: an id begins with that."""
    return datetime.fromtimestamp((made.int >> 80) / 1000, UTC)


def schema_of(tenant_id: UUID) -> str:
    """The schema name reserved for a tenant, whether or not the schema exists."""
    return f"tenant_{tenant_id.hex}"


def tenant_of(schema: str) -> UUID | None:
    """The tenant that a dedicated schema belongs to; None for every other schema."""
    match = _DEDICATED.fullmatch(schema)
    return UUID(hex=match[1]) if match else None
