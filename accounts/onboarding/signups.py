"""How many tenants may be made from one network in an hour."""

from __future__ import annotations

from django.conf import settings

from config.api.errors import DomainError
from tenants import origin, valkey

_WINDOW = 3600  # seconds


class TooManySignups(DomainError):
    code = "too_many_signups"
    status = 429
    title = "Too many tenants were made from this address. Wait as long as Retry-After says."


def count(address: str) -> None:
    """Count a sign-up, whatever becomes of it. Raises TooManySignups, or ValkeyAway."""
    key = f"signups:{origin.network(address)}"
    with valkey.needed() as client:
        pipeline = client.pipeline()
        pipeline.incr(key)
        pipeline.expire(key, _WINDOW, nx=True)
        pipeline.ttl(key)
        so_far, _, wait = pipeline.execute()
    if so_far > settings.SIGNUPS_PER_HOUR:
        raise TooManySignups(headers={"Retry-After": str(max(1, wait))})
