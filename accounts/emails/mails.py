"""The mail that asks whether an address is its account's."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string

from accounts import mailing
from accounts.emails import confirmations
from accounts.users.models import User


def send_confirmation(user_id: UUID) -> None:
    """A link that the person opens signed in. Raises OSError when mail does not go out.

    The token is in the link's fragment, which no server logs and no other page is told.
    """
    user = User.objects.filter(pk=user_id, is_active=True, email_proven_at=None).first()
    if user is None:
        return
    token = confirmations.token_of(user)
    about = {
        "link": f"{settings.EMAIL_CONFIRMATION_URL}#{urlencode({'token': token})}",
        "token": token,
        "days": settings.EMAIL_CONFIRMATION_SECONDS // 86400,
    }
    text = render_to_string("accounts/email_confirmation.txt", about)
    mailing.send("Is this address yours? Bulkhead asks", text, to=user.email)
