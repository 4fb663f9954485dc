"""What can go wrong between us and the place where archives are kept."""

from config.api.errors import DomainError


class NotStored(DomainError):
    code = "not_stored"
    status = 404
    title = "The storage has nothing of this name."


class StorageAway(DomainError):
    code = "storage_away"
    status = 503
    title = "The storage of backups does not answer, or not to the end."


class StorageRefused(DomainError):
    code = "storage_refused"
    status = 500
    title = "The storage of backups refuses what we ask of it."


class UnknownStorage(DomainError):
    code = "unknown_storage"
    status = 500
    title = "BACKUP_STORAGE names a place that we cannot keep anything in."
