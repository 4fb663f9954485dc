"""Instruments, candles and ticks: shared tables, read by all, written on the platform only."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Greatest, Least

from tenants.constraints import SharedTable
from trading.fields import AmountField
from trading.market.places import PlaceColumns
from trading.values import Side


class Instrument(models.Model):
    """What can be traded, known by its symbol. Never deleted: made untradable.

    `place_matched` is how far on its tape everybody has met what concerns them, but for tenants
    that stood still.
    """

    symbol = models.CharField(max_length=32, primary_key=True)
    name = models.CharField(max_length=120)
    asset_class = models.CharField(max_length=20)
    base = models.CharField(max_length=20)
    quote = models.CharField(max_length=20)
    price_increment = AmountField()
    quantity_increment = AmountField()
    min_quantity = AmountField()
    tradable = models.BooleanField(default=True)
    matched_through = models.DateTimeField(null=True, blank=True)
    matched_trade = models.BigIntegerField(null=True, blank=True)
    place_matched = PlaceColumns("matched_through", "matched_trade")

    class Meta:
        constraints = [
            SharedTable(name="market_instrument_shared", read="everywhere"),
            models.CheckConstraint(
                name="instrument_increments_are_positive",
                condition=Q(price_increment__gt=0, quantity_increment__gt=0, min_quantity__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return self.symbol


class Candle(models.Model):
    """One bar: prices in the quote currency, volume in the base; `start` is when it opened.

    Partitioned by `start`, a year each; see `partitions`. Orders meet what is on the tape: what a
    feed brought as the next of its instrument. The rest is history, and may be corrected.
    """

    pk = models.CompositePrimaryKey("symbol", "timeframe", "start")
    symbol = models.CharField(max_length=32)
    timeframe = models.CharField(max_length=8)
    start = models.DateTimeField()
    open = AmountField()
    high = AmountField()
    low = AmountField()
    close = AmountField()
    volume = AmountField()
    is_on_tape = models.BooleanField(db_default=False)

    class Meta:
        constraints = [
            SharedTable(name="market_candle_shared", read="everywhere"),
            models.CheckConstraint(
                name="candle_high_is_highest",
                condition=Q(high__gte=Greatest("open", "close", "low")),
            ),
            models.CheckConstraint(
                name="candle_low_is_lowest", condition=Q(low__lte=Least("open", "close"))
            ),
            models.CheckConstraint(
                name="candle_price_is_positive_and_volume_is_not_negative",
                condition=Q(low__gt=0, volume__gte=0),
            ),
        ]
        indexes = [
            models.Index(fields=["symbol", "-start", "-timeframe"], name="candle_newest"),
            # However much history lies after it, the newest of the tape is found at once.
            models.Index(
                fields=["symbol", "-start", "-timeframe"],
                condition=Q(is_on_tape=True),
                name="candle_newest_on_tape",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.timeframe} {self.start:%Y-%m-%d %H:%M}"


class CandleLoad(models.Model):
    """Where COPY puts rows on their way to `Candle`: COPY does not work on a walled table."""

    pk = models.CompositePrimaryKey("load_id", "symbol", "timeframe", "start")
    load_id = models.UUIDField()
    symbol = models.CharField(max_length=32)
    timeframe = models.CharField(max_length=8)
    start = models.DateTimeField()
    open = AmountField()
    high = AmountField()
    low = AmountField()
    close = AmountField()
    volume = AmountField()

    class Meta:
        constraints = [SharedTable(name="market_candleload_shared", read="unwalled")]

    def __str__(self) -> str:
        return f"{self.load_id} {self.symbol}"


class Tick(models.Model):
    """One trade: price in the quote currency, quantity in the base; `side` is the taker's.

    Partitioned by `at`, a month each; see `partitions`. A trade id is unique for its symbol: no key
    over partitions can say so, and `actions.load_ticks` does. Of the tape as candles are.
    """

    pk = models.CompositePrimaryKey("symbol", "trade_id", "at")
    symbol = models.CharField(max_length=32)
    trade_id = models.BigIntegerField()
    at = models.DateTimeField()
    price = AmountField()
    quantity = AmountField()
    side = models.CharField(max_length=4)
    is_buyer_maker = models.BooleanField()
    is_on_tape = models.BooleanField(db_default=False)

    class Meta:
        constraints = [
            SharedTable(name="market_tick_shared", read="everywhere", append_only=True),
            models.CheckConstraint(
                name="tick_price_and_quantity_are_positive",
                condition=Q(price__gt=0, quantity__gt=0),
            ),
            models.CheckConstraint(name="tick_id_is_not_negative", condition=Q(trade_id__gte=0)),
            models.CheckConstraint(name="tick_side_is_buy_or_sell", condition=Q(side__in=[*Side])),
        ]
        indexes = [
            models.Index(fields=["symbol", "-at", "-trade_id"], name="tick_newest"),
            models.Index(
                fields=["symbol", "-at", "-trade_id"],
                condition=Q(is_on_tape=True),
                name="tick_newest_on_tape",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.trade_id}"


class TickLoad(models.Model):
    """Where COPY puts ticks on their way to `Tick`, as `CandleLoad` does for candles."""

    pk = models.CompositePrimaryKey("load_id", "place")
    load_id = models.UUIDField()
    place = models.BigIntegerField()
    symbol = models.CharField(max_length=32)
    trade_id = models.BigIntegerField()
    at = models.DateTimeField()
    price = AmountField()
    quantity = AmountField()
    side = models.CharField(max_length=4)
    is_buyer_maker = models.BooleanField()

    class Meta:
        constraints = [SharedTable(name="market_tickload_shared", read="unwalled")]

    def __str__(self) -> str:
        return f"{self.load_id} {self.symbol}"
