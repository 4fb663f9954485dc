"""Bulkhead's own routes; those that are asked for come first, as with all contestants."""

from django.urls import path

from accounts.access.permissions import Trading
from benchmarks.five import FiveQueries
from config.urls_platform import urlpatterns as platform
from tenants.viewsets import TenantViewSet
from trading.orders.api import OrderViewSet
from trading.orders.models import Order


class FiveOfBulkhead(FiveQueries, TenantViewSet):
    model = Order
    permission_classes = [Trading]


urlpatterns = [
    path("api/v1/orders/", OrderViewSet.as_view({"get": "list"})),
    path("five/", FiveOfBulkhead.as_view({"get": "list"})),
    *platform,
]
