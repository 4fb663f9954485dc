"""Tables stay as they are while rows are carried: a migration and a move exclude each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tenants.lifecycle.errors import SchemasInUse
from tenants.lifecycle.provisioning import owner_cursor

_LOCK = "pg_catalog.hashtextextended('bulkhead schemas', 0)"


@contextmanager
def kept_as_they_are() -> Iterator[None]:
    """For moves, of which several may run. Raises SchemasInUse while migrations run."""
    with _held("_shared", "Migrations run: try again when they are done."):
        yield


@contextmanager
def changed_by_us() -> Iterator[None]:
    """For migrations. Raises SchemasInUse while a tenant is carried from one schema to another."""
    with _held("", "A tenant is being moved: wait for it, or run its command with --give-up."):
        yield


@contextmanager
def _held(kind: str, refusal: str) -> Iterator[None]:
    """By the owner's connection, with which it goes, should that break."""
    with owner_cursor() as cursor:
        cursor.execute(f"SELECT pg_catalog.pg_try_advisory_lock{kind}({_LOCK})")
        ((is_ours,),) = cursor.fetchall()
    if not is_ours:
        raise SchemasInUse(refusal)
    try:
        yield
    finally:
        with owner_cursor() as cursor:
            cursor.execute(f"SELECT pg_catalog.pg_advisory_unlock{kind}({_LOCK})")
