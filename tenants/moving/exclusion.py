"""One at a time carries a tenant's rows about, and nobody changes tables meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from tenants.lifecycle import fleet
from tenants.lifecycle.provisioning import owner_cursor
from tenants.moving.errors import MoveUnderWay

_TAKE = "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended(%s, 0))"
_GIVE_BACK = "SELECT pg_catalog.pg_advisory_unlock(pg_catalog.hashtextextended(%s, 0))"


@contextmanager
def nobody_else(tenant_id: UUID) -> Iterator[None]:
    """By a lock that goes with the connection, should that break.

    Raises MoveUnderWay, SchemasInUse, OwnerLoginMissing.
    """
    name = f"move {tenant_id}"
    with owner_cursor() as cursor:
        cursor.execute(_TAKE, [name])
        ((is_ours,),) = cursor.fetchall()
    if not is_ours:
        raise MoveUnderWay
    try:
        with fleet.kept_as_they_are():
            yield
    finally:
        with owner_cursor() as cursor:
            cursor.execute(_GIVE_BACK, [name])
