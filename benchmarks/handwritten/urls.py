"""The same list, filtered by hand."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import path
from rest_framework import mixins
from rest_framework.viewsets import GenericViewSet

from accounts.access.permissions import Trading
from benchmarks.five import FiveQueries
from config.urls_platform import urlpatterns as platform
from tenants.context import Scope
from trading.orders.api import OrderOut, OrderViewSet
from trading.orders.models import Order


class HandFiltered(GenericViewSet[Any]):
    """What a careful programmer would write in each view, and once forget."""

    permission_classes = [Trading]
    serializer_class = OrderOut
    filterset_fields = OrderViewSet.filterset_fields
    ordering_fields = OrderViewSet.ordering_fields

    def get_queryset(self) -> QuerySet[Any]:
        caller = self.request.user.identity
        rows = Order.objects.filter(tenant_id=caller.tenant_id)
        if caller.scope is Scope.USER:
            rows = rows.filter(user_id=caller.user_id)
        return rows


class Orders(mixins.ListModelMixin, HandFiltered):
    pass


class Five(FiveQueries, HandFiltered):
    pass


urlpatterns = [
    path("api/v1/orders/", Orders.as_view({"get": "list"})),
    path("five/", Five.as_view({"get": "list"})),
    *platform,
]
