"""What is measured of backups: how old the newest are, how long ago they were tried, what waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

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
    oldest, untried, unfit, failed = kept or _standing()
    yield Measure(
        "bulkhead_backup_oldest_seconds",
        "Age of the newest backup of the tenant whose newest is the oldest.",
        oldest,
    )
    yield Measure(
        "bulkhead_backup_untried_seconds",
        "Since a backup was put back to try it, of the tenant for whom that is longest ago.",
        untried,
    )
    yield Measure(
        "bulkhead_backups_unfit", "Tenants whose last tried backup cannot be put back.", unfit
    )
    yield Measure("bulkhead_backups_failed", "Backups that failed within a day.", failed)


def _standing() -> tuple[float, float, int, int]:
    now = timezone.now()
    since = queries.active_since()
    found = {each: how for each, how in queries.standing_of_active().items() if each in since}
    taken = [found[each].taken_at if each in found else since[each] for each in since]
    tried = [(found[each].tried_at if each in found else None) or since[each] for each in since]
    return (
        (now - min(taken, default=now)).total_seconds(),
        (now - min(tried, default=now)).total_seconds(),
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
