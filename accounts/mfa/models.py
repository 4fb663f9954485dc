"""Second factors of people: what the authenticator shares with us, and codes for its loss."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts import sealing
from tenants.constraints import SharedTable
from tenants.identifiers import new_id


class Authenticator(models.Model):
    """A time-based one-time password (RFC 6238); counts only once confirmed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    sealed_secret = models.BinaryField(max_length=200)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    # The newest time step (30 s since the epoch) whose code was taken: no code counts twice.
    last_step = models.BigIntegerField(default=0)

    class Meta:
        constraints = [SharedTable(name="accounts_authenticator_shared", read="platform")]

    def __str__(self) -> str:
        return str(self.user_id)

    @property
    def purpose(self) -> str:
        """What its secret is sealed for."""
        return f"totp:{self.user_id}"


class RecoveryCode(models.Model):
    """One of ten codes that each stand in for the authenticator once; stored as SHA-256."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes"
    )
    digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            SharedTable(name="accounts_recoverycode_shared", read="platform"),
            models.UniqueConstraint(
                fields=["user", "digest"], name="recovery_code_is_one_of_its_kind"
            ),
        ]

    def __str__(self) -> str:
        return str(self.user_id)


sealing.register(Authenticator, "sealed_secret", purpose=lambda row: row.purpose)
