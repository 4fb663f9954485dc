"""What can go wrong while a tenant is moved. The tenant lives on where it was, or where it is."""

from config.api.errors import DomainError


class NothingToMove(DomainError):
    code = "nothing_to_move"
    status = 409
    title = "The tenant lives there already."


class NotMovable(DomainError):
    code = "not_movable"
    status = 409
    title = "The tenant cannot be moved now."


class MovingElsewhere(DomainError):
    code = "moving_elsewhere"
    status = 409
    title = "The tenant is on its way to the other side: finish that first, or give it up."


class MoveUnderWay(DomainError):
    code = "move_under_way"
    status = 409
    title = "Somebody else is moving this tenant, or restoring it."


class MoveGivenUp(DomainError):
    code = "move_given_up"
    status = 409
    title = "Somebody has given the move up: the tenant stays where it is."


class TenantIsBusy(DomainError):
    code = "tenant_is_busy"
    status = 503
    title = "The tenant has work open that does not end; run the command again."


class SchemaDiffers(DomainError):
    code = "schema_differs"
    status = 500
    title = "The tables that were filled are not as the migrations make them; nothing was switched."


class RowsDiffer(DomainError):
    code = "rows_differ"
    status = 500
    title = "What was copied is not what is there; nothing was switched."
