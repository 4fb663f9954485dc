"""What can stand between an operator, or an owner, and a backup."""

from config.api.errors import DomainError


def code_of(fault: Exception) -> str:
    """As rows and trails name it: of what is none of ours, the name of its class."""
    return str(getattr(fault, "code", type(fault).__name__))[:64]


class BackupKeysMissing(DomainError):
    code = "backup_keys_missing"
    status = 503
    title = "This process has no keys for backups: set BACKUP_KEYS."


class BackupKeyUnfit(DomainError):
    code = "backup_key_unfit"
    status = 500
    title = "BACKUP_KEYS takes keys of 32 bytes, in hex."


class WrongBackupKey(DomainError):
    """The archive is whole for all we know, but it is none of ours."""

    code = "wrong_backup_key"
    status = 500
    title = "None of BACKUP_KEYS opens what this archive is sealed with."


class NoBackup(DomainError):
    code = "not_found"
    status = 404
    title = "Not found."


class TakenByAnother(DomainError):
    code = "taken_by_another"
    status = 409
    title = "A worker has come to this backup first, and takes it."


class TooManyBackups(DomainError):
    code = "too_many_backups"
    status = 429
    title = "The tenant has asked for as many backups as it may within 24 hours."


class ExportNotReady(DomainError):
    code = "export_not_ready"
    status = 409
    title = "The export is not ready: ask for it, and come again once `export_until` is set."


class RestorationUnderWay(DomainError):
    code = "restoration_under_way"
    status = 409
    title = "The tenant is being restored already."


class RowsMissing(DomainError):
    code = "rows_missing"
    status = 500
    title = "The archive does not hold as many rows as the database counts."


class OtherShape(DomainError):
    code = "other_shape"
    status = 409
    title = "The archive is of tables as this release does not have them."


class PartsMissing(OtherShape):
    code = "parts_missing"
    title = "The archive lacks what there was when it was taken."


class NotRestored(DomainError):
    code = "not_restored"
    status = 500
    title = "What was put back is not what the archive holds; nothing was changed."


class Unfinished(DomainError):
    """The rows are exchanged, and the restoration's row says so."""

    code = "restored_unfinished"
    status = 500
    title = "The tenant is put back. What comes after that is done within minutes, by a timer."


class BackupBehind(DomainError):
    code = "backup_behind"
    status = 503
    title = "DATABASE_BACKUP_URL leads to a standby that is too far behind; nothing was changed."


class NotRestorable(DomainError):
    code = "not_restorable"
    status = 409
    title = "The backup cannot be restored there."
