"""Invitations: a role offered by mail to whoever reads an address, once and for a while."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from accounts.access import policy, proof, queries
from accounts.access.errors import RoleOutOfReach, WrongLogin
from accounts.access.models import Invitation, Membership
from accounts.access.policy import Hand
from accounts.access.roles import MEMBERS, Role
from accounts.audit import actions as audit
from accounts.emails import actions as emails
from accounts.members import newcomers, offers, tasks
from accounts.members.errors import (
    AlreadyMember,
    InvitationAccepted,
    InvitationExpired,
    InvitationInvalid,
    InvitationWithdrawn,
    ProofNeeded,
    TooManyInvitations,
)
from accounts.sessions import guessing
from accounts.users import actions as users
from accounts.users.models import User
from config.api.problems import NotFound
from tenants import afterwards, context
from tenants.context import Actor, Scope, TenantContext
from tenants.identity import Identity
from tenants.models import Tenant

A_DAY = 200  # of one tenant: nobody's mail is to be flooded through us


def invite(*, email: str, role: Role, by: Identity, now: datetime) -> Invitation:
    """Offer a role by mail; called inside the tenant. It takes the place of an open offer.

    Raises RoleOutOfReach, AlreadyMember, TooManyInvitations; StepUpNeeded for an owner or admin.
    """
    tenant_id, email = by.tenant_id, email.lower()
    if Membership.objects.filter(tenant_id=tenant_id, email__iexact=email).exists():
        raise AlreadyMember
    theirs = Invitation.objects.filter(tenant_id=tenant_id)
    if theirs.filter(created_at__gt=now - timedelta(days=1)).count() >= A_DAY:
        raise TooManyInvitations(headers={"Retry-After": "3600"})
    before = list(_open(theirs.filter(email=email)).select_for_update())
    _check_reach(by, role, *(Role(row.role) for row in before))
    if policy.takes_proof(role=role):
        proof.require(by, now=now)
    _open(theirs.filter(email=email)).update(withdrawn_at=now)
    return _send(tenant_id, email=email, role=role, inviter_id=by.user_id, now=now)


def offer_to_owner(*, tenant: Tenant, email: str, by: Actor, now: datetime) -> Invitation:
    """Offer a new tenant to an email whose account may be anybody's; called on the platform.

    Twice makes one offer. It is mailed by who makes the tenant (`onboarding.steps`).
    """
    with context.enter(TenantContext(tenant.id, by, Scope.TENANT)):
        return offered_to_owner(tenant.id) or _offer(
            tenant.id, email=email.lower(), role=Role.OWNER, inviter_id=None, now=now
        )


def offered_to_owner(tenant_id: UUID) -> Invitation | None:
    """An operator's offer, taken or not."""
    theirs = Invitation.objects.filter(tenant_id=tenant_id, role=Role.OWNER, invited_by_id=None)
    return theirs.filter(withdrawn_at=None).first()


def withdraw(*, invitation_id: UUID, by: Identity, now: datetime) -> None:
    """Take an offer back; called inside the tenant.

    Raises NotFound, RoleOutOfReach, InvitationAccepted. Withdrawing twice is no error.
    """
    rows = Invitation.objects.filter(pk=invitation_id, tenant_id=by.tenant_id)
    invitation = rows.select_for_update().first()
    if invitation is None:
        raise NotFound
    _check_reach(by, Role(invitation.role))
    if invitation.accepted_at:
        raise InvitationAccepted
    if invitation.withdrawn_at is None:
        rows.update(withdrawn_at=now)
        audit.record("invitation.withdrawn", on=invitation)


def withdraw_beyond(*, inviter_id: UUID, hand: Hand | None, now: datetime) -> None:
    """Take back a person's open offers of roles that `hand` does not reach; None reaches none.

    Called inside the tenant, by what takes the person's membership or role away.
    """
    theirs = Invitation.objects.filter(
        tenant_id=context.require().tenant_id, invited_by_id=inviter_id
    )
    lost = _open(theirs.exclude(role__in=policy.within_reach(hand))).select_for_update()
    for invitation in lost.order_by("id"):
        Invitation.objects.filter(pk=invitation.pk).update(withdrawn_at=now)
        audit.record("invitation.withdrawn", on=invitation)


