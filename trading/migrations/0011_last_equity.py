from django.db import migrations

import trading.fields


class Migration(migrations.Migration):
    """A day's loss is measured from where the day before ended, not from the day's first look."""

    dependencies = [("trading", "0010_references_name_their_owner")]

    operations = [
        migrations.AddField(
            model_name="accountlimits",
            name="last_equity",
            field=trading.fields.AmountField(blank=True, null=True),
        ),
    ]
