"""What can stand between a member and what they asked for."""

from config.api.errors import DomainError


class EnrolmentNeeded(DomainError):
    code = "second_factor_enrolment_needed"
    status = 403
    title = "This tenant asks everyone for a second factor. Add one under auth/mfa/totp/ first."


class StepUpNeeded(DomainError):
    code = "step_up_needed"
    status = 403
    title = "Confirm that it is you: POST auth/step-up/, then use the token it gives."
