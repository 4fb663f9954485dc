"""What may be done with backups of the whole platform."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from accounts.trail import actions as trail
from backups import actions as backups
from backups import snapshot
from backups.archive.entry import Entry
from backups.models import Backup
from backups.platform import base, bases, copying, instants, retention, wal
from backups.platform.base import Base
from backups.platform.errors import BaseNotTaken, NoBase, NoTenantThen
from backups.platform.phases import Phases
from backups.queries import of_tenant
from backups.storage import place
from tenants.models import Tenant

_SUNDAY = 7
_BROKEN_OFF = timedelta(days=2)  # after which a copy without an entry is nobody's any more


@dataclass(frozen=True, slots=True)
class Pruned:
    """What no instant that is kept needs any more."""

    bases: tuple[Base, ...]
    wal: int  # files


def take(*, is_incremental: bool, by: str, phases: Phases) -> Base:
    """Copy all of the server's files, or what has changed since the last copy.

    From the first on its WAL is kept. Raises NoBase where there is nothing to stand on,
    WalNotArchived, BaseNotTaken, NoPrograms, NoBackupLogIn, BackupKeysMissing, or what the storage
    raises; none of these leaves a copy that counts.
    """
    storage = place.chosen()
    parent = base.newest(bases.stored(storage)) if is_incremental else None
    wal.keep()
    with phases.phase("WAL brought"):
        wal.ship(storage)
    with phases.phase("files copied"):
        taken = copying.take(storage, parent=parent)
    with phases.phase("WAL of meanwhile brought"):
        wal.ship_all(storage)
    after = {"parent": taken.parent, "size": taken.size, "began_at": taken.began_at}
    trail.record("platform.backed_up", by=by, kind="base", key=str(taken.id), after=after)
    return taken


def take_due(*, now: datetime, by: str, phases: Phases) -> Base | None:
    """Tonight's, once somebody has begun: on Sundays a full one, else what has changed. Also a full
    one where the server does not know that, as on a new timeline."""
    if not bases.stored(place.chosen()):
        return None
    if now.isoweekday() < _SUNDAY:
        with suppress(BaseNotTaken):
            return take(is_incremental=True, by=by, phases=phases)
    return take(is_incremental=False, by=by, phases=phases)


def ship() -> int:
    """Bring what the server has laid down into the storage; gives how many files that were."""
    return wal.ship(place.chosen()) if wal.is_kept() else 0


def ship_all() -> int:
    """Bring all that has been committed by now. Raises NoBase where nobody keeps any, and as
    `wal.ship_all`."""
    if not wal.is_kept():
        raise NoBase
    return wal.ship_all(place.chosen())


def prune(*, now: datetime, by: str, dry_run: bool = False) -> Pruned:
    """Take away what leads to no instant that is kept: copies first, then their WAL; and what was
    broken off.

    If that is all that is done, the next one does the rest.
    """
    storage = place.chosen()
    known = bases.stored(storage)
    stay = retention.kept(known, days=settings.PLATFORM_BACKUP_DAYS, now=now)
    gone = tuple(each for each in known if each.id not in stay)
    kept = [each for each in known if each.id in stay]
    lost = bases.broken_off(storage, before=now - _BROKEN_OFF)
    first, size = retention.first_segment(kept), known[0].segment_size if known else 0
    is_first_under_way = not known and wal.is_kept()
    surplus = [] if is_first_under_way else wal.before(storage, first, size)
    if not dry_run:
        for each in gone:
            bases.remove(storage, each)
            trail.record("platform.backup_removed", by=by, kind="base", key=str(each.id))
        for name in (*lost, *surplus):
            storage.remove(name)
    return Pruned(gone, len(surplus))


def of_instant(*, slug: str, at: datetime, by: str, now: datetime, phases: Phases) -> Entry:
    """A backup of a tenant as it was at an instant, whatever has become of it since.

    Raises NoTenantThen, OtherShape, and as `instants.standing`.
    """
    with instants.standing(at, phases) as instant:
        tenant_id = snapshot.tenant_then(instant, slug)
        tenant = Tenant.objects.filter(pk=tenant_id).first()
        if tenant is None:
            raise NoTenantThen(f"There was no tenant {slug!r} at {at.isoformat()}.")
        with phases.phase("tenant taken out"):
            taken = backups.take(
                tenant=tenant, reason=Backup.Reason.INSTANT, by=by, now=now, instant=instant
            )
    return of_tenant(slug, taken.id)
