"""What is measured of backups: whose is missing."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from backups import queries
from config.observing.measure import Measure


def missing() -> Iterator[Measure]:
    """Raises DatabaseError."""
    yield Measure(
        "bulkhead_backups_missing",
        "Active tenants of which no backup was completed since the night before.",
        queries.missing(now=timezone.now()),
    )
