"""The tenants' data keys: sealed by the master key, beside the archives, and nowhere else.

The database has none of them, so that no log-in of it opens an archive. Web and the common workers
have no master key.
"""

from __future__ import annotations

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
    known = _ids(storage, tenant_id)
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


def reseal(storage: Storage, tenant_id: UUID) -> int:
    """Put a tenant's keys under the first master key; gives how many were not.

    The archives stay as they are. Raises WrongBackupKey, BackupKeysMissing.
    """
    resealed = 0
    for key_id in _ids(storage, tenant_id):
        if not _ring().is_current(_read(storage, tenant_id, key_id)):
            _write(storage, tenant_id, of(storage, tenant_id, key_id))
            resealed += 1
    return resealed


def _ids(storage: Storage, tenant_id: UUID) -> list[UUID]:
    """Oldest first: ids sort by when they were made."""
    names = storage.names(place.keys(tenant_id))
    return sorted(UUID(PurePosixPath(name).stem) for name in names)


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
