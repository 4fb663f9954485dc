"""One at a time carries a tenant's rows about, and nobody changes tables meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from tenants.lifecycle import hands, turns
from tenants.moving.errors import MoveUnderWay


@contextmanager
def nobody_else(tenant_id: UUID) -> Iterator[None]:
    """Raises MoveUnderWay, SchemasInUse, OwnerLoginMissing."""
    with hands.held(f"move {tenant_id}", refusal=MoveUnderWay), turns.kept_as_they_are():
        yield
