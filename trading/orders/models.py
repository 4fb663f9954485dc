"""Orders, and the fills that executed them."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from tenants.ownership import TenantForeignKey, UserOwned
from trading.brokers.models import Account
from trading.fields import AmountField
from trading.orders.states import OPEN, OrderStatus
from trading.values import Liquidity, OrderType, Side, TimeInForce

_OPEN = sorted(status.value for status in OPEN)


def _choices(
    values: type[Side | OrderType | TimeInForce | OrderStatus | Liquidity],
) -> list[tuple[str, str]]:
    return [(value.value, value.value) for value in values]


class OrderQuerySet(models.QuerySet["Order"]):
    def open(self) -> OrderQuerySet:
        return self.filter(status__in=_OPEN)

    def for_instrument(self, symbol: str) -> OrderQuerySet:
        return self.filter(instrument=symbol)


class Order(UserOwned):
    """An instruction to buy or sell. `quantity` is in the base asset, prices in the quote.

    `instrument` is a symbol without a foreign key: a key would have every tenant's inserts lock one
    shared row, and instruments are never deleted.
    """

    account = TenantForeignKey(Account, related_name="orders")
    instrument = models.CharField(max_length=32)
    side = models.CharField(max_length=4, choices=_choices(Side))
    type = models.CharField(max_length=20, choices=_choices(OrderType))
    quantity = AmountField()
    notional = AmountField(null=True, blank=True)
    limit_price = AmountField(null=True, blank=True)
    time_in_force = models.CharField(max_length=3, choices=_choices(TimeInForce))
    expires_at = models.DateTimeField(null=True, blank=True)
    post_only = models.BooleanField(default=False)
    client_order_id = models.CharField(max_length=64)
    status = models.CharField(max_length=20, choices=_choices(OrderStatus))
    status_reason = models.CharField(max_length=64, blank=True)
    filled_quantity = AmountField(default=Decimal(0))
    average_price = AmountField(null=True, blank=True)
    fees = AmountField(default=Decimal(0))
    locked = AmountField(default=Decimal(0))
    locked_currency = models.CharField(max_length=20)
    # Start of the newest bar the order has seen: only later ones may match it.
    matched_through = models.DateTimeField(null=True, blank=True)
    is_resting = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = OrderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "account", "client_order_id"],
                name="order_client_order_id_is_unique",
            ),
            models.CheckConstraint(name="order_quantity_is_positive", condition=Q(quantity__gt=0)),
            models.CheckConstraint(
                name="order_filled_not_over_quantity",
                condition=Q(filled_quantity__gte=0, filled_quantity__lte=F("quantity")),
            ),
            models.CheckConstraint(
                name="order_limit_has_a_price",
                condition=~Q(type="limit") | Q(limit_price__gt=0),
            ),
            models.CheckConstraint(name="order_lock_is_not_negative", condition=Q(locked__gte=0)),
            models.CheckConstraint(
                name="order_locks_nothing_when_done",
                condition=Q(status__in=_OPEN) | Q(locked=Decimal(0)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant_id", "user_id", "-created_at", "-id"], name="order_of_user"
            ),
            models.Index(fields=["tenant_id", "-created_at", "-id"], name="order_newest"),
            models.Index(
                fields=["tenant_id", "instrument"],
                condition=Q(status__in=_OPEN),
                name="order_open_by_instrument",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} {self.instrument}"


class Fill(UserOwned):
    """One execution, explained: `model` made it from `source`. Never changed, never deleted."""

    append_only = True

    order = TenantForeignKey(Order, related_name="fills")
    account = TenantForeignKey(Account, related_name="fills")
    position = TenantForeignKey("trading.Position", related_name="fills")
    instrument = models.CharField(max_length=32)
    side = models.CharField(max_length=4, choices=_choices(Side))
    quantity = AmountField()
    price = AmountField()
    fee = AmountField()
    fee_currency = models.CharField(max_length=20)
    realized_pnl = AmountField()
    liquidity = models.CharField(max_length=5, choices=_choices(Liquidity))
    trade_id = models.CharField(max_length=120)
    executed_at = models.DateTimeField()
    model = models.CharField(max_length=40)
    source = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "account", "trade_id"], name="fill_is_applied_once"
            ),
            models.CheckConstraint(
                name="fill_quantity_and_price_are_positive",
                condition=Q(quantity__gt=0, price__gt=0, fee__gte=0),
            ),
        ]
        indexes = [
            models.Index(fields=["tenant_id", "order"], name="fill_of_order"),
            models.Index(fields=["tenant_id", "position"], name="fill_of_position"),
            models.Index(
                fields=["tenant_id", "user_id", "-executed_at", "-id"], name="fill_of_user"
            ),
            models.Index(fields=["tenant_id", "-executed_at", "-id"], name="fill_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} {self.instrument} at {self.price}"
