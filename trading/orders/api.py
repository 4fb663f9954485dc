"""`/api/v1/orders/` and `/api/v1/fills/`."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.permissions import Trading
from config.api.fields import PlainDecimal
from config.api.pagination import CursorPages
from tenants.viewsets import TenantViewSet
from trading.brokers import actions as brokers
from trading.errors import UnsupportedOrder
from trading.idempotency.api import HEADER, answered
from trading.market.queries import symbol_of
from trading.orders import actions
from trading.orders.models import Fill, Order
from trading.values import OrderType, Side, TimeInForce

# Of the contract, and not done yet.
NOT_YET = ("stop_price", "trail_amount", "trail_percent", "reduce_only", "take_profit", "stop_loss")


class OrderIn(serializers.Serializer[Any]):
    """Exactly one of `quantity` (base) and `notional` (quote)."""

    account = serializers.UUIDField()
    instrument = serializers.CharField(max_length=33)
    side = serializers.ChoiceField(choices=[side.value for side in Side])
    type = serializers.ChoiceField(choices=[kind.value for kind in OrderType])
    quantity = PlainDecimal(positive=True, required=False)
    notional = PlainDecimal(positive=True, required=False)
    limit_price = PlainDecimal(positive=True, required=False)
    time_in_force = serializers.ChoiceField(
        choices=[kind.value for kind in TimeInForce], default=TimeInForce.GTC.value
    )
    expires_at = serializers.DateTimeField(required=False)
    post_only = serializers.BooleanField(default=False)
    client_order_id = serializers.CharField(max_length=64, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A stop that were silently dropped would cost the trader more than a refusal."""
        asked = [name for name in NOT_YET if self.initial_data.get(name)]
        if asked:
            raise UnsupportedOrder(f"Not accepted yet: {', '.join(asked)}.")
        if ("quantity" in attrs) == ("notional" in attrs):
            raise serializers.ValidationError("Give either quantity or notional.")
        if (attrs["type"] == OrderType.LIMIT) != ("limit_price" in attrs):
            raise serializers.ValidationError("limit_price goes with type limit, and only there.")
        if (attrs["time_in_force"] == TimeInForce.GTD) != ("expires_at" in attrs):
            raise serializers.ValidationError("expires_at goes with time_in_force gtd.")
        return attrs

    def instruction(self) -> actions.Instruction:
        """What was asked, in the words of the trade."""
        data = dict(self.validated_data)
        return actions.Instruction(
            account_id=data.pop("account"),
            instrument=symbol_of(data.pop("instrument")),
            side=Side(data.pop("side")),
            type=OrderType(data.pop("type")),
            time_in_force=TimeInForce(data.pop("time_in_force")),
            **data,
        )


class OrderOut(serializers.ModelSerializer[Order]):
    quantity = PlainDecimal()
    notional = PlainDecimal(allow_null=True)
    limit_price = PlainDecimal(allow_null=True)
    filled_quantity = PlainDecimal()
    average_price = PlainDecimal(allow_null=True)
    fees = PlainDecimal()

    class Meta:
        model = Order
        fields = (
            "id",
            "account",
            "instrument",
            "side",
            "type",
            "quantity",
            "notional",
            "limit_price",
            "time_in_force",
            "expires_at",
            "post_only",
            "client_order_id",
            "status",
            "status_reason",
            "filled_quantity",
            "average_price",
            "fees",
            "created_at",
            "updated_at",
        )


class FillOut(serializers.ModelSerializer[Fill]):
    quantity = PlainDecimal()
    price = PlainDecimal()
    fee = PlainDecimal()
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
            "realized_pnl",
            "liquidity",
            "executed_at",
            "model",
            "source",
        )


class CancelAllIn(serializers.Serializer[Any]):
    account = serializers.UUIDField(required=False)


class FillPages(CursorPages):
    ordering = ("-executed_at", "-id")


class OrderViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TenantViewSet):
    """The caller's orders."""

    model = Order
    permission_classes = [Trading]
    serializer_class = OrderOut
    filterset_fields = ("account", "instrument", "side", "type", "status", "client_order_id")
    ordering_fields = ("created_at", "updated_at")
    lookup_value_regex = "[0-9a-fA-F-]{32,36}"

    @extend_schema(request=OrderIn, responses={200: OrderOut, 201: OrderOut}, parameters=[HEADER])
    def create(self, request: Request) -> Response:
        given = OrderIn(data=request.data)
        given.is_valid(raise_exception=True)
        return answered(request, partial(self._place, given.instruction()))

    @extend_schema(request=None, responses=OrderOut)
    def destroy(self, request: Request, pk: str) -> Response:
        order = actions.cancel(order_id=self.get_object().id, now=timezone.now())
        return Response(OrderOut(order).data)

    @extend_schema(responses=FillOut(many=True), filters=False)
    @action(detail=True, pagination_class=None, filter_backends=[], filterset_fields=None)
    def fills(self, request: Request, pk: str) -> Response:
        rows = self.get_object().fills.order_by("executed_at", "id")
        return Response(FillOut(rows, many=True).data)

    @extend_schema(request=CancelAllIn, responses=OrderOut(many=True), filters=False)
    @action(detail=False, methods=["post"], url_path="cancel-all", pagination_class=None)
    def cancel_all(self, request: Request) -> Response:
        given = CancelAllIn(data=request.data)
        given.is_valid(raise_exception=True)
        orders = actions.cancel_all(
            user_id=brokers.acting_user(),
            account_id=given.validated_data.get("account"),
            now=timezone.now(),
        )
        return Response(OrderOut(orders, many=True).data)

    def _place(self, asked: actions.Instruction) -> tuple[int, Any]:
        order, is_new = actions.place(asked, now=timezone.now())
        return 201 if is_new else 200, OrderOut(order).data


class FillViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TenantViewSet):
    """Every execution of the caller's orders."""

    model = Fill
    permission_classes = [Trading]
    serializer_class = FillOut
    pagination_class = FillPages
    filterset_fields = ("account", "order", "instrument", "side", "liquidity")
    ordering_fields = ("executed_at",)
    lookup_value_regex = "[0-9a-fA-F-]{32,36}"
