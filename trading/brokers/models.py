"""Brokerage accounts, what is in them, what went in and out, and how each is to be run."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from accounts import sealing
from tenants.models import Tenant
from tenants.ownership import TenantForeignKey, UserOwned
from trading.fields import AmountField


class AccountQuerySet(models.QuerySet["Account"]):
    def behind(self) -> AccountQuerySet:
        """Paper accounts of the entered tenant that may have missed some of the tape.

        While a tenant is suspended prices pass it by, and so they do transactions that were open.
        """
        caught_up = Q(returned_at=None) | Q(returned_at=OuterRef("returned_at"))
        own = Tenant.objects.filter(caught_up, pk=OuterRef("tenant_id"))
        there = own.filter(status=Tenant.Status.ACTIVE)
        return self.filter(~Exists(there), kind=Account.Kind.PAPER)


class Account(UserOwned):
    """A brokerage account of one person. Fees and slippage are in basis points.

    `returned_at` is its tenant's, of the last return after which it has met all of the tape.
    An account is never deleted, because its fills are not: it is closed, and its name is free.
    """

    class Kind(models.TextChoices):
        PAPER = "paper"
        EXCHANGE = "exchange"

    class CostMethod(models.TextChoices):
        AVERAGE = "average"
        FIFO = "fifo"

    class Status(models.TextChoices):
        ACTIVE = "active"
        HALTED = "halted"
        CLOSED = "closed"

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.PAPER)
    exchange = models.CharField(max_length=40, blank=True)  # by ccxt's name
    currency = models.CharField(max_length=20)
    cost_method = models.CharField(max_length=10, choices=CostMethod, default=CostMethod.AVERAGE)
    is_default = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    status_reason = models.CharField(max_length=40, blank=True)
    maker_bps = AmountField(default=Decimal(10))
    taker_bps = AmountField(default=Decimal(20))
    slippage_bps = AmountField(default=Decimal(5))
    returned_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = AccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "id", "user_id"], name="account_of_its_owner"
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "user_id", "name"],
                condition=~Q(status="closed"),
                name="account_name_is_unique",
            ),
            models.CheckConstraint(
                name="account_exchange_is_named",
                condition=Q(kind="paper", exchange="") | Q(kind="exchange") & ~Q(exchange=""),
            ),
            models.CheckConstraint(
                name="account_closed_is_not_default",
                condition=~Q(status="closed", is_default=True),
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

    @property
    def is_paper(self) -> bool:
        return self.kind == self.Kind.PAPER


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


class ExchangeCredential(UserOwned):
    """The keys by which one account trades at its exchange; sealed, and never read back."""

    account = TenantForeignKey(Account, related_name="credentials")
    sealed_key = models.BinaryField(max_length=1_000)
    sealed_secret = models.BinaryField(max_length=4_000)
    sealed_passphrase = models.BinaryField(max_length=1_000, null=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "account"], name="credential_is_one_per_account"
            ),
        ]

    def __str__(self) -> str:
        return str(self.account_id)

    def purpose(self, part: str) -> str:
        """What `part` (key, secret or passphrase) is sealed for: this account and no other."""
        return f"exchange:{self.account_id}:{part}"


class AccountLimits(UserOwned):
    """A proprietary firm's limits: what an account may lose before trading is halted.

    Amounts are in the account's currency. `day_start`, `peak` and `last_equity`, what was seen
    last, are equity, moved along with money put in or taken out: only what trading lost counts.
    """

    account = TenantForeignKey(Account, related_name="limits")
    max_daily_loss = AmountField(null=True, blank=True)
    max_drawdown = AmountField(null=True, blank=True)
    day_on = models.DateField(null=True, blank=True)
    day_start = AmountField(null=True, blank=True)
    peak = AmountField(null=True, blank=True)
    last_equity = AmountField(null=True, blank=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "account"], name="limits_are_one_per_account"
            ),
            models.CheckConstraint(
                name="limits_are_positive",
                condition=(Q(max_daily_loss=None) | Q(max_daily_loss__gt=0))
                & (Q(max_drawdown=None) | Q(max_drawdown__gt=0)),
            ),
        ]

    def __str__(self) -> str:
        return str(self.account_id)


class AutoBuy(UserOwned):
    """How much a bot of the account may buy on its own; percentages are of the entry's price."""

    account = TenantForeignKey(Account, related_name="auto_buy")
    is_enabled = models.BooleanField(default=False)
    notional = AmountField()
    max_open_positions = models.PositiveSmallIntegerField(default=1)
    instruments = models.JSONField(default=list)
    take_profit_percent = AmountField(null=True, blank=True)
    stop_loss_percent = AmountField(null=True, blank=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "account"], name="auto_buy_is_one_per_account"
            ),
            models.CheckConstraint(
                name="auto_buy_numbers_are_sound",
                condition=Q(notional__gt=0, max_open_positions__gt=0)
                & (Q(take_profit_percent=None) | Q(take_profit_percent__gt=0))
                & (
                    Q(stop_loss_percent=None)
                    | Q(stop_loss_percent__gt=0, stop_loss_percent__lt=100)
                ),
            ),
        ]

    def __str__(self) -> str:
        return str(self.account_id)


for _part in ("key", "secret", "passphrase"):
    _purpose = partial(ExchangeCredential.purpose, part=_part)
    sealing.register(ExchangeCredential, f"sealed_{_part}", purpose=_purpose)
