"""What comes after a tenant's rows have become those of a backup. It is owed from their commit on:
who dies on the way leaves it to the next restore, or to a timer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.audit import actions as audit
from accounts.trail import actions as trail
from accounts.users import actions as users
from backups import catalogue, progress
from backups.errors import NoBackup
from backups.models import Restoration
from backups.storage import place
from tenants import afterwards, context, hanging_up, returning
from tenants.context import Actor, Scope, TenantContext
from tenants.lifecycle.errors import SchemasInUse
from tenants.models import Tenant
from tenants.moving import exclusion
from tenants.moving.errors import MoveUnderWay

Report = Callable[[str], None]
People = Mapping[UUID, str]  # emails by id

OPERATOR = Actor.system("backups")  # where nobody is named
_log = logging.getLogger("bulkhead.backups")


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A tenant that has a backup's rows, and the backup of those before, if there were any."""

    tenant: Tenant
    backup: UUID
    slug: str  # the tenant's that the backup is of
    taken_at: datetime
    undo: UUID | None


def settle(
    done: Exchanged,
    begun: Restoration | None,
    *,
    people: People,
    by: Actor,
    now: datetime,
    report: Report,
) -> None:
    """All of it: people, records, and who has something of the rows elsewhere. What was done before
    is not done twice."""
    remember(people, backup=done.backup, by=by, now=now, report=report)
    say(done, begun, by=by)
    have_heard(done.tenant)


def take_up(*, now: datetime) -> int:
    """End restorations whose runner was killed; gives how many. Whether one lives is found out by
    its lock, which went with it.

    One that cannot be ended stands in no other's way, and is there the next time: raises what kept
    it, once the others are ended.
    """
    ended, faults = 0, []
    for left in progress.left(now=now):
        with suppress(MoveUnderWay, SchemasInUse), exclusion.nobody_else(left.tenant_id):
            try:
                ended += end(left, now=now)
            except Exception as fault:  # noqa: BLE001 - whatever it is, the others are ended
                faults.append(fault)
    if faults:
        raise faults[0]
    return ended


def end(left: Restoration, *, now: datetime) -> bool:
    """Of a restoration that nobody runs: it has failed, or, once its rows were exchanged, what is
    owed is done. Gives whether it was still to be ended; called by who is alone at the tenant."""
    if progress.fail(left, "broken_off", now=now):
        return True
    left.refresh_from_db()
    if left.status != Restoration.Status.RUNNING:
        return False
    tenant = Tenant.objects.get(pk=left.tenant_id)
    of = left.backup
    done = Exchanged(tenant, of.pk, of.slug, of.taken_at or now, left.undo_id)
    by = Actor.user(left.asked_by_id) if left.asked_by_id else OPERATOR
    settle(done, left, people=_people(left), by=by, now=now, report=_log.info)
    return True


@transaction.atomic
def remember(people: People, *, backup: UUID, by: Actor, now: datetime, report: Report) -> None:
    """Rows keep their owners: id and email of who was deleted since stand there again, shut out."""
    for user in users.remember(people=people, now=now):
        trail.record("person.remembered", by=by.name, on=user, after={"backup": backup})
        report(f"{user.email} is gone: the id stands for its rows, shut out")


def say(done: Exchanged, begun: Restoration | None, *, by: Actor) -> None:
    """On the platform, and to the tenant itself if it lets anybody in: each once, with the
    restoration's row, whoever dies between the two."""
    what: dict[str, Any] = {"kind": "tenant", "key": done.tenant.slug}
    what["after"] = {
        "backup": done.backup,
        "of": done.taken_at,
        "from": done.slug,
        "undo": done.undo,
    }
    if not progress.is_on_record(begun):
        with transaction.atomic():
            trail.record("tenant.restored", by=by.name, **what)
            progress.note(begun, progress.ON_RECORD)
    if done.tenant.status != Tenant.Status.ACTIVE:
        progress.done(begun)
        return
    with context.enter(TenantContext(done.tenant.id, by, Scope.TENANT)):
        audit.record("tenant.restored", **what)
        progress.done(begun)


def have_heard(tenant: Tenant) -> None:
    """Whoever has something of the rows elsewhere: sockets come again and read anew, and timers do
    the rest where this fails."""
    afterwards.do(partial(hanging_up.on_tenant, tenant.id))
    returning.tell(tenant.id)


def _people(left: Restoration) -> People:
    """Nobody, should the archive have gone meanwhile."""
    storage = place.chosen()
    with suppress(NoBackup):
        entry = catalogue.of(storage, tenant_id=left.tenant_id, backup_id=left.backup_id)
        return catalogue.check(storage, entry).emails
    return {}
