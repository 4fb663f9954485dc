"""The API's routes of trading, in one table."""

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from trading.brokers.api import AccountViewSet
from trading.dashboard.api import DashboardView
from trading.market.api import InstrumentViewSet
from trading.notifications.api import NotificationViewSet
from trading.orders.api import FillViewSet, OrderViewSet
from trading.portfolio.api import (
    HistoryView,
    NamedPortfolioViewSet,
    PortfolioView,
    ProfitView,
)
from trading.position_orders.api import (
    LimitOrdersViewSet,
    PositionOrdersViewSet,
    TradesViewSet,
)
from trading.positions.api import PositionViewSet
from trading.resets.api import ResetViewSet
from trading.venues.api import ReconciliationViewSet

_router = SimpleRouter()
_router.register("instruments", InstrumentViewSet, basename="instrument")
_router.register("accounts", AccountViewSet, basename="account")
_router.register("orders", OrderViewSet, basename="order")
_router.register("fills", FillViewSet, basename="fill")
_router.register("positions", PositionViewSet, basename="position")
_router.register("notifications", NotificationViewSet, basename="notification")
_router.register("portfolios", NamedPortfolioViewSet, basename="named-portfolio")

_PK = "[0-9a-fA-F-]{32,36}"
_POSITION = rf"^positions/(?P<pk>{_PK})"

urlpatterns = [
    re_path(
        rf"^accounts/(?P<pk>{_PK})/reset/$",
        ResetViewSet.as_view({"post": "reset"}),
        name="account-reset",
    ),
    re_path(
        rf"{_POSITION}/trades/$",
        TradesViewSet.as_view({"get": "trades"}),
        name="position-trades",
    ),
    re_path(
        rf"{_POSITION}/limit-orders/$",
        LimitOrdersViewSet.as_view(
            {"get": "limit_orders", "post": "place_limit", "delete": "cancel_limits"}
        ),
        name="position-limit-orders",
    ),
    re_path(
        rf"{_POSITION}/limit-orders/(?P<order_id>{_PK})/$",
        LimitOrdersViewSet.as_view({"patch": "change_limit", "delete": "cancel_limit"}),
        name="position-limit-order",
    ),
    re_path(
        rf"{_POSITION}/add-funds/$",
        PositionOrdersViewSet.as_view({"post": "add_funds"}),
        name="position-add-funds",
    ),
    re_path(
        rf"{_POSITION}/close/$",
        PositionOrdersViewSet.as_view({"post": "close"}),
        name="position-close",
    ),
    re_path(
        rf"^accounts/(?P<pk>{_PK})/reconciliations/$",
        ReconciliationViewSet.as_view({"get": "reconciliations", "post": "ask"}),
        name="account-reconciliations",
    ),
    path("portfolio/", PortfolioView.as_view(), name="portfolio"),
    path("portfolio/history/", HistoryView.as_view(), name="portfolio-history"),
    path("portfolio/pnl/", ProfitView.as_view(), name="portfolio-pnl"),
    path("dashboard/stats/", DashboardView.as_view(), name="dashboard-stats"),
    path("", include(_router.urls)),
]
