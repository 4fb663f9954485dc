from django.db import migrations, models
from django.db.models import Q

_NAMES = (
    "order_limit_has_a_price",
    "order_stop_has_a_price",
    "order_trails_by_amount_or_percent",
)


class Migration(migrations.Migration):
    """The checks let an order without its price through: unknown is not false."""

    accepts = {
        "constraint_under_lock": "Until 1.0 an installation stands still while it is migrated."
    }

    dependencies = [("trading", "0007_venues")]

    operations = [
        *(migrations.RemoveConstraint(model_name="order", name=name) for name in _NAMES),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                name="order_limit_has_a_price",
                condition=~Q(type__in=["limit", "stop_limit"])
                | Q(limit_price__isnull=False, limit_price__gt=0),
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                name="order_stop_has_a_price",
                condition=~Q(type__in=["stop", "stop_limit"])
                | Q(stop_price__isnull=False, stop_price__gt=0),
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                name="order_trails_by_amount_or_percent",
                condition=~Q(type="trailing_stop")
                | Q(trail_amount__isnull=False, trail_amount__gt=0, trail_percent=None)
                | Q(
                    trail_amount=None,
                    trail_percent__isnull=False,
                    trail_percent__gt=0,
                    trail_percent__lt=100,
                ),
            ),
        ),
    ]
