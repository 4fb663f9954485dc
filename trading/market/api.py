"""`/api/v1/instruments/`: instruments, candles, ticks, gaps, quotes, statistics."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.access.permissions import MarketData
from config.api.pagination import CursorPages
from config.api.parameters import PAGING, asked_for
from config.api.schema import refused_with
from trading.market import cached, prices, queries
from trading.market.cached import Kind
from trading.market.errors import CalendarUnknown, RangeTooWide
from trading.market.faces import (
    CandleOut,
    GapsOut,
    InstrumentOut,
    LastPriceOut,
    QuoteOut,
    StatisticsOut,
    TickOut,
)
from trading.market.models import Instrument
from trading.market.timeframes import TIMEFRAMES

_PAGE = [OpenApiParameter("cursor", str), OpenApiParameter("page_size", int)]
SYMBOL = r"[A-Z0-9.]{1,16}(?:[-/][A-Z0-9.]{1,16})?"


class CandlesIn(serializers.Serializer[Any]):
    timeframe = serializers.ChoiceField(choices=sorted(TIMEFRAMES), default="1d")
    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)


class TicksIn(serializers.Serializer[Any]):
    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)
    ordering = serializers.ChoiceField(choices=["-at", "at"], default="-at")


class GapsIn(serializers.Serializer[Any]):
    timeframe = serializers.ChoiceField(choices=sorted(TIMEFRAMES), default="1d")
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


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


class TickPages(CursorPages):
    """Newest first, unless asked for otherwise; trades of one moment by their ids."""

    ordering = ("-at", "-trade_id")
    page_size = 200
    max_page_size = 1000

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> Any:
        is_oldest_first = request.query_params.get("ordering") == "at"
        return ("at", "trade_id") if is_oldest_first else self.ordering


class InstrumentViewSet(mixins.ListModelMixin, GenericViewSet[Any]):
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

    def known(self) -> dict[str, Any]:
        """The instrument of the path, as shown. Raises UnknownInstrument."""
        symbol = queries.symbol_of(self.kwargs["symbol"])
        return cached.kept(Kind.INSTRUMENT, symbol, _instrument)

    @extend_schema(responses=InstrumentOut)
    def retrieve(self, request: Request, symbol: str) -> Response:
        return Response(self.known())

    @extend_schema(
        parameters=[CandlesIn, *_PAGE],
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
        asked = asked_for(CandlesIn, request, PAGING)
        rows = queries.candles(self.known()["symbol"], **asked)
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(CandleOut(page, many=True).data)

    @extend_schema(
        parameters=[TicksIn, *_PAGE],
        responses=TickOut(many=True),
        filters=False,
    )
    @action(
        detail=True,
        pagination_class=TickPages,
        filter_backends=[],
        filterset_fields=None,
        serializer_class=TickOut,
    )
    def ticks(self, request: Request, symbol: str) -> Response:
        asked = asked_for(TicksIn, request, PAGING)
        rows = queries.ticks(self.known()["symbol"], asked.get("start"), asked.get("end"))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(TickOut(page, many=True).data)

    @refused_with(CalendarUnknown, RangeTooWide)
    @extend_schema(parameters=[GapsIn], responses=GapsOut, filters=False)
    @action(detail=True, filter_backends=[], filterset_fields=None, pagination_class=None)
    def gaps(self, request: Request, symbol: str) -> Response:
        asked = asked_for(GapsIn, request)
        found = queries.gaps(self.known()["symbol"], **asked, now=timezone.now())
        return Response(GapsOut(found).data)

    @extend_schema(responses=QuoteOut, filters=False)
    @action(detail=True, filter_backends=[], filterset_fields=None)
    def quote(self, request: Request, symbol: str) -> Response:
        return Response(cached.kept(Kind.QUOTE, self.known()["symbol"], _quote))

    @extend_schema(responses=StatisticsOut, filters=False)
    @action(detail=True, filter_backends=[], filterset_fields=None, pagination_class=None)
    def statistics(self, request: Request, symbol: str) -> Response:
        return Response(cached.kept(Kind.STATISTICS, self.known()["symbol"], _statistics))


def _instrument(symbol: str) -> dict[str, Any]:
    return dict(InstrumentOut(queries.instrument(symbol)).data)


def _quote(symbol: str) -> dict[str, Any]:
    nobody = {"bid": None, "ask": None}
    return {**LastPriceOut(prices.last(symbol)).data, **nobody, **cached.book(symbol)}


def _statistics(symbol: str) -> dict[str, Any]:
    return dict(StatisticsOut(prices.statistics(symbol)).data)
