"""How a session ends: in the database for good, and at the door at once."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts.sessions.models import Session
from tenants import admission, sockets


def end(sessions: QuerySet[Session], *, because: str, now: datetime) -> list[Session]:
    """End those that are open, in the caller's transaction; gives them.

    The door learns of it before the commit: when Valkey is away nothing has happened, and the
    caller hears so. Open sockets are closed after it. Raises ValkeyAway.
    """
    ended = list(sessions.filter(ended_at=None).select_for_update())
    if not ended:
        return []
    ids = [session.id for session in ended]
    Session.objects.filter(pk__in=ids).update(ended_at=now, ended_because=because)
    admission.end(ids)
    for session in ended:
        transaction.on_commit(
            lambda s=session: sockets.hang_up(s.tenant_id, s.user_id, s.id), robust=True
        )
    return ended
