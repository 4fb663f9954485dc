"""`/api/v1/orders/` and `/api/v1/fills/`."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.permissions import Trading
from config.api.etags import IF_MATCH, check_match, with_etag
from config.api.pagination import CursorPages
from config.api.parameters import PAGING, check_known
from tenants.fullness import makes_rows, works_when_full
from tenants.viewsets import TenantViewSet
from trading.brokers import actions as brokers
from trading.idempotency.api import HEADER, answered
from trading.orders import actions, preview
from trading.orders.faces import (
    CancelAllIn,
    FillOut,
    OrderChangeIn,
    OrderIn,
    OrderOut,
    PreviewOut,
)
from trading.orders.instructions import Change, Instruction
from trading.orders.models import Fill, Order


class FillPages(CursorPages):
    ordering = ("-executed_at", "-id")


class FillsOfOne(CursorPages):
    """Oldest first: how an order came to be filled."""

    ordering = ("executed_at", "id")


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

    @makes_rows
    @extend_schema(request=OrderChangeIn, responses=OrderOut, parameters=[HEADER, IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        """Replace the order: a new one takes its place, linked to it."""
        given = OrderChangeIn(data=request.data)
        given.is_valid(raise_exception=True)
        act = partial(self._replace, request, self.get_object(), given.change())
        return answered(request, act)

    @extend_schema(request=None, responses=OrderOut)
    def destroy(self, request: Request, pk: str) -> Response:
        order = actions.cancel(order_id=self.get_object().id, now=timezone.now())
        return Response(OrderOut(order).data)

    @extend_schema(responses=OrderOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return with_etag(request, OrderOut(self.get_object()).data)

    @works_when_full
    @extend_schema(request=OrderIn, responses=PreviewOut, filters=False)
    @action(detail=False, methods=["post"], pagination_class=None)
    def preview(self, request: Request) -> Response:
        """What placing the order would do, without placing it."""
        given = OrderIn(data=request.data)
        given.is_valid(raise_exception=True)
        seen = preview.preview(given.instruction(), now=timezone.now())
        return Response(PreviewOut(seen).data)

    @extend_schema(responses=FillOut(many=True), filters=False)
    @action(detail=True, pagination_class=FillsOfOne, filter_backends=[], filterset_fields=None)
    def fills(self, request: Request, pk: str) -> Response:
        check_known(request, PAGING)
        page = super().paginate_queryset(self.get_object().fills.all())
        return self.get_paginated_response(FillOut(page, many=True).data)

    @works_when_full
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

    def paginate_queryset(self, queryset: Any) -> list[Any] | None:
        """Legs are read only where there are any: one statement for the page, or none."""
        page: list[Any] | None = super().paginate_queryset(queryset)
        with_legs = [o for o in page or [] if o.role and o.parent_id is None]
        prefetch_related_objects(with_legs, "legs")
        return page

    def _place(self, asked: Instruction) -> tuple[int, Any]:
        order, is_new = actions.place(asked, now=timezone.now())
        return 201 if is_new else 200, OrderOut(order).data

    def _replace(self, request: Request, read: Order, change: Change) -> tuple[int, Any]:
        """The version counts when it is done, and not when the kept answer is given again."""
        check_match(request, OrderOut(read).data)
        order = actions.replace(order_id=read.id, change=change, now=timezone.now())
        return 200, OrderOut(order).data


class FillViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TenantViewSet):
    """Every execution of the caller's orders."""

    model = Fill
    permission_classes = [Trading]
    serializer_class = FillOut
    pagination_class = FillPages
    filterset_fields = ("account", "order", "instrument", "side", "liquidity")
    ordering_fields = ("executed_at",)
    lookup_value_regex = "[0-9a-fA-F-]{32,36}"
