"""What can go wrong between us and the place where archives are kept."""

from config.api.errors import DomainError


class NotStored(DomainError):
    code = "not_stored"
    status = 404
    title = "The storage has nothing of this name."


class UnknownStorage(DomainError):
    code = "unknown_storage"
    status = 500
    title = "BACKUP_STORAGE names a place that we cannot keep anything in."
