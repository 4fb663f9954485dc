"""The tenants' data keys: sealed by the master key, beside the archives, and nowhere else.

The database has none of them, so that no log-in of it opens an archive. Web and the common workers
have no master key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from uuid import UUID

from django.conf import settings

from accounts.keyring import Keyring, KeyUnfit, Unsealable, key_of
from backups.archive import keys
from backups.archive.keys import DataKey
from backups.archive.streams import read_up_to
from backups.errors import BackupKeysMissing, BackupKeyUnfit, WrongBackupKey
from backups.storage import place
from backups.storage.errors import NotStored
from backups.storage.interface import Storage
from tenants.identifiers import new_id

_LONGEST = 4_096  # bytes of a sealed key


def newest(storage: Storage, tenant_id: UUID) -> DataKey:
    """The key for what is written now; made when there is none. Raises BackupKeysMissing."""
    known = ids(storage, tenant_id)
    return of(storage, tenant_id, known[-1]) if known else make(storage, tenant_id)


def make(storage: Storage, tenant_id: UUID) -> DataKey:
    """A new one, for archives from now on; the ones before open what they have sealed."""
    fresh = DataKey(new_id(), keys.new_secret())
    _write(storage, tenant_id, fresh)
    return fresh


def of(storage: Storage, tenant_id: UUID, key_id: UUID) -> DataKey:
    """One by its id. Raises WrongBackupKey, BackupKeysMissing."""
    try:
        sealed = _read(storage, tenant_id, key_id)
        secret = _ring().unseal(sealed, purpose=_purpose(tenant_id, key_id))
    except (NotStored, Unsealable) as fault:
        raise WrongBackupKey from fault
    return DataKey(key_id, secret)


def ids(storage: Storage, tenant_id: UUID) -> list[UUID]:
    """Oldest first: ids sort by when they were made."""
    names = storage.names(place.keys(tenant_id))
    return sorted(UUID(PurePosixPath(name).stem) for name in names)


def destroy(storage: Storage, tenant_id: UUID) -> None:
    """For good: nothing opens what the tenant's keys have sealed, whoever has a copy of it."""
    for key_id in ids(storage, tenant_id):
        storage.remove(place.key(tenant_id, key_id))


@dataclass(frozen=True, slots=True)
class Resealing:
    """Of one tenant's keys: how many there are, and were put under the first master key; and those
    that no master key opens."""

    tenant_id: UUID
    seen: int
    resealed: int
    shut: tuple[UUID, ...]


def reseal_all(storage: Storage, *, dry_run: bool = False) -> Iterator[Resealing]:
    """Put all keys under the first master key: of tenants, also of those that are gone, and of the
    whole server.

    What they have sealed stays as it is, and so no archive is written anew. A key that does not
    open stays too, and the others go on. Raises BackupKeysMissing.
    """
    owners: dict[UUID, list[UUID]] = {}
    for name in storage.names(""):
        if name.endswith(place.KEY) and (ids := place.named(name)):
            owners.setdefault(ids[0], []).append(ids[1])
    for tenant_id, key_ids in sorted(owners.items()):
        yield _reseal(storage, tenant_id, key_ids, dry_run=dry_run)


def _reseal(storage: Storage, tenant_id: UUID, key_ids: list[UUID], *, dry_run: bool) -> Resealing:
    resealed, shut = 0, []
    for key_id in key_ids:
        try:
            key = of(storage, tenant_id, key_id)
        except WrongBackupKey:
            shut.append(key_id)
            continue
        if not _ring().is_current(_read(storage, tenant_id, key_id)):
            if not dry_run:
                _write(storage, tenant_id, key)
            resealed += 1
    return Resealing(tenant_id, len(key_ids), resealed, tuple(shut))


def _read(storage: Storage, tenant_id: UUID, key_id: UUID) -> bytes:
    with storage.reading(place.key(tenant_id, key_id)) as source:
        return read_up_to(source, _LONGEST)


def _write(storage: Storage, tenant_id: UUID, key: DataKey) -> None:
    sealed = _ring().seal(key.secret, purpose=_purpose(tenant_id, key.id))
    with storage.writing(place.key(tenant_id, key.id)) as sink:
        sink.write(sealed)


def _purpose(tenant_id: UUID, key_id: UUID) -> str:
    return f"backups:{tenant_id}:{key_id}"


def _ring() -> Keyring:
    """Raises BackupKeysMissing, BackupKeyUnfit."""
    if not settings.BACKUP_KEYS:
        raise BackupKeysMissing
    try:
        return Keyring(key_of(text) for text in settings.BACKUP_KEYS)
    except KeyUnfit as fault:
        raise BackupKeyUnfit from fault
