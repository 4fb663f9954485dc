"""Celery doors of the positions' room."""

from __future__ import annotations

import logging

from celery import shared_task

from tenants import queries as tenants
from tenants.tasks import PlatformTask, TenantTask
from trading.positions import queries

_log = logging.getLogger("bulkhead.books")


@shared_task(base=TenantTask, name="trading.positions.tasks.check_books")
def check_books() -> int:
    """See that every position is the sum of its lots and of its fills; tells what is not."""
    found = list(queries.unbalanced().values_list("id", flat=True))
    for position_id in found:
        _log.error("position %s is not the sum of its lots and fills", position_id)
    return len(found)


@shared_task(base=PlatformTask, name="trading.positions.tasks.check_books_everywhere")
def check_books_everywhere() -> None:
    """Send every active tenant its own task."""
    for tenant_id in tenants.active_ids():
        check_books.send_to(tenant_id)
