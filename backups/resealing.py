"""New keys: data keys go under a new master key, or a tenant's archives have another data key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from accounts.trail import actions as trail
from backups import keys
from backups.errors import WrongBackupKey
from backups.storage import place
from tenants.models import Tenant

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Resealed:
    """What was found; of how many tenants, the whole server being one more."""

    owners: int
    keys: int
    resealed: int


def reseal(*, by: str, report: Report, dry_run: bool = False) -> Resealed:
    """Put all data keys in the storage under the first of BACKUP_KEYS. Twice is no error.

    A worker that was started with the old keys alone goes on to make such keys, and reads no other:
    workers get the new one before. Raises WrongBackupKey at the end for what no key opens,
    BackupKeysMissing, and what the storage raises.
    """
    slugs = dict(Tenant.objects.values_list("id", "slug"))
    found = []
    for each in keys.reseal_all(place.chosen(), dry_run=dry_run):
        found.append(each)
        report(f"{_name(each.tenant_id, slugs)}: {_told(each, dry_run=dry_run)}")
    done = Resealed(len(found), sum(e.seen for e in found), sum(e.resealed for e in found))
    shut = [f"{_name(e.tenant_id, slugs)} ({key})" for e in found for key in e.shut]
    if not dry_run:
        after = {"keys": done.keys, "resealed": done.resealed, "shut": len(shut)}
        trail.record("backup_keys.resealed", by=by, kind="backups", after=after)
    if shut:
        raise WrongBackupKey(
            f"Keys that none of BACKUP_KEYS opens: {', '.join(shut)}. Put the key that sealed them"
            " back, and run again; the others are done."
        )
    return done


def renew(*, tenant: Tenant, by: str) -> UUID:
    """A new data key, for what the tenant's archives seal from now on; gives its id.

    For one that may have leaked: what that has sealed it opens for ever, so archives of before are
    to go, or to be taken anew. Raises BackupKeysMissing, and what the storage raises.
    """
    fresh = keys.make(place.chosen(), tenant.id)
    after = {"key": fresh.id}
    trail.record("backup_keys.renewed", by=by, kind="tenant", key=tenant.slug, after=after)
    return fresh.id


def _name(tenant_id: UUID, slugs: dict[UUID, str]) -> str:
    """Of one that is gone, its id."""
    known = {place.PLATFORM: "the whole server", **slugs}
    return known.get(tenant_id, str(tenant_id))


def _told(found: keys.Resealing, *, dry_run: bool) -> str:
    verb = "to re-seal" if dry_run else "re-sealed"
    shut = f", {len(found.shut)} that no key opens" if found.shut else ""
    return f"{found.seen} keys, {found.resealed} {verb}{shut}"
