"""One at a time does something to a tenant as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from config.api.errors import DomainError
from tenants.lifecycle import giving_back
from tenants.lifecycle.provisioning import owner_cursor

_TAKE = "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended(%s, 0))"
_GIVE_BACK = "SELECT pg_catalog.pg_advisory_unlock(pg_catalog.hashtextextended(%s, 0))"


@contextmanager
def held(name: str, *, refusal: type[DomainError]) -> Iterator[None]:
    """By the owner's connection, which passes no pooler, and with which the lock goes, should that
    break. Raises OwnerLoginMissing, or the refusal while somebody else has it."""
    with owner_cursor() as cursor:
        cursor.execute(_TAKE, [name])
        ((is_ours,),) = cursor.fetchall()
    if not is_ours:
        raise refusal
    with giving_back.afterwards(partial(_give_back, name)):
        yield


def _give_back(name: str) -> None:
    with owner_cursor() as cursor:
        cursor.execute(_GIVE_BACK, [name])
