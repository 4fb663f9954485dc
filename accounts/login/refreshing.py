"""A refresh token: found, judged, and traded for the next one."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from accounts.access.callers import Device
from accounts.access.errors import InvalidCredential
from accounts.audit import actions as audit
from accounts.login import issuing
from accounts.sessions import ending
from accounts.sessions.models import RefreshToken

REUSED = "a refresh token was used twice"


def known(token: str) -> RefreshToken:
    """Raises InvalidCredential."""
    rows = RefreshToken.objects.select_related("session", "user")
    found = rows.filter(digest=issuing.digest(token)).first()
    if found is None:
        raise InvalidCredential
    return found


def is_open(known: RefreshToken) -> bool:
    return known.user.is_active and known.session.ended_at is None


def is_good(known: RefreshToken, *, now: datetime) -> bool:
    """Of an open session's: whether it would be traded."""
    return known.used_at is None and known.expires_at > now


def trade(known: RefreshToken, *, device: Device, now: datetime) -> str | None:
    """The next token of the session; None for one that has run out.

    None too, and the end of the session, for one that was used, however long ago.
    """
    session = known.session
    if known.used_at is None and known.expires_at <= now:
        return None
    if not RefreshToken.objects.filter(pk=known.pk, used_at=None).update(used_at=now):
        ending.end(issuing.alone(session), because=REUSED, now=now)
        audit.record("session.ended", on=session, after={"because": REUSED})
        return None
    session.last_seen_at = now
    session.expires_at = min(
        now + timedelta(seconds=settings.REFRESH_TOKEN_SECONDS),
        session.created_at + timedelta(seconds=settings.SESSION_SECONDS),
    )
    session.address = device.address or None
    session.save(update_fields=["last_seen_at", "expires_at", "address"])
    return issuing.new_refresh_token(session, now=now)
