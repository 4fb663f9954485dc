"""What the platform stands on: its queues, its memory and its disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

from celery import current_app
from django.conf import settings

from config.observing.measure import Measure
from tenants import valkey


def disk() -> Iterator[Measure]:
    used = shutil.disk_usage(settings.BULKHEAD_DATA_DIR)
    yield Measure("bulkhead_disk_free_bytes", "Free where the data folder is.", used.free)
    yield Measure("bulkhead_disk_size_bytes", "Size of the disk with the data folder.", used.total)


def queues() -> Iterator[Measure]:
    """Raises RedisError."""
    client: Any = valkey.client()
    apart = settings.OPERATORS_QUEUE, settings.BACKUPS_QUEUE, settings.WAL_QUEUE
    for name in sorted({*current_app.amqp.queues, *apart}):
        waiting = client.llen(name)
        yield Measure("bulkhead_queue_length", "Tasks that wait.", waiting, {"queue": name})
    yield Measure(
        "bulkhead_tasks_unacknowledged", "Tasks that workers have.", client.hlen("unacked")
    )


def memory() -> Iterator[Measure]:
    """Raises RedisError."""
    told: Any = valkey.client().info("memory")
    yield Measure("bulkhead_valkey_memory_bytes", "Memory of Valkey.", told["used_memory"])
    most = told.get("maxmemory", 0)
    yield Measure("bulkhead_valkey_memory_limit_bytes", "What it may take; 0: all there is.", most)
