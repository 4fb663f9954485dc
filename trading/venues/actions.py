"""What may be done about accounts at exchanges: ask for a comparison.

Part of the web, which loads no client of any exchange: the worker's tasks are sent by name.
"""

from __future__ import annotations

from functools import partial
from uuid import UUID

from celery import current_app
from django.db import transaction

from accounts.audit import actions as audit
from tenants import context
from trading.brokers import actions as brokers
from trading.errors import CredentialsMissing, ExchangeOnly
from trading.venues.models import Reconciliation

COMPARE = "trading.venues.tasks.reconcile"


def ask(*, account_id: UUID) -> None:
    """Have an account compared with its exchange once this is committed.

    Raises NotFound, AccountClosed, ExchangeOnly or CredentialsMissing.
    """
    account = brokers.lock_open(account_id)
    if account.is_paper:
        raise ExchangeOnly("A paper account has no exchange to be compared with.")
    if not account.credentials.exists():
        raise CredentialsMissing
    audit.record("account.reconciliation_asked", on=account)
    send(account_id, Reconciliation.Reason.REQUEST)


def send(account_id: UUID, reason: Reconciliation.Reason) -> None:
    """Send the comparison of an account once this is committed; should it be lost, a timer asks."""
    names = [str(context.require().tenant_id), str(account_id), reason.value]
    sending = partial(current_app.send_task, COMPARE, args=names)
    transaction.on_commit(sending, robust=True)
