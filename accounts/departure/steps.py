"""A tenant's people leave with it: nobody is in any more, and then nothing says that they were.

The people themselves stay: they are the platform's, and may belong to other tenants.
"""

from __future__ import annotations

from django.db import transaction

from accounts.access.models import Invitation, Membership, TenantPolicy
from accounts.sessions import ending
from accounts.sessions.models import RefreshToken, Session
from accounts.support import actions as support
from accounts.support.models import SupportSession
from accounts.tokens.models import ApiKey
from tenants.context import Actor
from tenants.lifecycle.workflow import Work, in_one_commit

_BECAUSE = "the tenant is being deleted"
# What refers to another comes before it.
_THEIRS = (
    RefreshToken,
    Session,
    ApiKey,
    SupportSession,
    Invitation,
    TenantPolicy,
    Membership,
)


@transaction.atomic
def shut_doors(work: Work) -> None:
    """Sessions end, the staff's too, and sockets close; `enter_tenant` lets nobody in already."""
    tenant, by = work.tenant, Actor(work.workflow.by)
    ending.end(Session.objects.filter(tenant=tenant), because=_BECAUSE, now=work.now)
    inside = SupportSession.objects.filter(tenant=tenant)
    support.end_everywhere(sessions=inside, by=by, now=work.now)
    work.report("nobody is in any more")


@in_one_commit
def remove_people(work: Work) -> None:
    """Memberships, and all that was given on account of them."""
    for model in _THEIRS:
        model._default_manager.filter(tenant=work.tenant).delete()
    work.report("its people have left")
