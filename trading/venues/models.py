"""Reports of what an account was compared with its exchange for, and what came of it."""

from __future__ import annotations

from django.db import models

from tenants.ownership import TenantForeignKey, UserOwned
from trading.brokers.models import Account


class Reconciliation(UserOwned):
    """One comparison: what was found, and so put right. Never changed.

    `trades_until` is set where there were more trades than are asked for at once: the next
    comparison goes on from there.
    """

    append_only = True

    class Reason(models.TextChoices):
        TIMER = "timer"
        START = "start"
        REQUEST = "request"
        UNKNOWN_INTENT = "unknown_intent"

    class State(models.TextChoices):
        DONE = "done"
        FAILED = "failed"

    account = TenantForeignKey(Account, related_name="reconciliations")
    reason = models.CharField(max_length=14, choices=Reason)
    state = models.CharField(max_length=6, choices=State)
    findings = models.JSONField()
    at = models.DateTimeField()
    trades_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["tenant_id", "account", "-at", "-id"], name="reconciliation_of_account"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.at}"
