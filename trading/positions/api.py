"""`/api/v1/positions/`: holdings, open and closed, and what is written about them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.permissions import Trading
from config.api.etags import IF_MATCH, check_match, with_etag
from config.api.pagination import CursorPages
from tenants.viewsets import TenantViewSet
from trading.market import queries as market
from trading.positions import actions, queries
from trading.positions.faces import DecisionIn, DecisionOut, NotesIn, PerpetualIn, PositionOut
from trading.positions.models import Position


class PositionPages(CursorPages):
    ordering = ("-opened_at", "-id")


class DecisionPages(CursorPages):
    ordering = ("-at", "-id")


class PositionFilter(filters.FilterSet):  # type: ignore[misc]  # it has no types
    open = filters.BooleanFilter(field_name="closed_at", lookup_expr="isnull")

    class Meta:
        model = Position
        fields = ("account", "instrument", "closed_by")


class DecisionFilter(filters.FilterSet):  # type: ignore[misc]  # it has no types
    model = filters.CharFilter()


class PositionViewSet(TenantViewSet, mixins.RetrieveModelMixin):
    """The caller's positions."""

    model = Position
    permission_classes = [Trading]
    serializer_class = PositionOut
    pagination_class = PositionPages
    filterset_class = PositionFilter
    ordering_fields: tuple[str, ...] = ("opened_at",)
    lookup_value_regex = "[0-9a-fA-F-]{32,36}"

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return queries.with_terms(rows)

    @extend_schema(responses=PositionOut(many=True))
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(_shown(page or []))

    @extend_schema(responses=PositionOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self._one()

    @extend_schema(request=NotesIn, responses=PositionOut, parameters=[IF_MATCH])
    @action(detail=True, methods=["patch"])
    def notes(self, request: Request, pk: str) -> Response:
        given = NotesIn(data=request.data)
        given.is_valid(raise_exception=True)
        actions.write_notes(
            position_id=self.get_object().id,
            precondition=lambda position: check_match(request, _version(position)),
            **given.validated_data,
        )
        return self._one()

    @extend_schema(request=PerpetualIn, responses=PositionOut)
    @action(detail=True, methods=["put"])
    def perpetual(self, request: Request, pk: str) -> Response:
        """Leverage, margin and funding of a position in a perpetual future."""
        given = PerpetualIn(data=request.data)
        given.is_valid(raise_exception=True)
        actions.set_perpetual(position_id=self.get_object().id, **given.validated_data)
        return self._one()

    @extend_schema(responses=DecisionOut(many=True))
    @action(
        detail=True,
        url_path="ai-logs",
        serializer_class=DecisionOut,
        pagination_class=DecisionPages,
        filterset_class=DecisionFilter,
        ordering_fields=("at",),
    )
    def ai_logs(self, request: Request, pk: str) -> Response:
        """What models thought and decided about the position, the newest first."""
        rows = self._whose().decisions.all()
        page = self.paginate_queryset(self.filter_queryset(rows))
        return self.get_paginated_response(DecisionOut(page, many=True).data)

    @extend_schema(request=DecisionIn, responses={201: DecisionOut}, filters=False)
    @ai_logs.mapping.post
    def log_decision(self, request: Request, pk: str) -> Response:
        given = DecisionIn(data=request.data)
        given.is_valid(raise_exception=True)
        entry = actions.log_decision(
            position_id=self._whose().id, now=timezone.now(), **given.validated_data
        )
        return Response(DecisionOut(entry).data, status=201)

    def _whose(self) -> Position:
        """The position of the path; the filters of the list below it are not its own."""
        found: Position = get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
        return found

    def _one(self) -> Response:
        position = self.get_object()
        return with_etag(self.request, _shown([position])[0], version=_version(position))


def _version(position: Position) -> dict[str, str]:
    """What a person can change: a new price makes no new version."""
    return {"id": str(position.id), "notes": position.notes}


def _shown(positions: list[Position]) -> Any:
    """Representations with one look at the prices for all of them."""
    quotes = market.quotes(sorted({position.instrument for position in positions}))
    prices = {symbol: quote.price for symbol, quote in quotes.items()}
    return PositionOut(positions, many=True, context={"prices": prices}).data
