"""Ends of tenants' chains, kept in the platform's: a chain that is cut or gone does not go unseen.

An end holds all links before it. Whoever could take it out of here would have to write the
platform's chain anew as well, and its end is kept elsewhere.
"""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from accounts.audit import verification
from accounts.audit.verification import Kept
from accounts.trail import actions as trail
from accounts.trail.models import PlatformEvent
from tenants.errors import TenantSuspended, UnknownTenant

ACTIONS = ANCHORED, LOST = "audit.anchored", "audit.anchor_lost"
_JOB = "anchor_audit"
_log = logging.getLogger("bulkhead.audit")


def of(tenant_id: UUID) -> list[Kept]:
    """All that were kept of a tenant's chain, oldest first; asked on the platform."""
    return [_kept(after) for after in _said(tenant_id)]


def take(tenant_id: UUID) -> None:
    """Keep the end of an active tenant's chain, if it has moved since the last time.

    The last one has to be in it still: if not, that is on record, and said in the log.
    """
    said = _said(tenant_id).last()
    last = _kept(said) if said else None
    try:
        end, holds = verification.end_of(tenant_id, by=_JOB, still=last)
    except (TenantSuspended, UnknownTenant):
        return
    if last and not holds:
        _log.error("the chain of tenant %s was cut, or written anew", tenant_id)
        _record(LOST, tenant_id, last)
    if end and end != last:
        _record(ANCHORED, tenant_id, end)


def _said(tenant_id: UUID) -> Any:
    events = PlatformEvent.objects.filter(action=ANCHORED, key=str(tenant_id))
    return events.order_by("at", "id").values_list("after", flat=True)


def _kept(after: dict[str, Any]) -> Kept:
    return Kept(after["number"], after["end"])


def _record(action: str, tenant_id: UUID, end: Kept) -> None:
    after = {"number": end.number, "end": end.digest}
    trail.record(action, by=f"system:{_JOB}", kind="tenant", key=str(tenant_id), after=after)
