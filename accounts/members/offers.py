"""The token that an invitation's mail carries: its id, signed; the row says the rest."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core import signing

from accounts.access.models import Invitation
from accounts.members.errors import InvitationExpired, InvitationInvalid

# Named for where invitations are stored; another name would make every mail under way worthless.
SALT = "accounts.access.invitation"


def token_of(invitation: Invitation) -> str:
    return signing.dumps(str(invitation.id), salt=SALT)


def read(token: str) -> Invitation:
    """Raises InvitationInvalid, or InvitationExpired."""
    try:
        key = signing.loads(token, salt=SALT, max_age=settings.INVITATION_SECONDS)
        invitation = Invitation.objects.filter(pk=UUID(key)).first()
    except signing.SignatureExpired as fault:
        raise InvitationExpired from fault
    except (signing.BadSignature, ValueError, TypeError, AttributeError) as fault:
        raise InvitationInvalid from fault
    if invitation is None:
        raise InvitationInvalid
    return invitation
