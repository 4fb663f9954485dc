"""Celery doors of the portfolio's room."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from tenants import queries as tenants
from tenants.tasks import PlatformTask, TenantTask
from trading.portfolio import actions, queries


@shared_task(base=TenantTask, name="trading.portfolio.tasks.sample_account")
def sample_account(account_id: str) -> None:
    """Keep what one account is worth, and halt it if that is too little; twice keeps one point."""
    actions.sample(account_id=UUID(account_id), now=timezone.now())


@shared_task(base=TenantTask, name="trading.portfolio.tasks.sample_accounts")
def sample_accounts() -> None:
    """Send each of the tenant's accounts that prices move its own task, with its own lock."""
    for account_id in queries.accounts_to_sample():
        sample_account.delay(str(account_id))


@shared_task(base=TenantTask, name="trading.portfolio.tasks.thin_points")
def thin_points() -> int:
    """Delete what history needs no more of the tenant's points; twice deletes nothing twice."""
    return actions.thin(now=timezone.now())


@shared_task(base=PlatformTask, name="trading.portfolio.tasks.thin_everywhere")
def thin_everywhere() -> None:
    """Send every active tenant its own task."""
    for tenant_id in tenants.active_ids():
        thin_points.send_to(tenant_id)


@shared_task(base=PlatformTask, name="trading.portfolio.tasks.sample_everywhere")
def sample_everywhere() -> None:
    """Send every active tenant its own task."""
    for tenant_id in tenants.active_ids():
        sample_accounts.send_to(tenant_id)
