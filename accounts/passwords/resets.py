"""How often a reset may be asked for; counted alike whether the account exists."""

from __future__ import annotations

import hashlib

from accounts.passwords.errors import TooManyResets
from tenants import origin, windows

_WINDOW = 3600  # seconds
_OF_ADDRESS = 30
_OF_ACCOUNT = 3


def admit(*, email: str, address: str) -> bool:
    """Count a request; whether a mail may still go to this account.

    Who asks too often for one account hears nothing of it: the answer stays the same. Raises
    TooManyResets for an address that asks too often for any, and ValkeyAway.
    """
    account = hashlib.sha256(email.lower().encode()).hexdigest()[:32]
    of_address = f"resets:network:{origin.network(address)}"
    of_account = f"resets:account:{account}"
    by_address, by_account = windows.count(of_address, of_account, seconds=_WINDOW)
    if by_address.times > _OF_ADDRESS:
        raise TooManyResets(headers=by_address.retry_after)
    return by_account.times <= _OF_ACCOUNT
