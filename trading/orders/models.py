"""Orders, and the fills that executed them."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from tenants.ownership import TenantForeignKey, UserOwned
from trading.brokers.models import Account
from trading.fields import AmountField
from trading.market.places import PlaceColumns
from trading.orders.querysets import OPEN_STATUSES, OrderQuerySet, VenueIntentQuerySet
from trading.orders.states import OrderStatus
from trading.values import Liquidity, OrderType, Side, TimeInForce, exact

# Of an account that starts over: the order and the fill that sell what it held, which no market
# has made.
ACCOUNT_RESET = "account_reset"
RESET_MODEL = "reset-1"


def _choices(
    values: type[Side | OrderType | TimeInForce | OrderStatus | Liquidity],
) -> list[tuple[str, str]]:
    return [(value.value, value.value) for value in values]


class Order(UserOwned):
    """An instruction to buy or sell. `quantity` is in the base asset, prices in the quote.

    `instrument` is a symbol without a foreign key: a key would have every tenant's inserts lock one
    shared row, and instruments are never deleted.

    Its fills can be made again from what it was placed with: besides what was asked, its costs in
    basis points, `place_known`, where on the tape the newest was that was known, `reserved`, what
    it locked then, and `top_ups`, what it locked more at which place. Members of a `group` share
    one quantity, of which `sibling_filled` is what the others have filled; one of them holds the
    lock for all.
    """

    class Role(models.TextChoices):
        NONE = ""
        ENTRY = "entry"
        TAKE_PROFIT = "take_profit"
        STOP_LOSS = "stop_loss"

    account = TenantForeignKey(Account, related_name="orders")
    instrument = models.CharField(max_length=32)
    side = models.CharField(max_length=4, choices=_choices(Side))
    type = models.CharField(max_length=20, choices=_choices(OrderType))
    quantity = AmountField()
    notional = AmountField(null=True, blank=True)
    limit_price = AmountField(null=True, blank=True)
    stop_price = AmountField(null=True, blank=True)
    trail_amount = AmountField(null=True, blank=True)
    trail_percent = AmountField(null=True, blank=True)
    water_mark = AmountField(null=True, blank=True)
    time_in_force = models.CharField(max_length=3, choices=_choices(TimeInForce))
    expires_at = models.DateTimeField(null=True, blank=True)
    post_only = models.BooleanField(default=False)
    reduce_only = models.BooleanField(default=False)
    role = models.CharField(max_length=12, choices=Role, blank=True, default=Role.NONE)
    parent = TenantForeignKey("self", related_name="legs", null=True, blank=True)
    group = models.UUIDField(null=True, blank=True)
    replaces = TenantForeignKey("self", related_name="replacements", null=True, blank=True)
    replaced_by = models.UUIDField(null=True, blank=True)
    client_order_id = models.CharField(max_length=64)
    # Of the instruction: the same id with another one is refused.
    digest = models.BinaryField(max_length=32, null=True)
    status = models.CharField(max_length=20, choices=_choices(OrderStatus))
    status_reason = models.CharField(max_length=64, blank=True)
    filled_quantity = AmountField(default=Decimal(0))
    sibling_filled = AmountField(default=Decimal(0))
    average_price = AmountField(null=True, blank=True)
    fees = AmountField(default=Decimal(0))
    locked = AmountField(default=Decimal(0))
    locked_currency = models.CharField(max_length=20)
    reserved = AmountField(default=Decimal(0))
    top_ups = models.JSONField(default=list)
    maker_bps = AmountField()
    taker_bps = AmountField()
    slippage_bps = AmountField()
    placed_after = models.DateTimeField(null=True, blank=True)
    placed_trade = models.BigIntegerField(null=True, blank=True)
    place_known = PlaceColumns("placed_after", "placed_trade")
    # Of the newest that was known when it ended without a fill: what is later missed it.
    ended_after = models.DateTimeField(null=True, blank=True)
    ended_trade = models.BigIntegerField(null=True, blank=True)
    place_ended = PlaceColumns("ended_after", "ended_trade")
    # Of the newest that the order has seen: only what is later may match it.
    matched_through = models.DateTimeField(null=True, blank=True)
    matched_trade = models.BigIntegerField(null=True, blank=True)
    place_met = PlaceColumns("matched_through", "matched_trade")
    is_resting = models.BooleanField(default=False)
    is_triggered = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = OrderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "id", "user_id"], name="order_of_its_owner"
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "account", "client_order_id"],
                name="order_client_order_id_is_unique",
            ),
            models.CheckConstraint(name="order_quantity_is_positive", condition=Q(quantity__gt=0)),
            models.CheckConstraint(
                name="order_filled_not_over_quantity",
                condition=Q(
                    filled_quantity__gte=0,
                    sibling_filled__gte=0,
                    quantity__gte=F("filled_quantity") + F("sibling_filled"),
                ),
            ),
            # A check passes what is unknown: a price that is not there is refused by name.
            models.CheckConstraint(
                name="order_limit_has_a_price",
                condition=~Q(type__in=["limit", "stop_limit"])
                | Q(limit_price__isnull=False, limit_price__gt=0),
            ),
            models.CheckConstraint(
                name="order_stop_has_a_price",
                condition=~Q(type__in=["stop", "stop_limit"])
                | Q(stop_price__isnull=False, stop_price__gt=0),
            ),
            models.CheckConstraint(
                name="order_trails_by_amount_or_percent",
                condition=~Q(type="trailing_stop")
                | Q(trail_amount__isnull=False, trail_amount__gt=0, trail_percent=None)
                | Q(
                    trail_amount=None,
                    trail_percent__isnull=False,
                    trail_percent__gt=0,
                    trail_percent__lt=100,
                ),
            ),
            models.CheckConstraint(
                name="order_leg_has_a_group", condition=Q(parent=None) | ~Q(group=None)
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "replaces"], name="order_is_replaced_once"
            ),
            models.CheckConstraint(
                name="order_costs_are_not_negative",
                condition=Q(maker_bps__gte=0, taker_bps__gte=0, slippage_bps__gte=0),
            ),
            models.CheckConstraint(
                name="order_trade_has_its_moment",
                condition=(Q(placed_trade=None) | Q(placed_after__isnull=False))
                & (Q(ended_trade=None) | Q(ended_after__isnull=False))
                & (Q(matched_trade=None) | Q(matched_through__isnull=False)),
            ),
            models.CheckConstraint(name="order_lock_is_not_negative", condition=Q(locked__gte=0)),
            models.CheckConstraint(
                name="order_locks_nothing_when_done",
                condition=Q(status__in=OPEN_STATUSES) | Q(locked=Decimal(0)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant_id", "user_id", "-created_at", "-id"], name="order_of_user"
            ),
            models.Index(fields=["tenant_id", "-created_at", "-id"], name="order_newest"),
            models.Index(
                fields=["tenant_id", "instrument"],
                condition=Q(status__in=OPEN_STATUSES),
                name="order_open_by_instrument",
            ),
            models.Index(
                fields=["tenant_id", "account", "instrument"],
                condition=Q(status__in=OPEN_STATUSES),
                name="order_open_of_account",
            ),
            models.Index(
                fields=["tenant_id", "group"],
                condition=~Q(group=None),
                name="order_of_group",
            ),
            models.Index(fields=["tenant_id", "parent"], name="order_legs"),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} {self.instrument}"

    @property
    def remaining(self) -> Decimal:
        """What is left to fill, in the base asset: neither its own fills nor its siblings'."""
        with exact():
            left: Decimal = self.quantity - self.filled_quantity - self.sibling_filled
            return left


