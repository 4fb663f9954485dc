"""`/api/v1/dashboard/stats/`: a person's trading in a few numbers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access.permissions import Trading
from config.api.fields import PlainDecimal
from trading.dashboard import queries


class DashboardMoneyOut(serializers.Serializer[Any]):
    """`realized_pnl` is before `fees`; `unrealized_pnl` is null where a price is missing."""

    currency = serializers.CharField()
    realized_pnl = PlainDecimal()
    unrealized_pnl = PlainDecimal(allow_null=True)
    fees = PlainDecimal()
    missing_prices = serializers.ListField(child=serializers.CharField())


class DashboardOut(serializers.Serializer[Any]):
    """A winner is a closed position whose profit was more than its fees.

    `win_rate` = `winners` / `closed_positions`; null, with the reason, where nothing was closed.
    `manual_closes` are those that the close action has closed.
    """

    total_positions = serializers.IntegerField()
    open_positions = serializers.IntegerField()
    closed_positions = serializers.IntegerField()
    winners = serializers.IntegerField()
    losers = serializers.IntegerField()
    break_even = serializers.IntegerField()
    manual_closes = serializers.IntegerField()
    open_orders = serializers.IntegerField()
    win_rate = PlainDecimal(allow_null=True)
    win_rate_reason = serializers.CharField(allow_null=True)
    money = DashboardMoneyOut(many=True)


class DashboardView(APIView):
    permission_classes = [Trading]

    @extend_schema(responses=DashboardOut, operation_id="dashboard_stats")
    def get(self, request: Request) -> Response:
        return Response(DashboardOut(queries.stats()).data)
