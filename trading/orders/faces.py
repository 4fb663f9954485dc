"""How orders and fills look to clients: what may be asked, and what is shown."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from config.api.fields import PlainDecimal
from trading.market.queries import symbol_of
from trading.orders.faults import faults
from trading.orders.instructions import Change, Instruction, StopLoss
from trading.orders.models import Fill, Order
from trading.values import OrderType, Side, TimeInForce

TYPES = [kind.value for kind in OrderType]
_CLASSES = ("simple", "bracket", "oco")


class TakeProfitIn(serializers.Serializer[Any]):
    limit_price = PlainDecimal(positive=True)


class StopLossIn(serializers.Serializer[Any]):
    """A stop, or with `limit_price` a stop-limit."""

    stop_price = PlainDecimal(positive=True)
    limit_price = PlainDecimal(positive=True, required=False, allow_null=True)


class OrderIn(serializers.Serializer[Any]):
    """Exactly one of `quantity` (base) and `notional` (quote).

    With `take_profit` or `stop_loss` it is the entry of a bracket. `order_class` `oco` is a limit
    order that sells, with a `stop_loss` beside it: what one fills, the other loses.
    """

    account = serializers.UUIDField()
    instrument = serializers.CharField(max_length=33)
    side = serializers.ChoiceField(choices=[side.value for side in Side])
    type = serializers.ChoiceField(choices=TYPES)
    quantity = PlainDecimal(positive=True, required=False, allow_null=True)
    notional = PlainDecimal(positive=True, required=False, allow_null=True)
    limit_price = PlainDecimal(positive=True, required=False, allow_null=True)
    stop_price = PlainDecimal(positive=True, required=False, allow_null=True)
    trail_amount = PlainDecimal(positive=True, required=False, allow_null=True)
    trail_percent = PlainDecimal(positive=True, required=False, allow_null=True)
    time_in_force = serializers.ChoiceField(
        choices=[kind.value for kind in TimeInForce], default=TimeInForce.GTC.value
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    post_only = serializers.BooleanField(default=False)
    reduce_only = serializers.BooleanField(default=False)
    client_order_id = serializers.CharField(max_length=64, required=False)
    order_class = serializers.ChoiceField(choices=_CLASSES, required=False)
    take_profit = TakeProfitIn(required=False, allow_null=True)
    stop_loss = StopLossIn(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        has_legs = bool(attrs.get("take_profit") or attrs.get("stop_loss"))
        kind = attrs.get("order_class")
        if (kind == "simple" and has_legs) or (kind == "bracket" and not has_legs):
            raise serializers.ValidationError("A bracket, and only that, has legs.")
        if wrong := faults(_instruction(attrs)):
            raise serializers.ValidationError(wrong)
        return attrs

    def instruction(self) -> Instruction:
        """What was asked, in the words of the trade."""
        return _instruction(self.validated_data)


class OrderChangeIn(serializers.Serializer[Any]):
    """What is to be different in the order that takes the place of this one."""

    quantity = PlainDecimal(positive=True, required=False)
    limit_price = PlainDecimal(positive=True, required=False)
    stop_price = PlainDecimal(positive=True, required=False)
    trail_amount = PlainDecimal(positive=True, required=False)
    trail_percent = PlainDecimal(positive=True, required=False)
    time_in_force = serializers.ChoiceField(
        choices=[kind.value for kind in TimeInForce], required=False
    )
    expires_at = serializers.DateTimeField(required=False)
    client_order_id = serializers.CharField(max_length=64, required=False)

    def change(self) -> Change:
        data = dict(self.validated_data)
        in_force = data.pop("time_in_force", None)
        return Change(time_in_force=TimeInForce(in_force) if in_force else None, **data)


class LegOut(serializers.ModelSerializer[Order]):
    # Plain ids, as the columns hold them: a relation's field costs a page several times as much.
    account = serializers.UUIDField(source="account_id")
    # The metaclass takes a declared field out of the class, and so hides nothing of the base's.
    parent = serializers.UUIDField(source="parent_id", allow_null=True)  # type: ignore[assignment]
    replaces = serializers.UUIDField(source="replaces_id", allow_null=True)
    quantity = PlainDecimal()
    notional = PlainDecimal(allow_null=True)
    limit_price = PlainDecimal(allow_null=True)
    stop_price = PlainDecimal(allow_null=True)
    trail_amount = PlainDecimal(allow_null=True)
    trail_percent = PlainDecimal(allow_null=True)
    filled_quantity = PlainDecimal()
    remaining_quantity = PlainDecimal(source="remaining")
    average_price = PlainDecimal(allow_null=True)
    fees = PlainDecimal()

    class Meta:
        model = Order
        fields: tuple[str, ...] = (
            "id",
            "account",
            "instrument",
            "side",
            "type",
            "role",
            "quantity",
            "notional",
            "limit_price",
            "stop_price",
            "trail_amount",
            "trail_percent",
            "time_in_force",
            "expires_at",
            "post_only",
            "reduce_only",
            "client_order_id",
            "status",
            "status_reason",
            "filled_quantity",
            "remaining_quantity",
            "average_price",
            "fees",
            "parent",
            "replaces",
            "replaced_by",
            "created_at",
            "updated_at",
        )


class OrderOut(LegOut):
    """With its `legs`: those of a bracket's entry, or the stop of an OCO; else none."""

    legs = serializers.SerializerMethodField()

    class Meta(LegOut.Meta):
        fields = (*LegOut.Meta.fields, "legs")

    def get_legs(self, order: Order) -> list[dict[str, Any]]:
        if order.role == Order.Role.NONE or order.parent_id is not None:
            return []
        return list(LegOut(order.legs.all(), many=True).data)


