"""What a worker is sent about accounts at exchanges: by name, for the web loads no client."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from celery import current_app

from tenants import afterwards, context
from trading.venues.models import Reconciliation

COMPARE = "trading.venues.tasks.reconcile"


def compare(account_id: UUID, reason: Reconciliation.Reason) -> None:
    """Have an account compared once this is committed; should that be lost, a timer asks."""
    names = [str(context.require().tenant_id), str(account_id), reason.value]
    send = partial(current_app.send_task, COMPARE, args=names)
    afterwards.do(send)
