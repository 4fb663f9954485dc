"""What is measured of backups: how old the newest are, and how long ago they were tried."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.core.cache import caches
from django.utils import timezone

from backups import queries
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
