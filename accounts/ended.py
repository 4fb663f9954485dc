"""What has ended while access tokens of it may still be about, of every kind."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.sessions.models import Session
from accounts.support.models import SupportSession


def lately() -> list[UUID]:
    """Ids of ended sessions, for a Valkey that has forgotten them; asked on the platform."""
    since = timezone.now() - timedelta(seconds=settings.ACCESS_TOKEN_SECONDS + 60)
    return [
        ended
        for model in (Session, SupportSession)
        for ended in model._default_manager.filter(ended_at__gte=since).values_list("id", flat=True)
    ]