def accept(
    *,
    token: str,
    password: str,
    caller: Identity | None,
    at: UUID | None,
    address: str,
    now: datetime,
) -> Membership:
    """Become a member; called on the platform. Somebody new is made with this password.

    Whoever is known proves it: by their password, or by being signed in. Raises InvitationInvalid,
    InvitationExpired, InvitationWithdrawn, InvitationAccepted, ProofNeeded, WrongLogin,
    TooManyAttempts, UnfitPassword, AlreadyMember.
    """
    invitation = offers.read(token)
    if at not in (None, invitation.tenant_id):
        raise InvitationInvalid
    _check_open(invitation, now=now)
    if not _is_inviter_active(invitation):
        raise InvitationWithdrawn
    user = _person(invitation.email, password, caller, address=address, now=now)
    # The account's own secret came with the mail's token: both are in one hand, and nothing ends.
    emails.prove(user_id=user.id, how="invitation", now=now)
    # Not a member yet, and so with the tenant's hand instead of one's own.
    where = TenantContext(invitation.tenant_id, Actor.user(user.id), Scope.TENANT)
    with context.enter(where):
        membership = _join(invitation.id, user, now=now)
    return Membership.objects.select_related("tenant").get(pk=membership.pk)


def _send(
    tenant_id: UUID, *, email: str, role: Role, inviter_id: UUID, now: datetime
) -> Invitation:
    invitation = _offer(tenant_id, email=email, role=role, inviter_id=inviter_id, now=now)
    afterwards.do(partial(tasks.mail_invitation.delay, str(invitation.id)))
    return invitation


def _offer(
    tenant_id: UUID, *, email: str, role: Role, inviter_id: UUID | None, now: datetime
) -> Invitation:
    invitation = Invitation.objects.create(
        tenant_id=tenant_id,
        email=email,
        role=role.value,
        invited_by_id=inviter_id,
        created_at=now,
        expires_at=now + timedelta(seconds=settings.INVITATION_SECONDS),
    )
    audit.record("invitation.sent", on=invitation, after={"email": email, "role": role})
    return invitation


def _join(invitation_id: UUID, user: User, *, now: datetime) -> Membership:
    """Of two who accept at once the second finds the offer taken.

    It is worth what its inviter could give today: an offer made while they were being removed
    has escaped `withdraw_beyond`.
    """
    invitation = Invitation.objects.select_for_update().get(pk=invitation_id)
    _check_open(invitation, now=now)
    if invitation.role not in _within_reach_of_inviter(invitation):
        raise InvitationWithdrawn
    if Membership.objects.filter(tenant_id=invitation.tenant_id, user_id=user.id).exists():
        raise AlreadyMember
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    membership = Membership.objects.create(
        tenant_id=invitation.tenant_id,
        user_id=user.id,
        email=user.email,
        role=invitation.role,
        created_at=now,
    )
    audit.record("member.joined", on=membership, after={"role": membership.role})
    return membership


def _is_inviter_active(invitation: Invitation) -> bool:
    inviter = invitation.invited_by_id
    return inviter is None or User.objects.filter(pk=inviter, is_active=True).exists()


def _within_reach_of_inviter(invitation: Invitation) -> frozenset[Role]:
    """As of now: nothing for who has left, and everything for an operator."""
    if invitation.invited_by_id is None:
        return frozenset(MEMBERS)
    rows = Membership.objects.filter(
        tenant_id=invitation.tenant_id, user_id=invitation.invited_by_id
    )
    role = rows.values_list("role", flat=True).first()
    return policy.within_reach(Hand(Role(role)) if role else None)


def _check_open(invitation: Invitation, *, now: datetime) -> None:
    if invitation.accepted_at:
        raise InvitationAccepted
    if invitation.withdrawn_at:
        raise InvitationWithdrawn
    if invitation.expires_at <= now:
        raise InvitationExpired


def _person(
    email: str, password: str, caller: Identity | None, *, address: str, now: datetime
) -> User:
    """Who accepts, made sure of."""
    known = User.objects.filter(email=email).first()
    if known is not None and known.is_active and _is_signed_in(caller, known):
        return known
    if not password:
        raise ProofNeeded
    if known is None:
        return newcomers.make(email=email, password=password, has_mail=True, now=now)
    with guessing.counted(account=email, address=address, wrong=(WrongLogin,)):
        if users.authenticate(email=email, password=password) is None:
            raise WrongLogin
    return known


def _is_signed_in(caller: Identity | None, person: User) -> bool:
    """By a session of their own: no key, and nobody's support."""
    return (
        caller is not None
        and caller.user_id == person.id
        and caller.key_scope is None
        and caller.role != Role.SUPPORT
    )


def _check_reach(by: Identity, *roles: Role) -> None:
    """Raises RoleOutOfReach."""
    if not queries.hand(by).reaches(*roles):
        raise RoleOutOfReach


def _open(rows: QuerySet[Invitation]) -> QuerySet[Invitation]:
    return rows.filter(accepted_at=None, withdrawn_at=None)
