"""What may be asked about memberships."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from accounts.access.models import Membership, TenantPolicy
from accounts.tokens.errors import InvalidCredential


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
