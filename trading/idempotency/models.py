"""Answers kept under the client's `Idempotency-Key`."""

from __future__ import annotations

from django.db import models

from tenants.ownership import UserOwned


class IdempotentRequest(UserOwned):
    """A request that succeeded, by its key: the same request again gets the same answer."""

    key = models.CharField(max_length=128)
    digest = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    # Text, not jsonb: the answer is given again with its keys in the same order.
    answer = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "user_id", "key"], name="idempotency_key_is_unique"
            )
        ]

    def __str__(self) -> str:
        return self.key
