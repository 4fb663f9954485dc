"""What may be asked about memberships."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from accounts.access import time_zones
from accounts.access.errors import InvalidCredential
from accounts.access.models import Membership, TenantPolicy
from accounts.access.policy import Hand
from accounts.access.roles import KeyScope, Role
from tenants.identity import Identity


def memberships_of(user_id: UUID) -> QuerySet[Membership]:
    """The tenants a person can sign in to, oldest first."""
    return (
        Membership.objects.filter(user_id=user_id, tenant__status="active")
        .select_related("tenant")
        .order_by("created_at", "id")
    )


def membership(*, user_id: UUID, tenant_id: UUID) -> Membership:
    """The person's place in the tenant. Raises InvalidCredential where there is none any more."""
    found = (
        Membership.objects.filter(user_id=user_id, tenant_id=tenant_id)
        .select_related("user", "tenant")
        .first()
    )
    if found is None or not found.user.is_active:
        raise InvalidCredential
    return found


def requires_second_factor(tenant_id: UUID) -> bool:
    """Whether the tenant's owner asks everyone for one."""
    return TenantPolicy.objects.filter(pk=tenant_id, requires_second_factor=True).exists()


def owes_second_factor(user_id: UUID) -> bool:
    """Whether any of the person's tenants asks everyone for one; asked on the platform."""
    asking = TenantPolicy.objects.filter(requires_second_factor=True)
    return asking.filter(tenant__memberships__user_id=user_id).exists()


def hand(by: Identity) -> Hand:
    """Who reaches out, by the role of now. Raises InvalidCredential for who is no member."""
    rows = Membership.objects.filter(user_id=by.user_id, tenant_id=by.tenant_id)
    role = rows.values_list("role", flat=True).first()
    if role is None:
        raise InvalidCredential
    return Hand(Role(role), KeyScope(by.key_scope) if by.key_scope else None)


def policy(tenant_id: UUID) -> TenantPolicy:
    """What the tenant asks for; a tenant without a row asks for nothing."""
    return TenantPolicy.objects.filter(pk=tenant_id).first() or TenantPolicy(pk=tenant_id)


def clocks() -> Mapping[UUID, ZoneInfo]:
    """The time zone of every tenant: of one that has named none it is UTC."""
    named = TenantPolicy.objects.values_list("pk", "time_zone")
    found = {tenant_id: time_zones.named(name) for tenant_id, name in named}
    return defaultdict(lambda: time_zones.UTC, found)
