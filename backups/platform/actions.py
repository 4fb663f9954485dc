"""What may be done with backups of the whole platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from accounts.trail import actions as trail
from backups import actions as backups
from backups import queries, snapshot
from backups.archive.entry import Entry
from backups.archive.errors import ArchiveUnfit
from backups.errors import WrongBackupKey
from backups.models import Backup
from backups.platform import bases, copying, instants, retention, server, wal
from backups.platform.base import Base
from backups.platform.bases import Stored
from backups.platform.errors import BaseNotTaken, BaseUnfit, NoBase, NoTenantThen
from backups.platform.phases import Phases
from backups.storage import place
from backups.storage.interface import Storage
from tenants.models import Tenant

_SUNDAY = 7


@dataclass(frozen=True, slots=True)
class Pruned:
    """What no instant that is kept needs any more."""

    bases: tuple[Base, ...]
    wal: int  # files
    unfit: Mapping[str, str]  # entries that cannot be read, by name: the codes; they stay


def take(*, is_incremental: bool, by: str, phases: Phases) -> Base:
    """Copy all of the server's files, or what has changed since the last copy.

    From the first on its WAL is kept. Raises NoBase, BaseUnfit and as `Stored.newest` where there
    is nothing to stand on, TwoServers, WalNotArchived, BaseNotTaken, NoPrograms, NoBackupLogIn,
    BackupKeysMissing, or what the storage raises; none of these leaves a copy that counts.
    """
    storage, facts = place.chosen(), server.facts()
    wal.check_ours(storage, facts)
    parent = bases.stored(storage).of(facts.system).newest() if is_incremental else None
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
    one where the server does not know that, as on a new timeline, or none is whole to stand on."""
    known = bases.stored(place.chosen()).of(server.facts().system)
    if not (known.bases or known.faults):
        return None
    if now.isoweekday() < _SUNDAY:
        with suppress(BaseNotTaken, NoBase, BaseUnfit, ArchiveUnfit, WrongBackupKey):
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

    If that is all that is done, the next one does the rest. A copy whose entry cannot be read
    stays, and so does all that it may need.
    """
    storage = place.chosen()
    known = bases.stored(storage)
    stay = retention.kept(known.bases, days=settings.PLATFORM_BACKUP_DAYS, now=now)
    gone = tuple(each for each in known.bases if each.id not in stay)
    lost = bases.broken_off(storage, before=now - backups.BROKEN_OFF)
    kept = [each for each in known.bases if each.id in stay]
    surplus = [] if _may_need_any(known, now=now) else _surplus_wal(storage, kept)
    if not dry_run:
        for each in gone:
            bases.remove(storage, each)
            trail.record("platform.backup_removed", by=by, kind="base", key=str(each.id))
        for name in (*lost, *surplus):
            storage.remove(name)
    return Pruned(gone, len(surplus), known.unfit)


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
    return queries.of_tenant(slug, taken.id)


def _may_need_any(known: Stored, *, now: datetime) -> bool:
    """Whether nobody can say what of the WAL is needed: by the first copy while it is being taken,
    or by one that cannot be read and that none since makes needless."""
    if known.faults:
        return retention.oldest(known.bases, days=settings.PLATFORM_BACKUP_DAYS, now=now) is None
    return not known.bases and wal.is_kept()


def _surplus_wal(storage: Storage, kept: Sequence[Base]) -> list[str]:
    size = kept[0].segment_size if kept else 0
    return wal.before(storage, retention.first_segment(kept), size)
