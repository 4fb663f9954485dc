"""Refresh tokens, stored as digests."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from tenants.constraints import SharedTable
from tenants.identifiers import new_id


class RefreshToken(models.Model):
    """A right to new access tokens for one membership, used once and replaced."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    digest = models.BinaryField(unique=True, max_length=32)
    session_id = models.UUIDField()
    membership = models.ForeignKey("accounts.Membership", on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [SharedTable(name="accounts_refreshtoken_shared", read="platform")]
        indexes = [models.Index(fields=["session_id"], name="refresh_token_session")]

    def __str__(self) -> str:
        return str(self.id)
