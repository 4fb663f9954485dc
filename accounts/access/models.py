"""Who belongs to which tenant, with which role."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.access.roles import Role
from tenants.constraints import SharedTable
from tenants.identifiers import new_id


class Membership(models.Model):
    """One person's place in one tenant. Inside a tenant only its own members are seen."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(
        settings.TENANT_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=20, choices=[(role.value, role.value) for role in Role])
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            SharedTable(name="accounts_membership_shared", read="own", tenant_column="tenant_id"),
            models.UniqueConstraint(fields=["tenant", "user"], name="membership_is_one_per_person"),
            models.CheckConstraint(
                name="membership_role_is_known",
                condition=models.Q(role__in=[role.value for role in Role]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"