class VenueIntent(UserOwned):
    """What an exchange is to be told about an order: written before the call, in its transaction.

    `unknown` is a call whose outcome nobody heard: the venue is asked before it is told again.
    """

    class Kind(models.TextChoices):
        PLACE = "place"
        CANCEL = "cancel"

    class State(models.TextChoices):
        PENDING = "pending"
        CALLING = "calling"
        ANSWERED = "answered"
        UNKNOWN = "unknown"
        FAILED = "failed"

    account = TenantForeignKey(Account, related_name="venue_intents")
    order = TenantForeignKey(Order, related_name="venue_intents")
    kind = models.CharField(max_length=6, choices=Kind)
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=64, blank=True)
    venue_order_id = models.CharField(max_length=64, blank=True)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    called_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = VenueIntentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "order"],
                condition=Q(kind="place"),
                name="venue_intent_places_an_order_once",
            ),
            models.CheckConstraint(
                name="venue_intent_is_answered_once_and_for_all",
                condition=Q(state__in=["answered", "failed"], answered_at__isnull=False)
                | Q(state__in=["pending", "calling", "unknown"], answered_at=None),
            ),
            models.CheckConstraint(
                name="venue_intent_called_at_is_known",
                condition=~Q(state__in=["calling", "unknown"]) | Q(called_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["tenant_id", "order"], name="venue_intent_of_order"),
            models.Index(fields=["tenant_id", "account", "due_at"], name="venue_intent_of_account"),
            models.Index(
                fields=["tenant_id", "due_at"],
                condition=Q(state__in=["pending", "calling", "unknown"]),
                name="venue_intent_outstanding",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.order_id}"


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
    # What the exchange kept of the base asset; `fee` includes what that was worth.
    base_fee = AmountField(default=Decimal(0), db_default=Decimal(0))
    realized_pnl = AmountField()
    liquidity = models.CharField(max_length=5, choices=_choices(Liquidity))
    trade_id = models.CharField(max_length=120)
    executed_at = models.DateTimeField()  # in the market's time, which may be history
    recorded_at = models.DateTimeField(null=True, blank=True)  # when it was booked, by the clock
    model = models.CharField(max_length=40)
    source = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "id", "user_id"], name="fill_of_its_owner"
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "account", "trade_id"], name="fill_is_applied_once"
            ),
            models.CheckConstraint(
                name="fill_quantity_and_price_are_positive",
                condition=Q(quantity__gt=0, price__gt=0, fee__gte=0),
            ),
            models.CheckConstraint(
                name="fill_base_fee_is_within_quantity",
                condition=Q(base_fee=0) | Q(base_fee__gt=0, base_fee__lt=F("quantity")),
            ),
        ]
        indexes = [
            models.Index(fields=["tenant_id", "order"], name="fill_of_order"),
            models.Index(fields=["tenant_id", "position"], name="fill_of_position"),
            models.Index(fields=["tenant_id", "account", "id"], name="fill_of_account"),
            models.Index(
                fields=["tenant_id", "user_id", "-executed_at", "-id"], name="fill_of_user"
            ),
            models.Index(fields=["tenant_id", "-executed_at", "-id"], name="fill_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} {self.instrument} at {self.price}"
