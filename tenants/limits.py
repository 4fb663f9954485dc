"""What a tenant's plan allows, remembered until somebody changes a limit, and for a short while.

The door compares the version at which limits were read with Valkey's, in the round trip that it
takes anyway: a change holds from the next request on, in every process.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from uuid import UUID

from tenants import context, queries
from tenants.errors import UnknownTenant

_REMEMBERED_FOR = 30.0  # seconds: also what a tenant has is counted by a timer
_REMEMBERED_AT_MOST = 10_000

_known: dict[UUID, tuple[Limits, float]] = {}
_lock = Lock()
_version = "-"


@dataclass(frozen=True, slots=True)
class Limits:
    """Numbers of the plan a tenant is on, and whether it has all that they let it have.

    `max_rows` and `max_bytes` are None where there is no end. `version` is that of all limits, and
    `counted_at` when it was last looked at what the tenant has.
    """

    requests_per_minute: int
    statement_timeout_ms: int
    concurrent_requests: int
    server_ms_per_second: int
    cache_quota_bytes: int
    max_rows: int | None
    max_bytes: int | None
    has_all_rows: bool
    has_all_bytes: bool
    version: str
    tier: str
    counted_at: datetime | None

    @property
    def is_full(self) -> bool:
        return self.has_all_rows or self.has_all_bytes


def of(tenant_id: UUID) -> Limits:
    """The tenant's limits. Raises UnknownTenant."""
    known, now = _known.get(tenant_id), time.monotonic()
    if known and known[1] > now and known[0].version == _version:
        return known[0]
    limits = _read(tenant_id, _version)
    with _lock:
        if len(_known) >= _REMEMBERED_AT_MOST:
            _known.clear()
        _known[tenant_id] = (limits, now + _REMEMBERED_FOR)
    return limits


def fresh(tenant_id: UUID) -> Limits:
    """As the database has them now. Raises UnknownTenant."""
    return _read(tenant_id, _version)


def known_tier(tenant_id: UUID) -> str:
    """The tier of a tenant whose limits were asked for lately; `-` else, without a query."""
    known = _known.get(tenant_id)
    return known[0].tier if known else "-"


def entered() -> Limits:
    """The limits of the entered tenant."""
    return of(context.require().tenant_id)


def forget(*, version: str) -> None:
    """What was read before is good no more; not what somebody is reading just now, either."""
    global _version  # noqa: PLW0603 - one of the process, as what is known is
    _version = version


def _read(tenant_id: UUID, version: str) -> Limits:
    """Raises UnknownTenant."""
    plan = (
        queries.there()
        .filter(pk=tenant_id)
        .values_list(
            "plan__requests_per_minute",
            "plan__statement_timeout_ms",
            "plan__concurrent_requests",
            "plan__server_ms_per_second",
            "plan__cache_quota_bytes",
            "plan__max_rows",
            "plan__max_bytes",
            "measured__rows",
            "measured__bytes",
            "plan_id",
            "measured__counted_at",
        )
    )
    row = plan.first()
    if row is None:
        raise UnknownTenant
    rate, timeout, at_once, pace, quota, max_rows, max_bytes, rows, stored, tier, at = row
    return Limits(
        requests_per_minute=rate,
        statement_timeout_ms=timeout,
        concurrent_requests=at_once,
        server_ms_per_second=pace,
        cache_quota_bytes=quota,
        max_rows=max_rows,
        max_bytes=max_bytes,
        has_all_rows=_is_reached(rows, max_rows),
        has_all_bytes=_is_reached(stored, max_bytes),
        version=version,
        tier=tier,
        counted_at=at,
    )


def _is_reached(held: int | None, most: int | None) -> bool:
    """What nobody has counted yet is little."""
    return held is not None and most is not None and held >= most
