"""Reads a chain from its first link to its head, and says where it is broken."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection

from accounts.audit import chain
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
    "kept_differs": "this is not the digest that was kept of it: the chain was written anew",
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
    """The end of a chain, to be kept elsewhere, and what is wrong with it.

    Whoever may write anywhere can write a whole chain anew: its end is another one then.
    """

    number: int
    digest: str
    faults: tuple[Fault, ...]

    def document(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Kept:
    """The end of a chain as an earlier run printed it: number, and digest in hex."""

    number: int = 0
    digest: str = chain.GENESIS


NOTHING_KEPT = Kept()


def of_tenant(tenant: Tenant, kept: Kept = NOTHING_KEPT) -> Finding:
    """A tenant's chain, read inside the tenant. Raises TenantSuspended."""
    job = TenantContext(tenant.id, Actor.system("verify_audit"), Scope.TENANT, is_read_only=True)
    with context.enter(job):
        return _read(chain.TENANTS, kept)


def of_platform(kept: Kept = NOTHING_KEPT) -> Finding:
    """The platform's own chain."""
    return _read(chain.PLATFORM, kept)


def _read(links: Chain, kept: Kept) -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(links.verify())
        faults = tuple(Fault(*row) for row in cursor.fetchall())
        cursor.execute(links.head_query())
        number, digest = cursor.fetchone() or (0, chain.GENESIS)
        if kept.number:
            cursor.execute(links.link_query(), [kept.number])
            if cursor.fetchone() != (kept.digest,):
                faults += (Fault("kept_differs", kept.number, None),)
    return Finding(number, digest, faults)
