"""Backups as tests take them, and what a tenant has, to be compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from backups import actions, catalogue, queries, restoring
from backups.archive.entry import Entry
from backups.models import Backup
from backups.restoring import Restored
from backups.storage.interface import Storage
from backups.swapping import TRAIL
from tenants.context import Actor
from tenants.models import Tenant
from tenants.moving import carrying
from tests.cast import now
from tests.isolation.database import connected

BY = Actor.system("test")


def take(tenant: Tenant, reason: str = "asked") -> Backup:
    return actions.take(tenant=tenant, reason=reason, by=BY.name, now=now())


def entry_of(backup: Backup) -> Entry:
    return queries.of_tenant(backup.slug, backup.id)


def restore(backup: Backup) -> Restored:
    said: list[str] = []
    return restoring.restore(entry=entry_of(backup), by=BY, now=now(), report=said.append)


def restore_into(backup: Backup, slug: str) -> Tenant:
    said: list[str] = []
    how: dict[str, Any] = {"by": BY, "now": now(), "report": said.append}
    return restoring.restore_into(entry=entry_of(backup), slug=slug, **how).tenant


def archive_of(backup: Backup) -> Path:
    """The file in the storage."""
    folder = Path(settings.BACKUP_STORAGE.removeprefix("file://"))
    return folder / str(backup.tenant_id) / f"{backup.id}.bulkhead"


def entries(storage: Storage) -> list[Entry]:
    """Of all archives that count."""
    return [catalogue.read(storage, name) for name in catalogue.unknown(storage, known=())]


def stored() -> list[str]:
    """All that is in the storage, unfinished files too; keys aside."""
    folder = Path(settings.BACKUP_STORAGE.removeprefix("file://"))
    return sorted(p.name for p in folder.rglob("*") if p.is_file() and p.suffix != ".sealed")


def rows(tenant: Tenant, *, without: frozenset[str] = TRAIL) -> dict[str, list[Any]]:
    """All that the tenant has where it lives, by table and id, but for whose it is."""
    found: dict[str, list[Any]] = {}
    tenant.refresh_from_db()
    with connected("DATABASE_SUPERUSER_URL") as database:
        for table in carrying.tables():
            if table.name not in without:
                query = (
                    f"SELECT to_jsonb(t) - 'tenant_id' FROM \"{tenant.live_schema}\"."
                    f'"{table.name}" t WHERE tenant_id = %s ORDER BY id'
                )
                found[table.name] = database.execute(query.encode(), [tenant.id]).fetchall()
    return found


@contextmanager
def spoiled(backup: Backup, at: float = 0.5) -> Iterator[None]:
    """With a bit of its archive flipped."""
    path = archive_of(backup)
    content = path.read_bytes()
    place = int(len(content) * at)
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    yield
    path.write_bytes(content)
