"""What can be wrong with an archive. Whoever meets one of these has restored nothing."""

from config.api.errors import DomainError


class ArchiveUnfit(DomainError):
    """An archive that is not to be trusted, or not to be read here."""

    code = "archive_unfit"
    status = 500
    title = "The archive cannot be used."


class ArchiveTorn(ArchiveUnfit):
    code = "archive_torn"
    title = "The archive ends before its end."


class ArchiveAltered(ArchiveUnfit):
    code = "archive_altered"
    title = "The archive is not as it was written, or another key wrote it."


class NoArchive(ArchiveUnfit):
    code = "no_archive"
    title = "This is no archive of a tenant."


class UnknownFormat(ArchiveUnfit):
    code = "unknown_format"
    title = "The archive is of a format that this release does not read."


class ForeignArchive(ArchiveUnfit):
    code = "foreign_archive"
    title = "The archive is another than the one it is kept as."
