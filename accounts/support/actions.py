"""Letting the platform's staff into a tenant: asked for, opened by another, watched, ended."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from accounts.access.roles import Role
from accounts.audit import actions as audit
from accounts.support.errors import NotTwoPeople, SupportClosed
from accounts.support.models import SupportSession
from accounts.tokens import credentials
from accounts.tokens.credentials import Grant
from accounts.trail import actions as trail
from accounts.trail import echoes
from accounts.trail.echoes import Echo
from accounts.users.models import User
from tenants import admission, afterwards, context, hanging_up
from tenants.context import Actor, Scope, TenantContext
from tenants.identity import Identity
from tenants.models import Tenant

_QUERY = "%!$&'()*+,;:=@/?"  # what stands in a query as it is (RFC 3986, 3.4)
_LONGEST_QUERY = 500  # characters


def ask(*, tenant: Tenant, staff: User, reason: str, now: datetime) -> SupportSession:
    """Ask to be let into a tenant; called on the platform. Nothing is open yet."""
    with _inside(tenant.id, staff.id):
        session = SupportSession.objects.create(
            tenant_id=tenant.id,
            staff_id=staff.id,
            staff_email=staff.email,
            reason=reason,
            requested_at=now,
        )
        audit.record("support.requested", on=session, after={"reason": reason})
    return session


def open_by_staff(*, session: SupportSession, by: User, now: datetime) -> None:
    """Let a colleague in; called on the platform. Raises NotTwoPeople or SupportClosed."""
    if not by.is_staff or by.id == session.staff_id:
        raise NotTwoPeople
    with _inside(session.tenant_id, by.id):
        _open(session.id, by=by.id, is_owner=False, now=now)


def open_by_owner(*, session_id: UUID, by: UUID, now: datetime) -> SupportSession:
    """Let somebody of the staff in; called inside the tenant. Raises SupportClosed."""
    _open(session_id, by=by, is_owner=True, now=now)
    return SupportSession.objects.get(pk=session_id)


def end(*, sessions: QuerySet[SupportSession], now: datetime) -> int:
    """End those that have not ended; called inside the tenant. Raises ValkeyAway."""
    ended = _end(sessions, now=now)
    for session in ended:
        audit.record("support.ended", on=session)
    return len(ended)


def end_everywhere(*, sessions: QuerySet[SupportSession], by: Actor, now: datetime) -> None:
    """End those that have not ended, in all tenants; called on the platform, in a transaction.

    For what ends them from outside: in the platform's trail, and the tenants hear of it. Raises
    ValkeyAway.
    """
    ended = _end(sessions, now=now)
    for session in ended:
        trail.record("support.ended", by=by.name, on=session)
    echoes.tell([Echo(s.tenant_id, "support.ended", s) for s in ended], by=by)


def end_by_staff(*, session: SupportSession, by: User, now: datetime) -> None:
    """End it from the platform. Raises ValkeyAway."""
    with _inside(session.tenant_id, by.id):
        end(sessions=SupportSession.objects.filter(pk=session.pk), now=now)


def issue_token(*, session: SupportSession, staff: User, now: datetime) -> str:
    """An access token that reads the tenant, no longer than the session is open.

    Raises SupportClosed, also for anybody but the member of staff who asked.
    """
    until = session.expires_at
    is_open = session.opened_at and session.ended_at is None and until and until > now
    if not is_open or session.staff_id != staff.id:
        raise SupportClosed
    with _inside(session.tenant_id, staff.id):
        audit.record("support.token_issued", on=session)
    grant = Grant(staff.id, session.tenant_id, Role.SUPPORT, session.id, has_second_factor=True)
    return credentials.issue(grant, now=now, until=until)


def witness(caller: Identity, *, method: str, path: str, query: str) -> None:
    """Record what the staff is about to ask; it has its answer only after this is committed.

    The query says which rows were asked for. Of a longer one the beginning, with a mark of the cut.
    """
    key, asked = quote(f"{method} {path}", safe=" /")[:200], quote(query, safe=_QUERY)
    if len(asked) > _LONGEST_QUERY:
        asked = f"{asked[: _LONGEST_QUERY - 1]}…"
    with _inside(caller.tenant_id, caller.user_id):
        after = {"query": asked} if asked else None
        audit.record("support.request", kind="request", key=key, after=after)


def _end(sessions: QuerySet[SupportSession], *, now: datetime) -> list[SupportSession]:
    ended = list(sessions.filter(ended_at=None).select_for_update())
    SupportSession.objects.filter(pk__in=[s.pk for s in ended]).update(ended_at=now)
    for session in ended:
        where = (session.tenant_id, session.staff_id, session.id)
        afterwards.do(partial(hanging_up.on_session, *where))
    admission.end([session.id for session in ended])
    return ended


def _open(session_id: UUID, *, by: UUID, is_owner: bool, now: datetime) -> None:
    until = now + timedelta(seconds=settings.SUPPORT_SESSION_SECONDS)
    opened = SupportSession.objects.filter(pk=session_id, opened_at=None, ended_at=None).update(
        opened_at=now, opened_by_id=by, opened_by_owner=is_owner, expires_at=until
    )
    if not opened:
        raise SupportClosed
    audit.record("support.opened", kind="supportsession", key=str(session_id))


def _inside(tenant_id: UUID, staff_id: UUID) -> AbstractContextManager[TenantContext]:
    """The staff's own hand in the tenant's trail."""
    return context.enter(TenantContext(tenant_id, Actor.support(staff_id), Scope.TENANT))
