"""What can be wrong with a second factor."""

from config.api.errors import DomainError


class SecondFactorNeeded(DomainError):
    code = "second_factor_needed"
    status = 401
    title = "Send the code of your authenticator, or a recovery code, as `otp`."


class WrongSecondFactor(DomainError):
    code = "wrong_second_factor"
    status = 401
    title = "The code is not right, or has been used."


class AlreadyEnrolled(DomainError):
    code = "second_factor_exists"
    status = 409
    title = "There is a second factor already. Remove it first."


class NothingToConfirm(DomainError):
    code = "nothing_to_confirm"
    status = 409
    title = "No authenticator waits for its first code. Enrol one first."


class NoSecondFactor(DomainError):
    code = "no_second_factor"
    status = 409
    title = "There is no second factor."


class SecondFactorRequired(DomainError):
    code = "second_factor_required"
    status = 403
    title = "A tenant of yours asks everyone for a second factor: it cannot be removed."
