"""Trading: what stands in `public` for shared tenants and in each dedicated schema."""

from django.apps import AppConfig


class TradingConfig(AppConfig):
    name = "trading"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from trading.portfolio import listening  # needs the models, which are there by now

        listening.begin()
