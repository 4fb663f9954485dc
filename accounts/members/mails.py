"""Mails about memberships."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string

from accounts import mailing
from accounts.access.models import Invitation, Membership
from accounts.members import offers


def send_invitation(invitation_id: UUID) -> None:
    """A link with which the invitation is accepted. Raises OSError when mail does not go out.

    The token is in the link's fragment, which no server logs and no other page is told.
    """
    rows = Invitation.objects.filter(pk=invitation_id, accepted_at=None, withdrawn_at=None)
    invitation = rows.select_related("tenant").first()
    if invitation is None:
        return
    token = offers.token_of(invitation)
    about = {
        "tenant": invitation.tenant.slug,
        "role": invitation.role,
        "inviter": _inviter(invitation),
        "link": f"{settings.INVITATION_URL}#{urlencode({'token': token})}",
        "token": token,
        "expires_at": invitation.expires_at,
    }
    text = render_to_string("accounts/invitation.txt", about)
    subject = f"Invitation to {invitation.tenant.slug} on Bulkhead"
    mailing.send(subject, text, to=invitation.email)


def _inviter(invitation: Invitation) -> str:
    """By email only who has proven that it is theirs: else anybody writes in anybody's name."""
    if invitation.invited_by_id is None:
        return ""
    theirs = Membership.objects.filter(
        tenant_id=invitation.tenant_id,
        user_id=invitation.invited_by_id,
        user__email_proven_at__isnull=False,
    )
    return theirs.values_list("email", flat=True).first() or ""
