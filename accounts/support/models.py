"""Support sessions: the platform's staff inside a tenant, by leave and for a while."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from tenants.constraints import SharedTable
from tenants.identifiers import new_id


class SupportSession(models.Model):
    """One member of staff reading one tenant, opened by its owner or by two of the staff."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(settings.TENANT_MODEL, on_delete=models.CASCADE)
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="support_sessions"
    )
    staff_email = models.EmailField()  # what the tenant is shown
    reason = models.CharField(max_length=200)
    requested_at = models.DateTimeField()
    # Who let them in: an owner of the tenant, or another member of staff.
    opened_by_id = models.UUIDField(null=True, blank=True)
    opened_by_owner = models.BooleanField(default=False)
    opened_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            SharedTable(
                name="accounts_supportsession_shared",
                read="kept",
                write="inside",
                tenant_column="tenant_id",
            ),
            models.CheckConstraint(
                name="support_session_is_opened_by_another",
                condition=models.Q(opened_by_id__isnull=True)
                | ~models.Q(opened_by_id=models.F("staff_id")),
            ),
        ]
        indexes = [models.Index(fields=["tenant", "requested_at"], name="support_of_tenant")]

    def __str__(self) -> str:
        return f"{self.staff_email} in {self.tenant_id}"
