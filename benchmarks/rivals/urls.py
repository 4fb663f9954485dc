"""The same two routes for every rival: its own model of an order, the same view otherwise."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models import QuerySet
from django.urls import path
from rest_framework import mixins, serializers
from rest_framework.viewsets import GenericViewSet

from accounts.access.permissions import Trading
from benchmarks.five import FiveQueries
from config.api.fields import PlainDecimal
from tenants.context import Scope

Order = apps.get_model("shop.Order")


class OrderOut(serializers.ModelSerializer[Any]):
    account = serializers.UUIDField(source="account_id")
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
    legs = serializers.SerializerMethodField()

    class Meta:
        model = Order
        fields = (
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
            "legs",
        )

    def get_legs(self, order: Any) -> list[Any]:
        """No order of the population has any."""
        return list(order.legs.all()) if order.role else []


class OwnOrders(GenericViewSet[Any]):
    """Of people inside a tenant none of the packages knows: that filter is the view's."""

    permission_classes = [Trading]
    serializer_class = OrderOut
    filterset_fields = ("account", "instrument", "side", "type", "status", "client_order_id")
    ordering_fields = ("created_at", "updated_at")

    def get_queryset(self) -> QuerySet[Any]:
        caller = self.request.user.identity
        rows = Order.objects.all()
        return rows.filter(user_id=caller.user_id) if caller.scope is Scope.USER else rows


class Orders(mixins.ListModelMixin, OwnOrders):
    pass


class Five(FiveQueries, OwnOrders):
    pass


urlpatterns = [
    path("api/v1/orders/", Orders.as_view({"get": "list"})),
    path("five/", Five.as_view({"get": "list"})),
]
