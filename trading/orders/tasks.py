"""Celery doors of the orders' room."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from tenants import afterwards
from tenants import queries as tenants
from tenants.tasks import PlatformTask, TenantTask
from trading.market import queries as market
from trading.orders import actions, coming_back, feed, reindexing


@shared_task(base=TenantTask, name="trading.orders.tasks.expire_orders")
def expire_orders() -> int:
    """End the tenant's orders whose time has come; running it twice ends nothing twice."""
    return actions.expire_due(now=timezone.now())


@shared_task(base=PlatformTask, name="trading.orders.tasks.expire_everywhere")
def expire_everywhere() -> None:
    """Send every active tenant its own task."""
    for tenant_id in tenants.active_ids():
        expire_orders.send_to(tenant_id)


@shared_task(base=TenantTask, name="trading.orders.tasks.check_index")
def check_index() -> int:
    """See that every open order of the tenant stands in the index where it waits."""
    return reindexing.check()


@shared_task(base=PlatformTask, name="trading.orders.tasks.check_index_everywhere")
def check_index_everywhere() -> None:
    """Send every active tenant its own task."""
    for tenant_id in tenants.active_ids():
        check_index.send_to(tenant_id)


@shared_task(base=PlatformTask, name="trading.orders.tasks.sweep_index")
def sweep_index() -> int:
    """Take out of the index what is no open order."""
    return reindexing.sweep()


@shared_task(base=PlatformTask, name="trading.orders.tasks.match_what_is_left")
def match_what_is_left() -> int:
    """Match what a feed put on a tape and did not match for all; gives the number of fills."""
    return feed.recover(market.unmatched(), now=timezone.now())


@shared_task(base=TenantTask, name="trading.orders.tasks.catch_up")
def catch_up() -> None:
    """Have the tenant's accounts meet what it has missed, a turn at a time until all are back."""
    if coming_back.go_on(now=timezone.now()):
        afterwards.do(catch_up.delay)


@shared_task(base=PlatformTask, name="trading.orders.tasks.catch_up_everywhere")
def catch_up_everywhere() -> None:
    """Send it to every tenant that has once returned: a message may be lost."""
    for tenant_id in tenants.returned_ids():
        catch_up.send_to(tenant_id)
