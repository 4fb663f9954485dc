"""Positions: what the fills of an account in one instrument add up to."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from tenants.ownership import TenantForeignKey, UserOwned
from trading.brokers.models import Account
from trading.fields import AmountField


class Position(UserOwned):
    """A holding from its first fill until it is flat again; money in the quote currency."""

    account = TenantForeignKey(Account, related_name="positions")
    instrument = models.CharField(max_length=32)
    quantity = AmountField(default=Decimal(0))
    locked_quantity = AmountField(default=Decimal(0))
    average_price = AmountField(default=Decimal(0))
    cost_basis = AmountField(default=Decimal(0))
    realized_pnl = AmountField(default=Decimal(0))
    fees = AmountField(default=Decimal(0))
    notes = models.TextField(blank=True, max_length=10_000)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "account", "instrument"],
                condition=Q(closed_at=None),
                name="position_open_is_one",
            ),
            models.CheckConstraint(
                name="position_lock_is_within_quantity",
                condition=Q(locked_quantity__gte=0, locked_quantity__lte=F("quantity")),
            ),
            models.CheckConstraint(
                name="position_is_flat_when_closed",
                condition=Q(closed_at=None) | Q(quantity=Decimal(0)),
            ),
        ]
        indexes = [
            models.Index(fields=["tenant_id", "account"], name="position_of_account"),
            models.Index(
                fields=["tenant_id", "user_id", "-opened_at", "-id"], name="position_of_user"
            ),
            models.Index(fields=["tenant_id", "-opened_at", "-id"], name="position_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.instrument}"
