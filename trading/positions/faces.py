"""How positions look to clients: what may be written, and what is shown."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.api.fields import PlainDecimal
from trading.positions import pnl
from trading.positions.models import MOST_CHARACTERS, DecisionLog, PerpetualTerms, Position

_MOST_LEVERAGE = Decimal(1_000)


class PerpetualIn(serializers.Serializer[Any]):
    """`funding_paid` is negative where more was received; money in the quote currency."""

    leverage = PlainDecimal(positive=True)
    margin_mode = serializers.ChoiceField(choices=PerpetualTerms.MarginMode.choices)
    liquidation_price = PlainDecimal(positive=True, allow_null=True, default=None)
    funding_paid = PlainDecimal(default=Decimal(0))

    def validate_leverage(self, value: Decimal) -> Decimal:
        if not 1 <= value <= _MOST_LEVERAGE:
            raise serializers.ValidationError("Give a leverage from 1 to 1000.")
        return value


class PerpetualOut(serializers.Serializer[Any]):
    leverage = PlainDecimal(source="perpetual_leverage")
    margin_mode = serializers.ChoiceField(
        source="perpetual_margin_mode", choices=PerpetualTerms.MarginMode.choices
    )
    liquidation_price = PlainDecimal(source="perpetual_liquidation_price", allow_null=True)
    funding_paid = PlainDecimal(source="perpetual_funding_paid")


class BracketOut(serializers.Serializer[Any]):
    """The exits as they stood when the entry opened the position."""

    take_profit = PlainDecimal(source="bracket_take_profit", allow_null=True)
    stop_loss = PlainDecimal(source="bracket_stop_loss", allow_null=True)


class PositionOut(serializers.ModelSerializer[Position]):
    """Money in the instrument's quote currency; null where there is no price.

    A reference price is that of one BTC in the account's currency, when the position was opened or
    closed. `closed_by` is `manual` for one that an order of the close action has closed.
    """

    quantity = PlainDecimal()
    locked_quantity = PlainDecimal()
    average_price = PlainDecimal()
    cost_basis = PlainDecimal()
    realized_pnl = PlainDecimal()
    fees = PlainDecimal()
    market_value = serializers.SerializerMethodField()
    unrealized_pnl = serializers.SerializerMethodField()
    opened_reference_price = PlainDecimal(allow_null=True)
    closed_reference_price = PlainDecimal(allow_null=True)
    perpetual = serializers.SerializerMethodField()
    bracket = serializers.SerializerMethodField()

    class Meta:
        model = Position
        fields = (
            "id",
            "account",
            "instrument",
            "quantity",
            "locked_quantity",
            "average_price",
            "cost_basis",
            "market_value",
            "realized_pnl",
            "unrealized_pnl",
            "fees",
            "notes",
            "opened_at",
            "closed_at",
            "opened_reference_price",
            "closed_reference_price",
            "closed_by",
            "perpetual",
            "bracket",
        )

    def get_market_value(self, position: Position) -> str | None:
        value = pnl.market_value(position, self._price(position))
        return None if value is None else PlainDecimal().to_representation(value)

    def get_unrealized_pnl(self, position: Position) -> str | None:
        gain = pnl.unrealized(position, self._price(position))
        return None if gain is None else PlainDecimal().to_representation(gain)

    @extend_schema_field(PerpetualOut(allow_null=True))
    def get_perpetual(self, position: Any) -> Any:
        return None if position.perpetual_leverage is None else PerpetualOut(position).data

    @extend_schema_field(BracketOut(allow_null=True))
    def get_bracket(self, position: Any) -> Any:
        exits = (position.bracket_take_profit, position.bracket_stop_loss)
        return None if exits == (None, None) else BracketOut(position).data

    def _price(self, position: Position) -> Decimal | None:
        price: Decimal | None = self.context["prices"].get(position.instrument)
        return price


class NotesIn(serializers.Serializer[Any]):
    notes = serializers.CharField(max_length=10_000, allow_blank=True)


class DecisionIn(serializers.Serializer[Any]):
    """What a model thought; `context` and `decision` are any JSON, each capped in size."""

    model = serializers.CharField(max_length=120)
    # The base class has a dictionary of this name, which no one asks a face for.
    context = serializers.JSONField(default=dict)  # type: ignore[assignment]
    thinking = serializers.CharField(max_length=MOST_CHARACTERS, allow_blank=True, default="")
    decision = serializers.JSONField()

    def validate_context(self, value: Any) -> Any:
        return _capped(value)

    def validate_decision(self, value: Any) -> Any:
        return _capped(value)


class DecisionOut(serializers.ModelSerializer[DecisionLog]):
    class Meta:
        model = DecisionLog
        fields = ("id", "position", "at", "model", "context", "thinking", "decision")


def _capped(value: Any) -> Any:
    if value is None:
        raise serializers.ValidationError("null says nothing.")
    if len(json.dumps(value)) > MOST_CHARACTERS:
        raise serializers.ValidationError(f"At most {MOST_CHARACTERS} characters of JSON.")
    return value
