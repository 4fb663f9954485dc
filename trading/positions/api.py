"""`/api/v1/positions/`: holdings, open and closed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.permissions import Trading
from config.api.etags import IF_MATCH, check_match, with_etag
from config.api.fields import PlainDecimal
from config.api.pagination import CursorPages
from tenants.viewsets import TenantViewSet
from trading.market import queries as market
from trading.positions import actions, pnl
from trading.positions.models import Position


class PositionOut(serializers.ModelSerializer[Position]):
    """Money in the instrument's quote currency; null where there is no price."""

    quantity = PlainDecimal()
    locked_quantity = PlainDecimal()
    average_price = PlainDecimal()
    cost_basis = PlainDecimal()
    realized_pnl = PlainDecimal()
    fees = PlainDecimal()
    market_value = serializers.SerializerMethodField()
    unrealized_pnl = serializers.SerializerMethodField()

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
        )

    def get_market_value(self, position: Position) -> str | None:
        value = pnl.market_value(position, self._price(position))
        return None if value is None else PlainDecimal().to_representation(value)

    def get_unrealized_pnl(self, position: Position) -> str | None:
        gain = pnl.unrealized(position, self._price(position))
        return None if gain is None else PlainDecimal().to_representation(gain)

    def _price(self, position: Position) -> Decimal | None:
        price: Decimal | None = self.context["prices"].get(position.instrument)
        return price


class NotesIn(serializers.Serializer[Any]):
    notes = serializers.CharField(max_length=10_000, allow_blank=True)


class PositionPages(CursorPages):
    ordering = ("-opened_at", "-id")


class PositionFilter(filters.FilterSet):  # type: ignore[misc]
    open = filters.BooleanFilter(field_name="closed_at", lookup_expr="isnull")

    class Meta:
        model = Position
        fields = ("account", "instrument")


class PositionViewSet(TenantViewSet, mixins.RetrieveModelMixin):
    """The caller's positions."""

    model = Position
    permission_classes = [Trading]
    serializer_class = PositionOut
    pagination_class = PositionPages
    filterset_class = PositionFilter
    ordering_fields = ("opened_at",)
    lookup_value_regex = "[0-9a-fA-F-]{32,36}"

    @extend_schema(responses=PositionOut(many=True))
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(_shown(page or []))

    @extend_schema(responses=PositionOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        position = self.get_object()
        return with_etag(_shown([position])[0], version=_version(position))

    @extend_schema(request=NotesIn, responses=PositionOut, parameters=[IF_MATCH])
    @action(detail=True, methods=["patch"])
    def notes(self, request: Request, pk: str) -> Response:
        given = NotesIn(data=request.data)
        given.is_valid(raise_exception=True)
        changed = actions.write_notes(
            position_id=self.get_object().id,
            precondition=lambda position: check_match(request, _version(position)),
            **given.validated_data,
        )
        return with_etag(_shown([changed])[0], version=_version(changed))


def _version(position: Position) -> dict[str, str]:
    """What a person can change: a new price makes no new version."""
    return {"id": str(position.id), "notes": position.notes}


def _shown(positions: list[Position]) -> Any:
    """Representations with one look at the prices for all of them."""
    quotes = market.quotes(sorted({position.instrument for position in positions}))
    prices = {symbol: quote.price for symbol, quote in quotes.items()}
    return PositionOut(positions, many=True, context={"prices": prices}).data
