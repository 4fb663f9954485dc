"""Reads a chain from its first link to its head, and says where it is broken."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.audit import chain, past_walls
from accounts.audit.chain import Chain
from tenants import context
from tenants.context import Actor, Scope, TenantContext
from tenants.models import Tenant

SENTENCES = {
    "event_missing": "its event is gone",
    "event_altered": "event or link were changed after they were written",
    "number_missing": "the link before it is gone",
    "link_broken": "it was not written after the link before it",
    "event_unlinked": "an event without a link: it was slipped in past the trigger",
    "kept_differs": "not what was kept of it elsewhere: the chain was cut, or written anew",
    "head_differs": "the head is not the last link: links at the end are gone, or it was changed",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a link (`number`), or with an event that has none."""

    code: str
    number: int | None
    event: str | None

    @property
    def sentence(self) -> str:
        place = f"link {self.number}" if self.number is not None else f"event {self.event}"
        return f"{place} [{self.code}] {SENTENCES[self.code]}"


@dataclass(frozen=True, slots=True)
class Finding:
    """How many events there are, the end of their chain, to be kept elsewhere, and what is wrong.

    Whoever may write anywhere can write a whole chain anew: its end is another one then.
    """

    events: int
    number: int
    digest: str
    faults: tuple[Fault, ...]

    def document(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Kept:
    """The end of a chain as it was once: number, and digest in hex."""

    number: int
    digest: str


def of_tenant(tenant: Tenant, kept: Collection[Kept] = ()) -> Finding:
    """A tenant's chain, read inside the tenant. Raises TenantSuspended."""
    job = TenantContext(tenant.id, Actor.system("verify_audit"), Scope.TENANT, is_read_only=True)
    with context.enter(job), connection.cursor() as cursor:
        return _read(cursor, chain.TENANTS, kept, {})


def of_closed_tenant(tenant: Tenant, kept: Collection[Kept] = ()) -> Finding:
    """The same of a tenant that nobody may enter, by the backup's log-in.

    Raises NoBackupLogIn, WrongDatabaseRole.
    """
    with past_walls.reading(tenant.live_schema) as cursor:
        return _read(cursor, chain.TENANTS.of_one_tenant(), kept, {"tenant": tenant.id})


def of_platform(kept: Collection[Kept] = ()) -> Finding:
    """The platform's own chain."""
    with connection.cursor() as cursor:
        return _read(cursor, chain.PLATFORM, kept, {})


def end_of(tenant_id: UUID, *, by: str, still: Kept | None) -> tuple[Kept | None, bool]:
    """The end of an active tenant's chain, and whether an earlier one is `still` in it.

    None for a chain without a head. Raises TenantSuspended, UnknownTenant.
    """
    job = TenantContext(tenant_id, Actor.system(by), Scope.TENANT, is_read_only=True)
    with context.enter(job), connection.cursor() as cursor:
        cursor.execute(chain.TENANTS.head_query())
        row = cursor.fetchone()
        return Kept(*row) if row else None, not _lost(cursor, chain.TENANTS, _some(still), {})


def _some(kept: Kept | None) -> tuple[Kept, ...]:
    return (kept,) if kept else ()


def _read(cursor: Any, links: Chain, kept: Collection[Kept], only: dict[str, Any]) -> Finding:
    cursor.execute(links.verify(), only)
    faults = tuple(Fault(*row) for row in cursor.fetchall())
    cursor.execute(links.count(), only)
    ((events,),) = cursor.fetchall()
    cursor.execute(links.head_query(), only)
    number, digest = cursor.fetchone() or (0, chain.GENESIS)
    lost = sorted({end.number for end in _lost(cursor, links, kept, only)})
    return Finding(
        events, number, digest, faults + tuple(Fault("kept_differs", n, None) for n in lost)
    )


def _lost(cursor: Any, links: Chain, kept: Collection[Kept], only: dict[str, Any]) -> list[Kept]:
    """Those that the chain does not hold any more; one of no link at all cannot be lost."""
    due = [end for end in kept if end.number]
    if not due:
        return []
    cursor.execute(links.links_query(), {**only, "numbers": [end.number for end in due]})
    found = {Kept(*row) for row in cursor.fetchall()}
    return [end for end in due if end not in found]
