"""The part of people in making a tenant: whose it is, and that they hear of it."""

from __future__ import annotations

from django.db import transaction

from accounts.access.models import Membership
from accounts.access.roles import Role
from accounts.members import actions as members
from accounts.members import invitations
from accounts.members import tasks as member_mails
from accounts.onboarding import tasks as mails
from accounts.users import actions as users
from accounts.users.errors import EmailUnproven
from accounts.users.models import User
from tenants.context import Actor
from tenants.lifecycle.workflow import Work


def give_to_owner(work: Work) -> None:
    """A membership for whom the tenant is for, or an offer where nobody can vouch for them.

    In two transactions at most with its `done`: an offer is made inside the tenant.
    """
    workflow = work.workflow
    if not workflow.owner_email:
        return
    if not _has_become_owner(work):
        by = Actor(workflow.by)
        invitations.offer_to_owner(
            tenant=work.tenant, email=workflow.owner_email, by=by, now=work.now
        )
    work.report(f"owner {workflow.owner_email}")


def send_welcome(work: Work) -> None:
    """Before `done` is on record: rather twice than never."""
    offer = invitations.offered_to_owner(work.tenant.pk)
    if offer is not None:
        member_mails.mail_invitation.delay(str(offer.pk))
        return
    owners = Membership.objects.filter(tenant=work.tenant, email=work.workflow.owner_email)
    for owner in owners:
        mails.mail_welcome.delay(str(owner.pk))


@transaction.atomic
def _has_become_owner(work: Work) -> bool:
    """Nobody new without a password: whoever made the tenant in the background has shown none."""
    email, by = work.workflow.owner_email, work.workflow.by
    if not work.password and not User.objects.filter(email=email).exists():
        return False
    try:
        owner = users.ensure(email=email, password=work.password, now=work.now)
    except EmailUnproven:
        return False
    members.ensure_member(tenant=work.tenant, user=owner, role=Role.OWNER, by=by, now=work.now)
    return True
