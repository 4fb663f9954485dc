"""Who belongs to which tenant, with which role, and who has been asked to."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.access import time_zones
from accounts.access.roles import MEMBERS
from tenants.constraints import SharedTable
from tenants.identifiers import new_id

_ROLES = [role.value for role in MEMBERS]


class Membership(models.Model):
    """One person's place in one tenant. Inside a tenant only its own members are seen."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(
        settings.TENANT_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    # The person's, so that a tenant need not read the platform's table of people.
    email = models.EmailField(default="")
    role = models.CharField(max_length=20, choices=[(role, role) for role in _ROLES])
    # What an owner grants a viewer: the whole tenant's data instead of the own.
    sees_tenant = models.BooleanField(default=False)
    # The person's, too: false for somebody who has been shut out of everything.
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            SharedTable(
                name="accounts_membership_shared",
                read="own",
                write="inside",
                tenant_column="tenant_id",
            ),
            models.UniqueConstraint(fields=["tenant", "user"], name="membership_is_one_per_person"),
            models.CheckConstraint(
                name="membership_role_is_known", condition=models.Q(role__in=_ROLES)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"


class TenantPolicy(models.Model):
    """What an owner says for everyone in the tenant; a tenant without a row asks for nothing, and
    goes by UTC."""

    tenant = models.OneToOneField(
        settings.TENANT_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="policy"
    )
    requires_second_factor = models.BooleanField(default=False)
    # Whose nights its backups are taken in, and whose days they are kept by.
    time_zone = models.CharField(
        max_length=time_zones.LONGEST, default=time_zones.UTC.key, db_default=time_zones.UTC.key
    )

    class Meta:
        constraints = [
            SharedTable(
                name="accounts_tenantpolicy_shared",
                read="own",
                write="inside",
                tenant_column="tenant_id",
            ),
        ]

    def __str__(self) -> str:
        return str(self.tenant_id)


class Invitation(models.Model):
    """A role offered to an email address, open until accepted, withdrawn or out of date."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(settings.TENANT_MODEL, on_delete=models.CASCADE)
    email = models.EmailField()
    role = models.CharField(max_length=20, choices=[(role, role) for role in _ROLES])
    invited_by_id = models.UUIDField(null=True, blank=True)  # null: an operator did
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            SharedTable(
                name="accounts_invitation_shared",
                read="kept",
                write="inside",
                tenant_column="tenant_id",
            ),
            models.CheckConstraint(
                name="invitation_role_is_known", condition=models.Q(role__in=_ROLES)
            ),
        ]
        indexes = [models.Index(fields=["tenant", "email"], name="invitation_of_tenant")]

    def __str__(self) -> str:
        return f"{self.email} {self.role}"
