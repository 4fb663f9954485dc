"""`Idempotency-Key`: the same request gets the same answer, and happens once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.audit import actions as audit
from config.api.errors import DomainError
from tenants import context
from trading.errors import Refused
from trading.idempotency.errors import IdempotencyKeyReused
from trading.idempotency.models import IdempotentRequest

Answer = tuple[int, Any]  # HTTP status and JSON body
REMEMBERED = timedelta(hours=24)
_BATCH = 1_000  # rows


def once(
    *, key: str, method: str, path: str, body: Any, now: datetime, act: Callable[[], Answer]
) -> Answer:
    """Carry out `act` unless this person's key has been used; then give the answer kept.

    The key is claimed first, in the same transaction: a second request with it waits for the first
    to commit, and a failed one leaves no claim. Raises IdempotencyKeyReused for another request.
    """
    digest = _digest(method, path, body)
    user_id = _person()
    claim = IdempotentRequest(user_id=user_id, key=key, digest=digest, status=0, created_at=now)
    while not _claim(claim):
        kept = _kept(claim)
        if kept is not None:  # else it was purged just now
            return kept
    claimed = IdempotentRequest.objects.filter(user_id=user_id, key=key)
    try:
        status, answer = act()
    except DomainError:
        if context.is_kept():  # else the claim is rolled back with everything
            claimed.delete()
        raise
    claimed.update(status=status, answer=json.dumps(answer))
    return status, answer


def purge(*, now: datetime) -> int:
    """Forget the entered tenant's keys of more than 24 hours ago; gives how many.

    In batches, so that no statement outlasts the plan's timeout; the oldest are found by key. Safe
    to run twice.
    """
    rows = IdempotentRequest.objects.filter(created_at__lt=now - REMEMBERED).order_by("pk")
    old = rows.select_for_update(skip_locked=True).values_list("pk", flat=True)
    total = 0
    while chosen := list(old[:_BATCH]):
        total += IdempotentRequest.objects.filter(pk__in=chosen).delete()[0]
    if total:
        audit.record("idempotency.purged", kind="idempotentrequest", after={"rows": total})
    return total


def _person() -> UUID:
    """Keys belong to people; jobs of the platform have actions of their own to call."""
    user_id = context.require().actor.user_id
    if user_id is None:
        raise Refused("Only a person uses idempotency keys.")
    return user_id


def _claim(claim: IdempotentRequest) -> bool:
    """Insert the claim; False when the key is taken. `ignore_conflicts` would hide which it was."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trading_idempotentrequest"
            " (id, user_id, key, digest, status, answer, created_at)"
            " VALUES (%s, %s, %s, %s, 0, '', %s)"
            " ON CONFLICT (tenant_id, user_id, key) DO NOTHING",
            [claim.id, claim.user_id, claim.key, bytes(claim.digest), claim.created_at],
        )
        return bool(cursor.rowcount)


def _kept(claim: IdempotentRequest) -> Answer | None:
    kept = IdempotentRequest.objects.filter(user_id=claim.user_id, key=claim.key).first()
    if kept is None:
        return None
    if bytes(kept.digest) != claim.digest:
        raise IdempotencyKeyReused
    return kept.status, json.loads(kept.answer)


def _digest(method: str, path: str, body: Any) -> bytes:
    # A key bound to one account is told nothing of what was done in another.
    bound = context.require().actor.account_id
    said = [method, path, body, *([bound] if bound else [])]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).digest()
