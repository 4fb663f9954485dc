"""A new tenant and the person it belongs to, in one go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from django.db import IntegrityError, transaction

from accounts.access import queries
from accounts.access.callers import Device
from accounts.access.errors import WrongLogin
from accounts.access.models import Membership
from accounts.access.roles import Role
from accounts.emails import actions as emails
from accounts.login import actions as login
from accounts.login.issuing import SignedIn
from accounts.members import actions as members
from accounts.members import invitations, newcomers
from accounts.mfa import actions as mfa
from accounts.mfa.errors import WrongSecondFactor
from accounts.onboarding import signups
from accounts.sessions import guessing
from accounts.trail import actions as trail
from accounts.users import actions as users
from accounts.users import passwords
from accounts.users.models import User
from tenants.context import Actor
from tenants.lifecycle import actions as lifecycle
from tenants.lifecycle import workflow
from tenants.lifecycle.errors import SlugTaken
from tenants.lifecycle.workflow import Report
from tenants.models import Tenant

FIRST_TIER = "starter"
_ONE_SLUG = "tenants_tenant_slug_key"


@dataclass(frozen=True, slots=True)
class Founded:
    """A new tenant, and whether its owner has still to accept it."""

    tenant: Tenant
    is_owner_invited: bool


def create_tenant_for(
    *,
    slug: str,
    tier: str,
    owner_email: str,
    password: str,
    region: str,
    by: Actor,
    now: datetime,
    report: Report,
) -> Founded:
    """A tenant with its owner, who is made when unknown, by all steps that it takes.

    `report` is told of each. An account that somebody signed up for, and nobody has proven to be
    the email's, is handed no tenant: the email is invited to be its owner. Broken off, the same
    again goes on with it, and so does a timer. Raises what `lifecycle.ask_for_tenant` raises,
    StepFailed, WorkUnderWay, OwnerLoginMissing.
    """
    asked = lifecycle.ask_for_tenant(
        slug=slug,
        name=slug,
        tier=tier,
        owner_email=owner_email.lower(),
        region=region,
        by=by.name,
        now=now,
    )
    workflow.run(asked, now=now, report=report, password=password, is_anew=True)
    return Founded(
        tenant=Tenant.objects.select_related("plan").get(pk=asked.tenant_id),
        is_owner_invited=invitations.offered_to_owner(asked.tenant_id) is not None,
    )


def sign_up(
    *,
    email: str,
    password: str,
    otp: str,
    slug: str,
    name: str,
    device: Device,
    now: datetime,
) -> SignedIn:
    """A starter tenant of one's own, and a session in it; whoever is known proves it first.

    Known and unknown take one hash each. Raises TooManySignups, UnfitPassword, SlugTaken,
    WrongLogin, TooManyAttempts, SecondFactorNeeded, WrongSecondFactor.
    """
    signups.count(device.address)
    passwords.keep_the_rules(password, field="password")
    if Tenant.objects.filter(slug=slug).exists():
        raise SlugTaken
    user, has_second_factor = _known(email, password, otp, address=device.address, now=now)
    membership = _found(user, email=email, password=password, slug=slug, name=name, now=now)
    return login.open_session(
        user=membership.user,
        membership=membership,
        memberships=list(queries.memberships_of(membership.user_id)),
        has_second_factor=has_second_factor,
        device=device,
        now=now,
    )


def _known(
    email: str, password: str, otp: str, *, address: str, now: datetime
) -> tuple[User | None, bool]:
    """The known person, and whether a second factor was shown; None for somebody new.

    Raises what log-in raises.
    """
    if not User.objects.filter(email=email.lower()).exists():
        return None, False
    wrong = (WrongLogin, WrongSecondFactor)
    with guessing.counted(account=email, address=address, wrong=wrong, forgives=True):
        user = users.authenticate(email=email, password=password)
        if user is None:
            raise WrongLogin
        return user, mfa.check(user_id=user.id, otp=otp, now=now)


def _found(
    user: User | None, *, email: str, password: str, slug: str, name: str, now: datetime
) -> Membership:
    """Person, tenant and membership, all or nothing. Raises SlugTaken or WrongLogin."""
    try:
        with transaction.atomic():
            owner = user or _newcomer(email, password, now=now)
            by = Actor.user(owner.id).name
            tenant = lifecycle.create_tenant(slug=slug, name=name, tier=FIRST_TIER, by=by, now=now)
            if tenant.created_at != now:
                raise SlugTaken  # somebody else is just making it: it is not ours to finish
            membership = members.ensure_member(
                tenant=tenant, user=owner, role=Role.OWNER, by=by, now=now
            )
            after = {"slug": slug, "tier": FIRST_TIER}
            trail.record("tenant.signed_up", by=by, on=tenant, after=after)
    except IntegrityError as fault:
        cause = fault.__cause__
        if isinstance(cause, psycopg.Error) and cause.diag.constraint_name == _ONE_SLUG:
            raise SlugTaken from fault  # somebody was quicker
        raise
    return membership


def _newcomer(email: str, password: str, *, now: datetime) -> User:
    """Somebody who may use what they make at once, and is asked by mail whether they are it."""
    user = newcomers.make(email=email, password=password, has_mail=False, now=now)
    emails.announce(user)
    return user
