"""Having proven oneself just now: what it takes to hand out secrets, rights or data."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from accounts.access.errors import StepUpNeeded
from tenants.identity import Identity

_CLOCKS_APART = 30  # seconds


def require(by: Identity, *, now: datetime) -> None:
    """Raises StepUpNeeded but for who stepped up within `STEP_UP_SECONDS`, which no API key can."""
    age = now.timestamp() - by.stepped_up_at
    if not -_CLOCKS_APART <= age <= settings.STEP_UP_SECONDS:
        raise StepUpNeeded
