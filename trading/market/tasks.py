"""Celery doors of the market's room."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from tenants.tasks import PlatformTask
from trading.market import fetching, partitioning, public

MONTHS_AHEAD = 3
_log = logging.getLogger("bulkhead.market")


@shared_task(base=PlatformTask, name="trading.market.tasks.make_partitions")
def make_partitions() -> None:
    """Partitions for the months to come; running it twice makes nothing twice."""
    made = partitioning.make(months=MONTHS_AHEAD, now=timezone.now())
    if made.left:
        _log.error("%d rows lie in a DEFAULT partition that has to be empty", made.left)


@shared_task(base=PlatformTask, name="trading.market.tasks.fetch")
def fetch(symbol: str, timeframe: str) -> None:
    """What is missing since the newest candle; running it twice stores nothing twice."""
    fetching.fetch(symbol, timeframe, client=public.client(), now=timezone.now())
