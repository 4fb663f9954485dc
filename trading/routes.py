"""The API's routes of trading, in one table."""

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from trading.brokers.api import AccountViewSet
from trading.market.api import InstrumentViewSet
from trading.orders.api import FillViewSet, OrderViewSet
from trading.portfolio.api import PortfolioView
from trading.positions.api import PositionViewSet
from trading.resets.api import ResetViewSet

_router = SimpleRouter()
_router.register("instruments", InstrumentViewSet, basename="instrument")
_router.register("accounts", AccountViewSet, basename="account")
_router.register("orders", OrderViewSet, basename="order")
_router.register("fills", FillViewSet, basename="fill")
_router.register("positions", PositionViewSet, basename="position")

_PK = "[0-9a-fA-F-]{32,36}"

urlpatterns = [
    re_path(
        rf"^accounts/(?P<pk>{_PK})/reset/$",
        ResetViewSet.as_view({"post": "reset"}),
        name="account-reset",
    ),
    path("portfolio/", PortfolioView.as_view(), name="portfolio"),
    path("", include(_router.urls)),
]
