"""What may be asked about second factors; on the platform, since tenants are shown none."""

from __future__ import annotations

from uuid import UUID

from accounts.mfa.models import RecoveryCode


def recovery_codes_left(user_id: UUID) -> int:
    """How many are unused."""
    return RecoveryCode.objects.filter(user_id=user_id, used_at=None).count()
