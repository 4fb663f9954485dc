"""The keys of an account at its exchange: written, used by that account alone, never read back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from accounts import sealing
from accounts.audit import actions as audit
from trading.brokers import actions as brokers
from trading.brokers import connected
from trading.brokers.errors import CredentialsMissing, ExchangeOnly
from trading.brokers.models import Account, ExchangeCredential

# Why an account is halted whose exchange does not take its keys.
REFUSED = "credentials_refused"


@dataclass(frozen=True, slots=True)
class Keys:
    """What an exchange asks for, in the clear: for the moment of a call, and in no log."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)


def write(*, account_id: UUID, keys: Keys, now: datetime) -> ExchangeCredential:
    """Seal an account's keys in the place of earlier ones; if those were refused, it goes on.

    Raises NotFound, ExchangeOnly or ValkeyAway.
    """
    account = brokers.lock(account_id)
    if account.is_paper:
        raise ExchangeOnly
    written = _of(account) or ExchangeCredential(account=account, user_id=account.user_id)
    written.updated_at = now
    for part in ("key", "secret", "passphrase"):
        _seal(written, part, getattr(keys, part))
    is_new = written._state.adding
    written.save(force_insert=is_new, force_update=not is_new)
    connected.note()
    if account.status == Account.Status.HALTED and account.status_reason == REFUSED:
        brokers.resume(account, reason="credentials_written", now=now)
    audit.record("account.credentials_written", on=account)
    return written


def forget(*, account_id: UUID) -> None:
    """Delete an account's keys; without them it trades no more. Raises NotFound."""
    account = brokers.lock(account_id)
    gone, _ = ExchangeCredential.objects.filter(account=account).delete()
    if gone:
        audit.record("account.credentials_forgotten", on=account)


def of(account: Account) -> Keys:
    """The account's own keys; there are no others to fall back on. Raises CredentialsMissing."""
    found = _of(account)
    if found is None:
        raise CredentialsMissing
    return Keys(*(_unseal(found, part) for part in ("key", "secret", "passphrase")))


def _of(account: Account) -> ExchangeCredential | None:
    return ExchangeCredential.objects.filter(account=account).first()


def _seal(row: ExchangeCredential, part: str, text: str) -> None:
    sealed = sealing.seal(text.encode(), purpose=row.purpose(part)) if text else None
    setattr(row, f"sealed_{part}", sealed)


def _unseal(row: ExchangeCredential, part: str) -> str:
    sealed = getattr(row, f"sealed_{part}")
    return sealing.unseal(sealed, purpose=row.purpose(part)).decode() if sealed else ""
