"""`/api/v1/instruments/`: instruments, candles, quotes."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.access.permissions import MarketData
from config.api.fields import PlainDecimal
from config.api.pagination import CursorPages
from trading.market import queries
from trading.market.models import Instrument
from trading.market.timeframes import TIMEFRAMES

SYMBOL = r"[A-Z0-9.]{1,16}(?:[-/][A-Z0-9.]{1,16})?"


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


class QuoteOut(serializers.Serializer[Any]):
    symbol = serializers.CharField()
    price = PlainDecimal(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)


class CandlesIn(serializers.Serializer[Any]):
    timeframe = serializers.ChoiceField(choices=sorted(TIMEFRAMES), default="1d")
    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)


class SymbolPages(CursorPages):
    ordering = ("symbol",)

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> Any:
        return self.ordering


class CandlePages(CursorPages):
    """Oldest first: a chart reads from the left."""

    ordering = ("start",)
    page_size = 200
    max_page_size = 1000

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> Any:
        return self.ordering


class InstrumentViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Instrument]
):
    """Market data, the same for every tenant."""

    permission_classes = [MarketData]
    serializer_class = InstrumentOut
    pagination_class = SymbolPages
    filterset_fields = ("asset_class", "quote", "tradable")
    lookup_field = "symbol"
    lookup_value_regex = SYMBOL
    queryset = Instrument.objects.all()

    def get_object(self) -> Instrument:
        return queries.instrument(self.kwargs["symbol"])

    @extend_schema(
        parameters=[
            CandlesIn,
            OpenApiParameter("cursor", str),
            OpenApiParameter("page_size", int),
        ],
        responses=CandleOut(many=True),
        filters=False,
    )
    @action(
        detail=True,
        pagination_class=CandlePages,
        filter_backends=[],
        filterset_fields=None,
        serializer_class=CandleOut,
    )
    def candles(self, request: Request, symbol: str) -> Response:
        asked = CandlesIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = self.get_object()
        rows = queries.candles(found.symbol, **asked.validated_data)
        page = self.paginate_queryset(rows)  # type: ignore[arg-type]
        return self.get_paginated_response(CandleOut(page, many=True).data)

    @extend_schema(responses=QuoteOut, filters=False)
    @action(detail=True, filter_backends=[], filterset_fields=None)
    def quote(self, request: Request, symbol: str) -> Response:
        return Response(QuoteOut(queries.quote(self.get_object().symbol)).data)
