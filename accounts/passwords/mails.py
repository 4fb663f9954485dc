"""Mails to people about themselves."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.template.loader import render_to_string

from accounts import mailing
from accounts.users.models import User


def send_reset(user_id: UUID) -> None:
    """A link with which the person sets a new password. Raises OSError when mail does not go out.

    The token is in the link's fragment, which no server logs and no other page is told.
    """
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return
    token = default_token_generator.make_token(user)
    about = {
        "link": f"{settings.PASSWORD_RESET_URL}#{urlencode({'user': user.id, 'token': token})}",
        "user": user.id,
        "token": token,
        "is_proven": user.is_email_proven,
        "minutes": settings.PASSWORD_RESET_TIMEOUT // 60,
    }
    text = render_to_string("accounts/password_reset.txt", about)
    mailing.send("Your new password for Bulkhead", text, to=user.email)
