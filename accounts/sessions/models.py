"""Sessions, and the refresh tokens that keep them going."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from tenants.constraints import SharedTable
from tenants.identifiers import new_id


class Session(models.Model):
    """One log-in of one person to one tenant, from one device, until it ends."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(settings.TENANT_MODEL, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_because = models.CharField(max_length=40, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    has_second_factor = models.BooleanField(default=False)

    class Meta:
        constraints = [
            SharedTable(
                name="accounts_session_shared",
                read="kept",
                write="inside",
                tenant_column="tenant_id",
                owner_column="user_id",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "user", "ended_at"], name="session_of_user"),
            models.Index(fields=["user", "ended_at"], name="session_everywhere"),
            models.Index(fields=["ended_at"], name="session_ended"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class RefreshToken(models.Model):
    """A right to new access tokens for one session, used once and replaced."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    digest = models.BinaryField(unique=True, max_length=32)
    session = models.ForeignKey(Session, on_delete=models.CASCADE)
    tenant = models.ForeignKey(settings.TENANT_MODEL, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            SharedTable(
                name="accounts_refreshtoken_shared",
                read="kept",
                write="inside",
                tenant_column="tenant_id",
                owner_column="user_id",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
