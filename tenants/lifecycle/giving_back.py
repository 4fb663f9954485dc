"""A lock of the owner's connection is given back, and whatever has gone wrong meanwhile is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from django.db import DatabaseError, InterfaceError


@contextmanager
def afterwards(give_back: Callable[[], None]) -> Iterator[None]:
    """What went wrong is told as it is, and not what its connection, which may have died of it,
    says to being asked once more: with the connection the lock is gone anyway."""
    try:
        yield
    except BaseException:
        with suppress(DatabaseError, InterfaceError):
            give_back()
        raise
    give_back()