class FillOut(serializers.ModelSerializer[Fill]):
    order = serializers.UUIDField(source="order_id")
    account = serializers.UUIDField(source="account_id")
    position = serializers.UUIDField(source="position_id")
    quantity = PlainDecimal()
    price = PlainDecimal()
    fee = PlainDecimal()
    base_fee = PlainDecimal()
    realized_pnl = PlainDecimal()

    class Meta:
        model = Fill
        fields = (
            "id",
            "order",
            "account",
            "position",
            "instrument",
            "side",
            "quantity",
            "price",
            "fee",
            "fee_currency",
            "base_fee",
            "realized_pnl",
            "liquidity",
            "executed_at",
            "model",
            "source",
        )


class CancelAllIn(serializers.Serializer[Any]):
    account = serializers.UUIDField(required=False)


class BalanceChangeOut(serializers.Serializer[Any]):
    """A balance before and after; `locked` is what the order would set aside."""

    currency = serializers.CharField()
    free_before = PlainDecimal()
    free_after = PlainDecimal()
    locked = PlainDecimal()


class PreviewOut(serializers.Serializer[Any]):
    """What placing the order would do; `reasons` say why it would be refused, if it would.

    `price` is the one reckoned with: the limit, or the last price with slippage. Null where there
    is none.
    """

    is_accepted = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.DictField())
    quantity = PlainDecimal(allow_null=True)
    price = PlainDecimal(allow_null=True)
    value = PlainDecimal(allow_null=True)
    fee = PlainDecimal(allow_null=True)
    slippage = PlainDecimal(allow_null=True)
    effect = BalanceChangeOut(allow_null=True)


def _instruction(data: Any) -> Instruction:
    profit, loss = data.get("take_profit"), data.get("stop_loss")
    return Instruction(
        account_id=data["account"],
        instrument=symbol_of(data["instrument"]),
        side=Side(data["side"]),
        type=OrderType(data["type"]),
        time_in_force=TimeInForce(data["time_in_force"]),
        take_profit=profit["limit_price"] if profit else None,
        stop_loss=StopLoss(**loss) if loss else None,
        is_oco=data.get("order_class") == "oco",
        **{name: data[name] for name in _PLAIN if name in data},
    )


_PLAIN = (
    "quantity",
    "notional",
    "limit_price",
    "stop_price",
    "trail_amount",
    "trail_percent",
    "expires_at",
    "post_only",
    "reduce_only",
    "client_order_id",
)
