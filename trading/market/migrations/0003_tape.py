from django.db import migrations, models


class Migration(migrations.Migration):
    """What orders meet says so: every candle of before, and no tick, for they were all loaded."""

    accepts = {"index_under_lock": "Until 1.0 an installation stands still while it is migrated."}

    dependencies = [("market", "0002_partitions_and_ticks")]

    operations = [
        migrations.AddField(
            model_name="candle", name="is_on_tape", field=models.BooleanField(db_default=True)
        ),
        migrations.AddField(
            model_name="tick", name="is_on_tape", field=models.BooleanField(db_default=False)
        ),
        migrations.AddIndex(
            model_name="tick",
            index=models.Index(
                condition=models.Q(("is_on_tape", True)),
                fields=["symbol", "-at", "-trade_id"],
                name="tick_newest_on_tape",
            ),
        ),
    ]
