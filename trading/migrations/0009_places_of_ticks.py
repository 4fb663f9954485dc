from django.db import migrations, models
from django.db.models import Q

_TRADES = ("placed_trade", "ended_trade", "matched_trade")


class Migration(migrations.Migration):
    """Where an order stands on the tape may be a tick: its moment, and the id of its trade."""

    accepts = {
        "constraint_under_lock": "Until 1.0 an installation stands still while it is migrated."
    }

    dependencies = [("trading", "0008_prices_that_must_be_there")]

    operations = [
        *(
            migrations.AddField(
                model_name="order", name=name, field=models.BigIntegerField(blank=True, null=True)
            )
            for name in _TRADES
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                name="order_trade_has_its_moment",
                condition=(Q(placed_trade=None) | Q(placed_after__isnull=False))
                & (Q(ended_trade=None) | Q(ended_after__isnull=False))
                & (Q(matched_trade=None) | Q(matched_through__isnull=False)),
            ),
        ),
    ]
