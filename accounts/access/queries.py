"""What may be asked about memberships."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from accounts.access.models import Membership


def memberships_of(user_id: UUID) -> QuerySet[Membership]:
    """The tenants a person can sign in to, oldest first."""
    return (
        Membership.objects.filter(user_id=user_id, tenant__status="active")
        .select_related("tenant")
        .order_by("created_at", "id")
    )
