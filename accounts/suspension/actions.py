"""Shutting a tenant or a person out, at once; all of it on the platform, and safe to run twice."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.access.models import Membership
from accounts.sessions import ending
from accounts.sessions.models import Session
from accounts.support import actions as support
from accounts.support.models import SupportSession
from accounts.suspension.errors import NotSuspendable
from accounts.trail import actions as trail
from accounts.trail import echoes
from accounts.trail.echoes import Echo
from accounts.users.models import User
from tenants import returning
from tenants.context import Actor
from tenants.models import Tenant

SUSPENDED = "the tenant was suspended"
DEACTIVATED = "the person was deactivated"


def suspend_tenant(*, tenant: Tenant, reason: str, by: Actor, now: datetime) -> bool:
    """Let nobody into the tenant, neither by log-in nor by key; gives whether anybody was let in.

    `enter_tenant` refuses from the commit on. All sessions end, support's too, also those that had
    slipped in before a second call. Raises NotSuspendable, ValkeyAway, or Django's ValidationError
    for a reason that is missing or too long.
    """
    reason = _fit(reason)
    with transaction.atomic():
        active = Tenant.objects.filter(pk=tenant.pk, status=Tenant.Status.ACTIVE)
        changed = bool(active.update(status=Tenant.Status.SUSPENDED, status_reason=reason))
        _end_all(tenant, by=by, now=now)
        _note("tenant.suspended", tenant, by=by, changed=changed, after={"reason": reason})
    return changed


def resume_tenant(*, tenant: Tenant, by: Actor, now: datetime) -> bool:
    """Let people log in again, and keys work; gives whether the tenant was suspended.

    A log-in that was under way at the suspension may have left a session: it ends here. What passed
    the tenant by is met from now on (`AFTER_RETURN`). Raises NotSuspendable, ValkeyAway.
    """
    with transaction.atomic():
        suspended = Tenant.objects.filter(pk=tenant.pk, status=Tenant.Status.SUSPENDED)
        active = Tenant.Status.ACTIVE
        changed = bool(suspended.update(status=active, status_reason="", returned_at=now))
        if changed:
            _end_all(tenant, by=by, now=now)
            returning.tell(tenant.pk)
        _note("tenant.resumed", tenant, by=by, changed=changed)
    return changed


def deactivate(*, user: User, by: Actor, now: datetime) -> bool:
    """Shut a person out of everything: log-in, sessions, keys, support; gives whether they were in.

    The person's tenants hear of it. Raises ValkeyAway.
    """
    with transaction.atomic():
        changed = bool(User.objects.filter(pk=user.pk, is_active=True).update(is_active=False))
        # Tenants cannot read people: there it says that this owner is none to count on.
        Membership.objects.filter(user=user).update(is_active=False)
        if changed:
            _note_deactivated(user, by=by)
        theirs, watching = (
            Session.objects.filter(user=user),
            SupportSession.objects.filter(staff=user),
        )
        ending.end_everywhere(theirs, because=DEACTIVATED, by=by, now=now)
        support.end_everywhere(sessions=watching, by=by, now=now)
    return changed


def _note_deactivated(user: User, *, by: Actor) -> None:
    trail.record("person.deactivated", by=by.name, on=user)
    tenants = Membership.objects.filter(user=user).values_list("tenant_id", flat=True)
    echoes.tell([Echo(tenant, "person.deactivated", user) for tenant in tenants], by=by)


def _fit(reason: str) -> str:
    field = Tenant._meta.get_field("status_reason")
    return str(field.formfield(required=True).clean(reason))


def _end_all(tenant: Tenant, *, by: Actor, now: datetime) -> None:
    ending.end(Session.objects.filter(tenant=tenant), because=SUSPENDED, now=now)
    inside = SupportSession.objects.filter(tenant=tenant)
    support.end_everywhere(sessions=inside, by=by, now=now)


def _note(
    action: str, tenant: Tenant, *, by: Actor, changed: bool, after: dict[str, str] | None = None
) -> None:
    """Record it, and read what is stored now. Raises NotSuspendable."""
    tenant.refresh_from_db(fields=["status", "status_reason"])
    if tenant.status not in (Tenant.Status.ACTIVE, Tenant.Status.SUSPENDED):
        raise NotSuspendable
    if changed:
        trail.record(action, by=by.name, kind="tenant", key=tenant.slug, after=after)
