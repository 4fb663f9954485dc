"""What may be done about accounts at exchanges: ask for a comparison."""

from __future__ import annotations

from uuid import UUID

from accounts.audit import actions as audit
from trading.brokers import actions as brokers
from trading.brokers.errors import CredentialsMissing, ExchangeOnly
from trading.venues import messages
from trading.venues.models import Reconciliation


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
    messages.compare(account_id, Reconciliation.Reason.REQUEST)
