"""Tables stay as they are while rows are carried: a migration and a move exclude each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tenants.lifecycle import giving_back
from tenants.lifecycle.errors import SchemasInUse
from tenants.lifecycle.provisioning import owner_cursor

_LOCK = "pg_catalog.hashtextextended('bulkhead schemas', 0)"
_MIGRATIONS = "Migrations run: try again when they are done."
_MOVE = "A tenant is being moved: wait for it, or run its command with --give-up."


@contextmanager
def kept_as_they_are() -> Iterator[None]:
    """For moves, of which several may run. Raises SchemasInUse while migrations run."""
    if not _taken("_shared"):
        raise SchemasInUse(_MIGRATIONS)
    with giving_back.afterwards(partial(_give_back, "_shared")):
        yield


@contextmanager
def changed_by_us() -> Iterator[None]:
    """For migrations, of which one runs at a time. Raises SchemasInUse while another does, or a
    tenant is carried from one schema to another."""
    if not _taken(""):
        raise SchemasInUse(_reason())
    with giving_back.afterwards(partial(_give_back, "")):
        yield


def _reason() -> str:
    """Beside moves there is room for one more, beside migrations for nobody."""
    if not _taken("_shared"):
        return _MIGRATIONS
    _give_back("_shared")
    return _MOVE


def _taken(kind: str) -> bool:
    """For the owner's connection, with which it goes, should that break."""
    with owner_cursor() as cursor:
        cursor.execute(f"SELECT pg_catalog.pg_try_advisory_lock{kind}({_LOCK})")
        ((is_ours,),) = cursor.fetchall()
    return bool(is_ours)


def _give_back(kind: str) -> None:
    with owner_cursor() as cursor:
        cursor.execute(f"SELECT pg_catalog.pg_advisory_unlock{kind}({_LOCK})")
