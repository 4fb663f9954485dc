"""`/api/v1/portfolio/`: what everything is worth now."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access.permissions import Trading
from config.api.fields import PlainDecimal
from trading.portfolio import queries


class WorthOut(serializers.Serializer[Any]):
    currency = serializers.CharField()
    cash = PlainDecimal()
    positions_value = PlainDecimal(allow_null=True)
    equity = PlainDecimal(allow_null=True)
    realized_pnl = PlainDecimal()
    unrealized_pnl = PlainDecimal(allow_null=True)
    missing_prices = serializers.ListField(child=serializers.CharField())


class AccountWorthOut(serializers.Serializer[Any]):
    account = serializers.UUIDField(source="account.id")
    name = serializers.CharField(source="account.name")
    worth = WorthOut(many=True)


class PortfolioOut(serializers.Serializer[Any]):
    as_of = serializers.DateTimeField()
    total = WorthOut(many=True)
    accounts = AccountWorthOut(many=True)


class PortfolioView(APIView):
    permission_classes = [Trading]

    @extend_schema(responses=PortfolioOut, operation_id="portfolio")
    def get(self, request: Request) -> Response:
        return Response(PortfolioOut(queries.portfolio(now=timezone.now())).data)
