"""What django-tenants' `set_tenant` asked for on a thread ends with the next request or task.

It has no end of its own, and the thread serves somebody else next, who would be refused.
"""

from __future__ import annotations

from django.db import connection

from tenants.identifiers import PUBLIC_SCHEMA


def forget() -> None:
    """Ask for no tenant any more; a transaction that is open keeps the one that it has entered."""
    asked = getattr(connection, "schema_name", PUBLIC_SCHEMA)  # Django's own backend has no such
    if asked != PUBLIC_SCHEMA and not connection.in_atomic_block:
        connection.set_schema_to_public()  # type: ignore[attr-defined]  # nor has it this call
