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
