"""What may be done with memberships, and with what a tenant asks of its members."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.access import policy, proof, time_zones
from accounts.access.errors import REFUSALS, InvalidCredential, UnknownTimeZone
from accounts.access.models import Membership, TenantPolicy
from accounts.access.policy import Change, Hand, Refusal
from accounts.access.roles import KeyScope, Role
from accounts.audit import actions as audit
from accounts.members import invitations
from accounts.sessions import ending
from accounts.sessions.models import Session
from accounts.tokens import actions as keys
from accounts.tokens.models import ApiKey
from accounts.trail import actions as trail
from accounts.trail import echoes
from accounts.trail.echoes import Echo
from accounts.users.models import User
from config.api.problems import NotFound
from tenants import context
from tenants.context import Actor, Scope, TenantContext
from tenants.identity import Identity
from tenants.models import Tenant

CHANGED = "the membership was changed"
GONE = "the membership has ended"


@transaction.atomic
def ensure_member(*, tenant: Tenant, user: User, role: Role, by: str, now: datetime) -> Membership:
    """The person's membership of the tenant, made with this role when there is none.

    On the platform, outside every tenant; `by` (an actor's name) does it, and has made sure that
    the person's email is proven, or the tenant their own.
    """
    membership, is_new = Membership.objects.get_or_create(
        tenant=tenant,
        user=user,
        defaults={
            "role": role.value,
            "email": user.email,
            "is_active": user.is_active,
            "created_at": now,
        },
    )
    if is_new:
        made = {"tenant": tenant.slug, "user_id": user.id, "role": role}
        trail.record("member.added", by=by, on=membership, after=made)
    return membership


def change(
    *,
    membership_id: UUID,
    by: Identity,
    now: datetime,
    precondition: Callable[[Membership], None],
    role: Role | None = None,
    sees_tenant: bool | None = None,
) -> Membership:
    """Give a member another role, or a viewer the whole tenant; their sessions here end at once.

    With a lesser role go the open invitations that it could not send.
    `precondition` sees the membership under its lock, and raises to refuse the change. Raises
    NotFound, RoleOutOfReach, OwnRole, NotAViewer, LastOwner; StepUpNeeded for a new owner or admin,
    and for the whole tenant.
    """
    here = _lock(by, membership_id)
    member = here.member(membership_id)
    precondition(member)
    is_own = member == here.own
    asked = Change(of=Role(member.role), to=role, sees_tenant=sees_tenant, is_own=is_own)
    _refuse(policy.refuse_change(here.hand, asked, owners=here.owners_with(member)))
    if policy.takes_proof(role=role, sees_tenant=sees_tenant):
        proof.require(by, now=now)
    before = _state(member)
    member.role = (role or asked.of).value
    granted = member.sees_tenant if sees_tenant is None else sees_tenant
    member.sees_tenant = granted and member.role == Role.VIEWER
    if _state(member) != before:
        member.save(update_fields=["role", "sees_tenant"])
        _end_sessions(member, because=CHANGED, now=now)
        hand = Hand(Role(member.role))
        invitations.withdraw_beyond(inviter_id=member.user_id, hand=hand, now=now)
        audit.record("member.changed", on=member, before=before, after=_state(member))
    return member


def remove(*, membership_id: UUID, by: Identity, now: datetime) -> None:
    """End a membership, its sessions, API keys and open invitations, at once.

    Raises NotFound, RoleOutOfReach, LastOwner.
    """
    here = _lock(by, membership_id)
    member = here.member(membership_id)
    of, is_own = Role(member.role), member == here.own
    owners = here.owners_with(member)
    _refuse(policy.refuse_removal(here.hand, of, is_own=is_own, owners=owners))
    _end(member, "member.left" if is_own else "member.removed", now=now)


def leave(*, by: Identity, now: datetime) -> None:
    """End one's own membership; called on the platform, so that readers can leave too.

    Scope `tenant`, because the last owner is found among the tenant's. Raises LastOwner.
    """
    actor = Actor.user(by.user_id)
    with context.enter(TenantContext(by.tenant_id, actor, Scope.TENANT)):
        here = _lock(by)
        of = Role(here.own.role)
        owners = here.owners_with(here.own)
        _refuse(policy.refuse_removal(here.hand, of, is_own=True, owners=owners))
        _end(here.own, "member.left", now=now)


def change_policy(
    *,
    now: datetime,
    precondition: Callable[[TenantPolicy], None],
    requires_second_factor: bool | None = None,
    time_zone: str | None = None,
) -> TenantPolicy:
    """What the entered tenant asks of everyone; who has shown no second factor is signed out.

    `precondition` sees the policy under its lock, and raises to refuse the change. Raises
    UnknownTimeZone.
    """
    tenant_id = context.require().tenant_id
    asked = _locked_policy(tenant_id)
    precondition(asked)
    before = _said_in(asked)
    if time_zone is not None:
        asked.time_zone = _known(time_zone)
    if requires_second_factor is not None:
        asked.requires_second_factor = requires_second_factor
    asked.save(update_fields=list(before))
    if requires_second_factor:
        without = Session.objects.filter(tenant_id=tenant_id, has_second_factor=False)
        ending.end(without, because="the tenant asks for a second factor", now=now)
    audit.record("tenant.policy_changed", on=asked, before=before, after=_said_in(asked))
    return asked


@transaction.atomic
def change_time_zone(*, tenant: Tenant, time_zone: str, by: Actor) -> TenantPolicy:
    """The same of the time zone, for a tenant whose owner has asked the staff; its trail hears of
    it. On the platform. Raises UnknownTimeZone."""
    asked = _locked_policy(tenant.pk)
    before = {"time_zone": asked.time_zone}
    asked.time_zone = _known(time_zone)
    asked.save(update_fields=["time_zone"])
    said: dict[str, Any] = {"before": before, "after": {"time_zone": asked.time_zone}}
    trail.record("tenant.policy_changed", by=by.name, kind="tenant", key=tenant.slug, **said)
    echoes.tell([Echo(tenant.pk, "tenant.policy_changed", asked, **said)], by=by)
    return asked


@dataclass(frozen=True, slots=True)
class _Here:
    """The rows a decision rests on, locked: all owners, who asks, and who is spoken of."""

    own: Membership
    rows: list[Membership]
    key_scope: KeyScope | None

    @property
    def hand(self) -> Hand:
        return Hand(Role(self.own.role), self.key_scope)

    def owners_with(self, member: Membership) -> int:
        """Owners who can still sign in, and `member` if an owner, whoever that is."""
        owners = [row for row in self.rows if row.role == Role.OWNER]
        return sum(row.is_active or row == member for row in owners)

    def member(self, membership_id: UUID) -> Membership:
        found = next((row for row in self.rows if row.id == membership_id), None)
        if found is None:
            raise NotFound
        return found


def _lock(by: Identity, membership_id: UUID | None = None) -> _Here:
    """Of two owners who remove each other, the second meets the rows as the first has left them.

    Raises InvalidCredential for who is no member any more.
    """
    needed = Q(role=Role.OWNER.value) | Q(user_id=by.user_id) | Q(pk=membership_id)
    locked = Membership.objects.filter(needed, tenant_id=by.tenant_id).select_for_update()
    rows = list(locked.order_by("id"))
    own = next((row for row in rows if row.user_id == by.user_id), None)
    if own is None:
        raise InvalidCredential
    return _Here(own, rows, KeyScope(by.key_scope) if by.key_scope else None)


def _refuse(reason: Refusal | None) -> None:
    if reason is not None:
        raise REFUSALS[reason]


def _end(member: Membership, action: str, *, now: datetime) -> None:
    _end_sessions(member, because=GONE, now=now)
    keys.revoke_all(
        keys=ApiKey.objects.filter(tenant_id=member.tenant_id, user_id=member.user_id), now=now
    )
    invitations.withdraw_beyond(inviter_id=member.user_id, hand=None, now=now)
    audit.record(action, on=member, before={**_state(member), "email": member.email})
    member.delete()


def _end_sessions(member: Membership, *, because: str, now: datetime) -> None:
    theirs = Session.objects.filter(tenant_id=member.tenant_id, user_id=member.user_id)
    ending.end(theirs, because=because, now=now)


def _state(member: Membership) -> dict[str, object]:
    return {"role": member.role, "sees_tenant": member.sees_tenant}


def _locked_policy(tenant_id: UUID) -> TenantPolicy:
    TenantPolicy.objects.get_or_create(pk=tenant_id)
    return TenantPolicy.objects.select_for_update().get(pk=tenant_id)


def _said_in(asked: TenantPolicy) -> dict[str, object]:
    return {
        "requires_second_factor": asked.requires_second_factor,
        "time_zone": asked.time_zone,
    }


def _known(time_zone: str) -> str:
    """Raises UnknownTimeZone."""
    if time_zone not in time_zones.names():
        raise UnknownTimeZone("Names are those of the IANA, such as Europe/Berlin or UTC.")
    return time_zone
