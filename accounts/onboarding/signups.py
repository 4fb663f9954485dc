"""How many tenants may be made from one network in an hour."""

from __future__ import annotations

from django.conf import settings

from config.api.errors import DomainError
from tenants import origin, windows

_WINDOW = 3600  # seconds


class TooManySignups(DomainError):
    code = "too_many_signups"
    status = 429
    title = "Too many tenants were made from this address. Wait as long as Retry-After says."


def count(address: str) -> None:
    """Count a sign-up, whatever becomes of it. Raises TooManySignups, or ValkeyAway."""
    [so_far] = windows.count(f"signups:{origin.network(address)}", seconds=_WINDOW)
    if so_far.times > settings.SIGNUPS_PER_HOUR:
        raise TooManySignups(headers=so_far.retry_after)
