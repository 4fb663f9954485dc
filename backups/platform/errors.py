"""What can stand between an operator and the server as it was. None of it has changed live data."""

from config.api.errors import DomainError


class NoPrograms(DomainError):
    code = "no_postgres_programs"
    status = 500
    title = "PostgreSQL's programs are not on this machine: set POSTGRES_BIN."


class WalNotArchived(DomainError):
    code = "wal_not_archived"
    status = 503
    title = "The server's WAL does not arrive."


class TwoServers(DomainError):
    code = "two_servers"
    status = 409
    title = "Another server, which went on from this one, writes into the storage."


class BaseNotTaken(DomainError):
    code = "base_not_taken"
    status = 500
    title = "The server's files were not copied."


class BaseUnfit(DomainError):
    code = "base_unfit"
    status = 500
    title = "A copy of the server's files is not as the server wrote it."


class NoBase(DomainError):
    code = "no_base"
    status = 404
    title = "There is no copy of the whole server's files: take one by `backup_platform`."


class InstantTooEarly(DomainError):
    code = "instant_too_early"
    status = 409
    title = "The instant comes before all that is kept."


class InstantToCome(DomainError):
    code = "instant_to_come"
    status = 409
    title = "The instant has not come yet."


class WalMissing(DomainError):
    code = "wal_missing"
    status = 409
    title = "A part of the WAL that leads to the instant is missing."


class NotAtInstant(DomainError):
    code = "not_at_instant"
    status = 500
    title = "The scratch server does not stand at the instant."


class ScratchEnded(DomainError):
    code = "scratch_ended"
    status = 500
    title = "The scratch server ended."


class NoTenantThen(DomainError):
    code = "no_tenant_then"
    status = 404
    title = "There was no such tenant at that instant."


class AlreadyThere(DomainError):
    code = "already_there"
    status = 409
    title = "A platform is there already: what is lost is recovered into an empty data folder."
