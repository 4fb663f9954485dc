"""What the API shows of the market."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from config.api.fields import PlainDecimal
from trading.market.models import Instrument
from trading.values import Side


class InstrumentOut(serializers.ModelSerializer[Instrument]):
    price_increment = PlainDecimal()
    quantity_increment = PlainDecimal()
    min_quantity = PlainDecimal()

    class Meta:
        model = Instrument
        fields = (
            "symbol",
            "name",
            "asset_class",
            "base",
            "quote",
            "price_increment",
            "quantity_increment",
            "min_quantity",
            "tradable",
        )


class CandleOut(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    open = PlainDecimal()
    high = PlainDecimal()
    low = PlainDecimal()
    close = PlainDecimal()
    volume = PlainDecimal()


class LastPriceOut(serializers.Serializer[Any]):
    symbol = serializers.CharField()
    price = PlainDecimal(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    previous_close = PlainDecimal(allow_null=True)
    change = PlainDecimal(allow_null=True)
    change_percent = PlainDecimal(allow_null=True)


class QuoteOut(LastPriceOut):
    """`bid` and `ask` are null where no feed has told them in the last minute."""

    bid = PlainDecimal(allow_null=True)
    ask = PlainDecimal(allow_null=True)


class TickOut(serializers.Serializer[Any]):
    trade_id = serializers.IntegerField()
    at = serializers.DateTimeField()
    price = PlainDecimal()
    quantity = PlainDecimal()
    side = serializers.ChoiceField(choices=[*Side])
    is_buyer_maker = serializers.BooleanField()


class GapOut(serializers.Serializer[Any]):
    first = serializers.DateTimeField()
    last = serializers.DateTimeField()
    bars = serializers.IntegerField()


class GapsOut(serializers.Serializer[Any]):
    due = serializers.IntegerField()
    missing = serializers.IntegerField()
    gaps = GapOut(many=True)


class MarketSessionOut(serializers.Serializer[Any]):
    timeframe = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    open = PlainDecimal()
    high = PlainDecimal()
    low = PlainDecimal()
    close = PlainDecimal()
    volume = PlainDecimal(allow_null=True)
    change = PlainDecimal()
    change_percent = PlainDecimal()
    bars = serializers.IntegerField()


class SeriesOut(serializers.Serializer[Any]):
    timeframe = serializers.CharField()
    bars = serializers.IntegerField()
    first = serializers.DateTimeField()
    last = serializers.DateTimeField()


class StatisticsOut(serializers.Serializer[Any]):
    symbol = serializers.CharField()
    session = MarketSessionOut(allow_null=True)
    series = SeriesOut(many=True)
