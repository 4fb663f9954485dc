"""What can be wrong with an invitation."""

from config.api.errors import DomainError


class AlreadyMember(DomainError):
    code = "already_member"
    status = 409
    title = "This person is a member already."


class InvitationInvalid(DomainError):
    code = "invitation_invalid"
    status = 400
    title = "This is no invitation of ours. Copy the whole link."


class InvitationExpired(DomainError):
    code = "invitation_expired"
    status = 409
    title = "The invitation has run out. Ask for a new one."


class InvitationWithdrawn(DomainError):
    code = "invitation_withdrawn"
    status = 409
    title = "The invitation has been withdrawn."


class InvitationAccepted(DomainError):
    code = "invitation_accepted"
    status = 409
    title = "The invitation has been accepted already. Log in."


class ProofNeeded(DomainError):
    code = "proof_needed"
    status = 401
    title = "Send your password, or sign in as the person who is invited."


class TooManyInvitations(DomainError):
    code = "too_many_invitations"
    status = 429
    title = "This tenant has sent too many invitations today."
