"""API keys: credentials of programs, each a part of what its person may do."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.access.roles import KeyScope
from tenants.constraints import SharedTable
from tenants.identifiers import new_id


class ApiKey(models.Model):
    """A key of one person in one tenant. The secret is shown once; its SHA-256 is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(settings.TENANT_MODEL, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16)  # of the secret, for recognition
    digest = models.BinaryField(unique=True, max_length=32)
    key_scope = models.CharField(max_length=10, choices=[(s.value, s.value) for s in KeyScope])
    account_id = models.UUIDField(null=True, blank=True)  # the only trading account it is good for
    addresses = models.JSONField(default=list)  # networks in CIDR notation; empty: any
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            SharedTable(
                name="accounts_apikey_shared",
                read="kept",
                write="inside",
                tenant_column="tenant_id",
                owner_column="user_id",
            ),
            models.CheckConstraint(
                name="api_key_scope_is_known",
                condition=models.Q(key_scope__in=[scope.value for scope in KeyScope]),
            ),
        ]
        indexes = [models.Index(fields=["tenant", "user"], name="api_key_of_user")]

    def __str__(self) -> str:
        return self.prefix
