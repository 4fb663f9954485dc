"""A full tenant is counted before its hour comes: when it deletes, and when it is refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from kombu.exceptions import OperationalError

from tenants import afterwards, context, limits, valkey
from tenants.measuring import tasks
from tenants.valkey import ValkeyAway

_FRESH = timedelta(minutes=1)  # for which a refusal goes by a count
_GATHERED = 20  # seconds: what is deleted in that time is counted together


def after_deletion() -> None:
    """The entered tenant, if it is full, once what it has deleted is committed."""
    if limits.entered().is_full:
        tenant_id = context.require().tenant_id
        ask = partial(_ask, tenant_id, "deleted", once_in=_GATHERED, wait=_GATHERED)
        afterwards.do(ask)


def after_refusal(*, now: datetime) -> None:
    """The entered tenant, which is told no by a count of before. At once: its transaction is to be
    rolled back."""
    counted_at = limits.entered().counted_at
    if counted_at is not None and now - counted_at >= _FRESH:
        tenant_id = context.require().tenant_id
        _ask(tenant_id, "refused", once_in=int(_FRESH.total_seconds()), wait=0)


def _ask(tenant_id: UUID, why: str, *, once_in: int, wait: int) -> None:
    """Without Valkey its hour is waited for. Who asks while a count is still to come is in it."""
    with suppress(ValkeyAway, OperationalError):
        with valkey.needed() as client:
            is_first = client.set(f"counting:{why}:{tenant_id}", 1, nx=True, ex=once_in)
        if is_first:
            tasks.measure_again.apply_async((str(tenant_id),), countdown=wait)
