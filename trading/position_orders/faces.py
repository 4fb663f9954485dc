"""What may be asked of a position's orders; they look like any order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from config.api.fields import PlainDecimal
from trading.position_orders.actions import Sale
from trading.position_orders.asking import DEFAULT_SLIPPAGE_BPS, Floor, Part

_WHOLE = Decimal(100)
_WHOLE_BPS = Decimal(10_000)


class FundsIn(serializers.Serializer[Any]):
    """Exactly one of `amount` (quote) and `quantity` (base); a limit order with `limit_price`."""

    amount = PlainDecimal(positive=True, required=False)
    quantity = PlainDecimal(positive=True, required=False)
    limit_price = PlainDecimal(positive=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("amount" in attrs) == ("quantity" in attrs):
            raise serializers.ValidationError("Give either amount or quantity.")
        return attrs


class PartIn(serializers.Serializer[Any]):
    """`quantity` in the base asset, or `percent` of what is held."""

    quantity = PlainDecimal(positive=True, required=False)
    percent = PlainDecimal(positive=True, required=False)

    def validate_percent(self, value: Decimal) -> Decimal:
        if value > _WHOLE:
            raise serializers.ValidationError("Give a percentage up to 100.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "quantity" in attrs and "percent" in attrs:
            raise serializers.ValidationError("Give quantity or percent, not both.")
        return attrs

    def part(self) -> Part:
        data = self.validated_data
        return Part(quantity=data.get("quantity"), percent=data.get("percent"))


class SlippageIn(PartIn):
    """A limit more than `max_slippage_bps` basis points under the last price is refused.

    Unless `slippage_check` is false.
    """

    slippage_check = serializers.BooleanField(default=True)
    max_slippage_bps = PlainDecimal(default=DEFAULT_SLIPPAGE_BPS)

    def validate_max_slippage_bps(self, value: Decimal) -> Decimal:
        if not 0 <= value <= _WHOLE_BPS:
            raise serializers.ValidationError("Give basis points from 0 to 10000.")
        return value

    def floor(self) -> Floor:
        data = self.validated_data
        is_checked = data["slippage_check"]
        return Floor(max_slippage_bps=data["max_slippage_bps"] if is_checked else None)

    def sale(self) -> Sale:
        limit_price = self.validated_data.get("limit_price")
        return Sale(part=self.part(), limit_price=limit_price, floor=self.floor())


class LimitIn(SlippageIn):
    """Exactly one of `quantity` and `percent`."""

    limit_price = PlainDecimal(positive=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("quantity" in attrs) == ("percent" in attrs):
            raise serializers.ValidationError("Give either quantity or percent.")
        return attrs


class LimitChangeIn(SlippageIn):
    limit_price = PlainDecimal(positive=True, required=False)

    def changed(self) -> dict[str, Any]:
        """What the action is asked for besides the slippage."""
        data = self.validated_data
        is_resized = "quantity" in data or "percent" in data
        part = self.part() if is_resized else None
        return {"part": part, "limit_price": data.get("limit_price")}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not {"quantity", "percent", "limit_price"} & set(attrs):
            raise serializers.ValidationError("Give quantity, percent or limit_price.")
        return super().validate(attrs)


class CloseIn(SlippageIn):
    """Without `quantity` and `percent` all of it; `limit_price` goes with type `limit`."""

    type = serializers.ChoiceField(choices=("market", "limit"), default="market")
    limit_price = PlainDecimal(positive=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["type"] == "limit") != ("limit_price" in attrs):
            raise serializers.ValidationError("limit_price goes with type limit, and only there.")
        return super().validate(attrs)
