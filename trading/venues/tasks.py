"""Celery doors to the exchanges. They enter a tenant themselves: no transaction during a call."""

from __future__ import annotations

import logging
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from tenants import context
from tenants.context import Scope, TenantContext
from tenants.errors import TenantSuspended, UnknownTenant
from tenants.tasks import PlatformTask
from trading.brokers import connected
from trading.orders import outbox
from trading.venues import backlog, intents, messages, queries, reconciliation
from trading.venues.models import Reconciliation

_log = logging.getLogger("bulkhead.venues")
_LEFT = (TenantSuspended, UnknownTenant)


@shared_task(base=PlatformTask, name=outbox.CARRY_OUT)
def carry_out(tenant_id: str, intent_id: str) -> None:
    """Tell an exchange what is intended. Delivered twice, it is told once."""
    try:
        intents.carry_out(UUID(tenant_id), UUID(intent_id), clock=timezone.now)
    except _LEFT:
        _log.info("tenant %s left before intent %s was carried out", tenant_id, intent_id)


@shared_task(base=PlatformTask, name=messages.COMPARE)
def reconcile(tenant_id: str, account_id: str, reason: str) -> None:
    """Compare one account with its exchange; running it twice changes nothing twice."""
    try:
        reconciliation.reconcile(
            UUID(tenant_id), UUID(account_id), reason=reason, clock=timezone.now
        )
    except _LEFT:
        _log.info("tenant %s left before account %s was compared", tenant_id, account_id)


@shared_task(base=PlatformTask, name="trading.venues.tasks.look_after")
def look_after(tenant_id: str, reason: str) -> None:
    """Send what is due in one tenant: intents nobody is at, and its accounts' comparisons."""
    where = TenantContext(UUID(tenant_id), intents.VENUE, Scope.TENANT)
    try:
        with context.enter(where):
            due, accounts = queries.due_intents(now=timezone.now()), queries.accounts_with_keys()
            backlog.note(now=timezone.now())
    except _LEFT:
        _log.info("tenant %s left", tenant_id)
        backlog.forget(tenant_id)
        return
    for intent_id in due:
        carry_out.delay(tenant_id, str(intent_id))
    for account_id in accounts:
        reconcile.delay(tenant_id, str(account_id), reason)


@shared_task(base=PlatformTask, name="trading.venues.tasks.look_after_everywhere")
def look_after_everywhere(reason: str = Reconciliation.Reason.TIMER.value) -> None:
    """Send every tenant that has accounts at exchanges its own task."""
    for tenant_id in connected.tenant_ids():
        look_after.delay(str(tenant_id), reason)
