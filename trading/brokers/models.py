"""Brokerage accounts, what is in them, and what went in and out."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from tenants.ownership import TenantForeignKey, UserOwned
from trading.fields import AmountField


class Account(UserOwned):
    """A brokerage account of one person. Fees and slippage are in basis points."""

    class Kind(models.TextChoices):
        PAPER = "paper"

    class CostMethod(models.TextChoices):
        AVERAGE = "average"
        FIFO = "fifo"

    class Status(models.TextChoices):
        ACTIVE = "active"
        HALTED = "halted"

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.PAPER)
    currency = models.CharField(max_length=20)
    cost_method = models.CharField(max_length=10, choices=CostMethod, default=CostMethod.AVERAGE)
    is_default = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    maker_bps = AmountField(default=Decimal(10))
    taker_bps = AmountField(default=Decimal(20))
    slippage_bps = AmountField(default=Decimal(5))
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "user_id", "name"], name="account_name_is_unique"
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "user_id"],
                condition=Q(is_default=True),
                name="account_default_is_one",
            ),
            models.CheckConstraint(
                name="account_costs_are_not_negative",
                condition=Q(maker_bps__gte=0, taker_bps__gte=0, slippage_bps__gte=0),
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant_id", "user_id", "-created_at", "-id"], name="account_of_user"
            ),
            models.Index(fields=["tenant_id", "-created_at", "-id"], name="account_newest"),
        ]

    def __str__(self) -> str:
        return self.name


class Balance(UserOwned):
    """How much of one currency an account holds: free to use, or locked by open orders."""

    account = TenantForeignKey(Account, related_name="balances")
    currency = models.CharField(max_length=20)
    total = AmountField(default=Decimal(0))
    free = AmountField(default=Decimal(0))
    locked = AmountField(default=Decimal(0))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "account", "currency"], name="balance_is_one_per_currency"
            ),
            models.CheckConstraint(
                name="balance_total_is_free_plus_locked",
                condition=Q(total=F("free") + F("locked")),
            ),
            models.CheckConstraint(
                name="balance_is_not_negative", condition=Q(free__gte=0, locked__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.total} {self.currency}"


class CashMovement(UserOwned):
    """Money put in or taken out; `amount` is negative for a withdrawal."""

    append_only = True

    account = TenantForeignKey(Account, related_name="cash_movements")
    currency = models.CharField(max_length=20)
    amount = AmountField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="cash_movement_is_not_zero", condition=~Q(amount=Decimal(0))
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant_id", "account", "created_at"], name="cash_movement_of_account"
            )
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
