"""How a session ends: in the database for good, and at the door at once."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import QuerySet

from accounts.sessions.models import Session
from accounts.trail import echoes
from accounts.trail.echoes import Echo
from tenants import admission, afterwards, context, hanging_up
from tenants.context import Actor


def end(sessions: QuerySet[Session], *, because: str, now: datetime) -> list[Session]:
    """End those that are open, in the caller's transaction; gives them.

    The door learns of it before the commit: when Valkey is away nothing has happened, and the
    caller hears so. Open sockets are closed after it. Raises ValkeyAway.

    After the commit it looks again: a log-in that was under way may have opened one meanwhile, for
    a password or a role that is no more. One that opens still later reads what was committed.
    """
    entered = context.current()
    everywhere = sessions.filter(tenant_id=entered.tenant_id) if entered else sessions.all()
    afterwards.do(partial(_end, everywhere, because=because, now=now))
    return _end(sessions, because=because, now=now)


def end_everywhere(sessions: QuerySet[Session], *, because: str, by: Actor, now: datetime) -> None:
    """The same on the platform, by what ends them in all tenants: those hear of it.

    Called in a transaction. Raises ValkeyAway.
    """
    end_them = partial(_end_and_tell, sessions.all(), because=because, by=by, now=now)
    afterwards.do(end_them)
    end_them()


def _end_and_tell(sessions: QuerySet[Session], *, because: str, by: Actor, now: datetime) -> None:
    with transaction.atomic():
        ended, after = _end_open(sessions, because=because, now=now), {"because": because}
        told = [Echo(s.tenant_id, "session.ended", s, after=after) for s in ended]
        echoes.tell(told, by=by)


def _end(sessions: QuerySet[Session], *, because: str, now: datetime) -> list[Session]:
    with transaction.atomic():
        return _end_open(sessions, because=because, now=now)


def _end_open(sessions: QuerySet[Session], *, because: str, now: datetime) -> list[Session]:
    ended = list(sessions.filter(ended_at=None).select_for_update())
    if not ended:
        return []
    ids = [session.id for session in ended]
    Session.objects.filter(pk__in=ids).update(ended_at=now, ended_because=because)
    admission.end(ids)
    for session in ended:
        where = (session.tenant_id, session.user_id, session.id)
        afterwards.do(partial(hanging_up.on_session, *where))
    return ended
