"""What exchanges have still to be told, over all tenants: each one's own timer notes its part.

Nobody sees the rows of all, so their number is kept in Valkey, by tenant, while there is any.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from config.observing.measure import Measure
from tenants import context, valkey
from tenants.lifecycle.workflow import Work
from trading.brokers import connected
from trading.venues import queries

_WAITING = "venues:waiting"


def note(*, now: datetime) -> None:
    """Of the entered tenant. Raises ValkeyAway."""
    found, tenant = queries.waiting(now=now), str(context.require().tenant_id)
    with valkey.needed() as client:
        if found.count and found.oldest_at:
            told = f"{found.count} {found.oldest_at.timestamp():.0f}"
            client.hset(_WAITING, tenant, told)
        else:
            client.hdel(_WAITING, tenant)


def forget(tenant_id: str) -> None:
    """Of a tenant that has left. Raises ValkeyAway."""
    with valkey.needed() as client:
        client.hdel(_WAITING, tenant_id)


def leave(work: Work) -> None:
    """A step of deleting a tenant. Raises ValkeyAway."""
    connected.forget(work.tenant.pk)
    forget(str(work.tenant.pk))
    work.report("no exchange is waited for")


def measure() -> Iterator[Measure]:
    """Raises ValkeyAway."""
    with valkey.needed() as client:
        noted: Any = client.hvals(_WAITING)
    counts, begun = (
        zip(*(map(int, row.split()) for row in noted), strict=True) if noted else ((), ())
    )
    yield Measure("bulkhead_outbox_pending", "Intents no exchange has answered.", sum(counts))
    age = max(0.0, time.time() - min(begun)) if begun else 0.0
    yield Measure("bulkhead_outbox_oldest_seconds", "Since the oldest of them was due.", age)
