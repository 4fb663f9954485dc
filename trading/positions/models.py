"""Positions: what the fills of an account in one instrument add up to."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast, Length
from django.db.models.lookups import LessThanOrEqual

from tenants.ownership import TenantForeignKey, UserOwned
from trading.brokers.models import Account
from trading.fields import AmountField

# Of what a model says about a position: its thinking, and its context and decision as JSON.
# PostgreSQL prints JSON with more blanks than a client, hence twice as much there.
MOST_CHARACTERS = 32_768


def _printed(column: str) -> Length:
    return Length(Cast(column, models.TextField()))


class Position(UserOwned):
    """A holding from its first fill until it is flat again; money in the quote currency."""

    class ClosedBy(models.TextChoices):
        """`manual`: by an order of the close action. `order`: by any other."""

        MANUAL = "manual"
        ORDER = "order"

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
    # The last price of the reference in the account's currency; null where it has none.
    opened_reference_price = AmountField(null=True, blank=True)
    closed_reference_price = AmountField(null=True, blank=True)
    closed_by = models.CharField(max_length=10, choices=ClosedBy, null=True, blank=True)
    # The order by which somebody has asked to close it; it may be canceled, and asked again.
    closing_order = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "id", "user_id"], name="position_of_its_owner"
            ),
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
            models.CheckConstraint(
                name="position_is_closed_by_something_once_closed",
                condition=Q(closed_by=None) | Q(closed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="position_reference_price_is_positive",
                condition=(Q(opened_reference_price=None) | Q(opened_reference_price__gt=0))
                & (Q(closed_reference_price=None) | Q(closed_reference_price__gt=0)),
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


class PositionLot(UserOwned):
    """One purchase of a position, and what of it has not been sold: the oldest is sold first.

    Written whatever way the account counts cost. Lots are in the order of their fills' ids, in
    which they were booked.
    """

    position = TenantForeignKey(Position, related_name="lots")
    fill = TenantForeignKey("trading.Fill", related_name="lots")
    opened_at = models.DateTimeField()
    price = AmountField()
    quantity = AmountField()
    remaining = AmountField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "fill"], name="lot_is_one_per_fill"),
            models.CheckConstraint(
                name="lot_quantity_and_price_are_positive", condition=Q(quantity__gt=0, price__gt=0)
            ),
            models.CheckConstraint(
                name="lot_remaining_within_quantity",
                condition=Q(remaining__gte=0, remaining__lte=F("quantity")),
            ),
        ]
        indexes = [
            models.Index(fields=["tenant_id", "position", "fill"], name="lot_of_position"),
            models.Index(
                fields=["tenant_id", "position", "fill"],
                condition=Q(remaining__gt=0),
                name="lot_with_something_left",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remaining} of {self.quantity} at {self.price}"


class PerpetualTerms(UserOwned):
    """What a position in a perpetual future has besides; money in the quote currency."""

    class MarginMode(models.TextChoices):
        ISOLATED = "isolated"
        CROSS = "cross"

    position = TenantForeignKey(Position, related_name="perpetual")
    leverage = AmountField()
    margin_mode = models.CharField(max_length=10, choices=MarginMode)
    liquidation_price = AmountField(null=True, blank=True)
    funding_paid = AmountField(default=Decimal(0))  # negative where more was received

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "position"], name="perpetual_is_one_per_position"
            ),
            models.CheckConstraint(
                name="perpetual_leverage_is_sound",
                condition=Q(leverage__gte=1, leverage__lte=1_000),
            ),
            models.CheckConstraint(
                name="perpetual_margin_mode_is_known",
                condition=Q(margin_mode__in=["isolated", "cross"]),
            ),
            models.CheckConstraint(
                name="perpetual_liquidation_price_is_positive",
                condition=Q(liquidation_price=None) | Q(liquidation_price__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.leverage}x {self.margin_mode}"


class BracketTerms(UserOwned):
    """The exits of the bracket that opened a position, as they stood then, in quote money."""

    position = TenantForeignKey(Position, related_name="bracket")
    take_profit = AmountField(null=True, blank=True)
    stop_loss = AmountField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "position"], name="bracket_is_one_per_position"
            ),
            models.CheckConstraint(
                name="bracket_has_an_exit",
                condition=~Q(take_profit=None, stop_loss=None)
                & (Q(take_profit=None) | Q(take_profit__gt=0))
                & (Q(stop_loss=None) | Q(stop_loss__gt=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stop_loss} to {self.take_profit}"


class DecisionLog(UserOwned):
    """What a model thought and decided about a position. Never changed, never deleted."""

    append_only = True

    position = TenantForeignKey(Position, related_name="decisions")
    at = models.DateTimeField()
    model = models.CharField(max_length=120)
    context = models.JSONField()
    thinking = models.TextField(blank=True, max_length=MOST_CHARACTERS)
    decision = models.JSONField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="decision_log_sizes_are_capped",
                condition=Q(LessThanOrEqual(Length("thinking"), MOST_CHARACTERS))
                & Q(LessThanOrEqual(_printed("context"), 2 * MOST_CHARACTERS))
                & Q(LessThanOrEqual(_printed("decision"), 2 * MOST_CHARACTERS)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant_id", "position", "-at", "-id"], name="decision_log_of_position"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} at {self.at:%Y-%m-%d %H:%M}"
