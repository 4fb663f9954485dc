"""A tenant's share of a process's database connections: who asks for more waits, and nobody else.

The plan's slots are counted over all processes, and one process has fewer connections than a plan
has slots. Without a share one tenant's slow questions would hold all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from uuid import UUID

from django.conf import settings
from django.db import connection

from tenants.admission import TooManyAtOnce

_WAITS_FOR = 10.0  # seconds, as whoever finds the pool empty


class _Share:
    """Of a tenant that has requests here; it goes with the last of them."""

    __slots__ = ("free", "requests")

    def __init__(self) -> None:
        self.free = BoundedSemaphore(settings.CONNECTIONS_PER_TENANT)
        self.requests = 0


_shares: dict[UUID, _Share] = {}
_lock = Lock()


@contextmanager
def share(tenant_id: UUID) -> Iterator[None]:
    """Room for one connection of the tenant's. Raises TooManyAtOnce after a long wait."""
    with _lock:
        own = _shares.get(tenant_id)
        if own is None:
            own = _shares[tenant_id] = _Share()
        own.requests += 1
    try:
        _take(own.free)
        try:
            yield
        finally:
            own.free.release()
    finally:
        with _lock:
            own.requests -= 1
            if not own.requests:
                del _shares[tenant_id]


def _take(free: BoundedSemaphore) -> None:
    """Raises TooManyAtOnce."""
    if free.acquire(blocking=False):
        return
    connection.close()  # back into the pool, if the credential was looked up by one
    if not free.acquire(timeout=_WAITS_FOR):
        raise TooManyAtOnce(headers={"Retry-After": "1"})
