"""Market data: the same for all tenants, written by the feed alone."""

from django.apps import AppConfig


class MarketConfig(AppConfig):
    name = "trading.market"
    label = "market"
    default_auto_field = "django.db.models.BigAutoField"
