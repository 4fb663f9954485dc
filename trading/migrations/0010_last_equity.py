from django.db import migrations

import trading.fields


class Migration(migrations.Migration):
    """A day's loss is measured from where the day before ended, not from the day's first look."""

    dependencies = [("trading", "0009_places_of_ticks")]

    operations = [
        migrations.AddField(
            model_name="accountlimits",
            name="last_equity",
            field=trading.fields.AmountField(blank=True, null=True),
        ),
    ]
