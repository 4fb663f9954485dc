"""What is measured of backups: how old the newest are, how long ago they were tried, what waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.core.cache import caches
from django.utils import timezone

from backups import queries
from backups.platform import standing as whole
from backups.platform.server import Waiting
from config.observing.measure import Measure

_KEY, _KEPT = "standing-of-backups", 60  # seconds
_DAY = timedelta(days=1)


def standing() -> Iterator[Measure]:
    """Of tenants that are there; looked up once a minute. Raises DatabaseError, RedisError."""
    kept = caches["shared"].get_or_set(_KEY, _standing, _KEPT)
    found = _Standing(*(kept or _standing()))
    yield Measure(
        "bulkhead_backup_oldest_seconds",
        "Age of the newest backup of the tenant whose newest is the oldest.",
        found.oldest,
    )
    yield Measure(
        "bulkhead_backup_untried_seconds",
        "Since a backup was put back to try it, of the tenant for whom that is longest ago.",
        max((seconds for _, seconds in found.untried), default=0),
    )
    for tenant_id, seconds in found.untried:
        yield Measure(
            "bulkhead_backup_tenant_untried_seconds",
            "The same of each tenant, of those for whom it is longest ago.",
            seconds,
            {"tenant": tenant_id},
        )
    yield Measure(
        "bulkhead_backups_unfit", "Tenants whose last tried backup cannot be put back.", found.unfit
    )
    yield Measure("bulkhead_backups_failed", "Backups that failed within a day.", found.failed)


class _Standing(NamedTuple):
    """Seconds since the oldest newest backup; since when each was tried, longest ago first, for so
    many as `/metrics` may name; how many are unfit, and have failed."""

    oldest: float
    untried: list[tuple[str, float]]
    unfit: int
    failed: int


def _standing() -> _Standing:
    now = timezone.now()
    since = queries.active_since()
    found = {each: how for each, how in queries.standing_of_active().items() if each in since}
    taken = [found[each].taken_at if each in found else since[each] for each in since]
    tried = {each: found[each].tried_at if each in found else None for each in since}
    untried = [(str(each), (now - (tried[each] or since[each])).total_seconds()) for each in since]
    untried.sort(key=lambda row: row[1], reverse=True)
    return _Standing(
        (now - min(taken, default=now)).total_seconds(),
        untried[: settings.METRICS_TENANTS_NAMED],
        sum(1 for each in found.values() if each.fault),
        queries.failed_since(now - _DAY),
    )


def server() -> Iterator[Measure]:
    """Of the whole server's copies and WAL, as a worker last saw them. Raises ValkeyAway."""
    found = whole.seen()
    if found is None:
        return
    yield Measure(
        "bulkhead_server_copied_timestamp_seconds",
        "When the newest copy of the whole server that is whole was begun; 0: never.",
        _seconds(found.copied_at),
    )
    yield Measure(
        "bulkhead_server_copies_unfit",
        "Copies of the whole server whose entry cannot be read.",
        len(found.unfit),
    )
    yield Measure(
        "bulkhead_wal_archived_timestamp_seconds",
        "When the server last handed WAL over; 0: never.",
        _seconds(found.archived_at),
    )
    yield Measure(
        "bulkhead_wal_looked_at_timestamp_seconds",
        "When a worker last looked at it.",
        _seconds(found.looked_at),
    )
    for where, waiting in found.waiting.items():
        yield from _waiting(waiting, {"where": where})


def _waiting(found: Waiting, where: dict[str, str]) -> Iterator[Measure]:
    """The server hands over to the spool, a worker takes from there."""
    files = "Files of WAL that are not in the storage yet."
    yield Measure("bulkhead_wal_waiting_files", files, found.files, where)
    yield Measure("bulkhead_wal_waiting_bytes", "Their size.", found.size, where)
    yield Measure(
        "bulkhead_wal_waiting_oldest_seconds", "How long one has waited.", found.oldest, where
    )


def _seconds(moment: datetime | None) -> float:
    """Since the epoch."""
    return moment.timestamp() if moment else 0
