from decimal import Decimal

from django.db import migrations, models

from trading.fields import AmountField


class Migration(migrations.Migration):
    """What an exchange keeps of the base asset, beside each fill: its position is smaller by it."""

    accepts = {
        "constraint_under_lock": "Until 1.0 an installation stands still while it is migrated."
    }

    dependencies = [("trading", "0012_comparisons_go_on")]

    operations = [
        migrations.AddField(
            model_name="fill",
            name="base_fee",
            field=AmountField(default=Decimal(0), db_default=Decimal(0)),
        ),
        migrations.AddConstraint(
            model_name="fill",
            constraint=models.CheckConstraint(
                name="fill_base_fee_is_within_quantity",
                condition=models.Q(base_fee=0)
                | models.Q(base_fee__gt=0, base_fee__lt=models.F("quantity")),
            ),
        ),
    ]
