"""`/api/v1/positions/{id}/…`: trades, more funds, limit orders, and the close of a position."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.permissions import Trading
from config.api.etags import IF_MATCH, check_match
from config.api.pagination import CursorPages
from tenants.fullness import makes_rows, works_when_full
from tenants.viewsets import TenantViewSet
from trading.idempotency.api import HEADER, answered
from trading.orders.api import FillPages
from trading.orders.faces import FillOut, OrderOut
from trading.orders.models import Order
from trading.position_orders import actions, queries
from trading.position_orders.faces import CloseIn, FundsIn, LimitChangeIn, LimitIn
from trading.positions.models import Position
from trading.values import Liquidity, Side


class TradeFilter(filters.FilterSet):  # type: ignore[misc]  # it has no types
    side = filters.ChoiceFilter(choices=[(side.value, side.value) for side in Side])
    liquidity = filters.ChoiceFilter(choices=[(kind.value, kind.value) for kind in Liquidity])


class LimitFilter(filters.FilterSet):  # type: ignore[misc]  # it has no types
    status = filters.CharFilter()
    role = filters.CharFilter()


class _OfPosition(TenantViewSet, is_base=True):
    """What stands below one of the caller's positions."""

    model = Position

    def whose(self) -> Position:
        """The position of the path; the filters of the list below it are not its own."""
        found: Position = get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
        return found

    def paged(self, rows: Any, face: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(rows))
        return self.get_paginated_response(face(page, many=True).data)


class TradesViewSet(_OfPosition):
    """The fills that a position is made of."""

    permission_classes = [Trading]
    serializer_class = FillOut
    pagination_class = FillPages
    filterset_class = TradeFilter
    ordering_fields = ("executed_at",)

    @extend_schema(responses=FillOut(many=True))
    def trades(self, request: Request, pk: str) -> Response:
        return self.paged(self.whose().fills.all(), FillOut)


class LimitOrdersViewSet(_OfPosition):
    """The open limit orders that sell a position."""

    permission_classes = [Trading]
    serializer_class = OrderOut
    filterset_class = LimitFilter
    ordering_fields = ("created_at", "updated_at")

    # DRF reads it, and nobody sets it.
    @property
    def pagination_class(self) -> type[CursorPages] | None:  # type: ignore[override]
        """The list has pages; what cancelling all answers is told at once."""
        return CursorPages if self.action == "limit_orders" else None

    @extend_schema(responses=OrderOut(many=True))
    def limit_orders(self, request: Request, pk: str) -> Response:
        rows = queries.limit_orders(self.whose()).prefetch_related("legs")
        return self.paged(rows, OrderOut)

    @extend_schema(request=LimitIn, responses={201: OrderOut}, parameters=[HEADER], filters=False)
    def place_limit(self, request: Request, pk: str) -> Response:
        given = LimitIn(data=request.data)
        given.is_valid(raise_exception=True)
        asked = {"position_id": self.whose().id, "sale": given.sale()}
        return answered(request, _told(201, actions.place_limit, **asked))

    @makes_rows
    @extend_schema(
        request=LimitChangeIn, responses=OrderOut, parameters=[HEADER, IF_MATCH], filters=False
    )
    def change_limit(self, request: Request, pk: str, order_id: str) -> Response:
        """Another limit order takes its place, linked to it."""
        given = LimitChangeIn(data=request.data)
        given.is_valid(raise_exception=True)
        asked = {
            "position_id": self.whose().id,
            "order_id": _order_id(order_id),
            "precondition": lambda order: check_match(request, OrderOut(order).data),
            "floor": given.floor(),
            **given.changed(),
        }
        return answered(request, _told(200, actions.change_limit, **asked))

    @extend_schema(request=None, responses={200: OrderOut}, filters=False)
    def cancel_limit(self, request: Request, pk: str, order_id: str) -> Response:
        order = actions.cancel_limit(
            position_id=self.whose().id, order_id=_order_id(order_id), now=timezone.now()
        )
        return Response(OrderOut(order).data)

    @extend_schema(
        operation_id="positions_limit_orders_cancel_all",
        request=None,
        responses={200: OrderOut(many=True)},
        filters=False,
    )
    def cancel_limits(self, request: Request, pk: str) -> Response:
        orders = actions.cancel_limits(position_id=self.whose().id, now=timezone.now())
        return Response(OrderOut(orders, many=True).data)


class PositionOrdersViewSet(_OfPosition):
    """More of a position, or less."""

    permission_classes = [Trading]
    serializer_class = OrderOut

    @extend_schema(request=FundsIn, responses={201: OrderOut}, parameters=[HEADER])
    def add_funds(self, request: Request, pk: str) -> Response:
        given = FundsIn(data=request.data)
        given.is_valid(raise_exception=True)
        asked = {"position_id": self.whose().id, **given.validated_data}
        return answered(request, _told(201, actions.add_funds, **asked))

    @works_when_full
    @extend_schema(request=CloseIn, responses={201: OrderOut}, parameters=[HEADER])
    def close(self, request: Request, pk: str) -> Response:
        """Sell it, after its own open sells have been taken back."""
        given = CloseIn(data=request.data)
        given.is_valid(raise_exception=True)
        asked = {"position_id": self.whose().id, "sale": given.sale()}
        return answered(request, _told(201, actions.close, **asked))


def _told(status: int, act: Callable[..., Order], **asked: Any) -> Callable[[], tuple[int, Any]]:
    """The action's order as an answer to the client."""
    return lambda: (status, OrderOut(act(now=timezone.now(), **asked)).data)


def _order_id(text: str) -> UUID:
    """A key that is no UUID is as missing as one that is nobody's."""
    try:
        return UUID(text)
    except ValueError as fault:
        raise Http404 from fault
