from django.db import migrations, models

# Whoever was there before has met what is there.
_ALL_IS_MATCHED = """
UPDATE market_instrument i SET (matched_through, matched_trade) = (
       SELECT at, trade_id FROM (
              (SELECT start AS at, NULL::bigint AS trade_id FROM market_candle
                WHERE symbol = i.symbol AND is_on_tape ORDER BY start DESC LIMIT 1)
               UNION ALL
              (SELECT at, trade_id FROM market_tick
                WHERE symbol = i.symbol AND is_on_tape ORDER BY at DESC, trade_id DESC LIMIT 1)) p
        ORDER BY at DESC, trade_id DESC NULLS LAST LIMIT 1)
"""


class Migration(migrations.Migration):
    """A candle is on the tape only if a feed put it there, and the tape says how far it is matched.

    What is on it stays: people have met it.
    """

    accepts = dict.fromkeys(
        ("index_under_lock", "rows_at_once", "rows_under_lock"),
        "Until 1.0 an installation stands still while it is migrated.",
    )

    dependencies = [("market", "0003_tape")]

    operations = [
        migrations.AlterField(
            model_name="candle", name="is_on_tape", field=models.BooleanField(db_default=False)
        ),
        migrations.AddIndex(
            model_name="candle",
            index=models.Index(
                condition=models.Q(("is_on_tape", True)),
                fields=["symbol", "-start", "-timeframe"],
                name="candle_newest_on_tape",
            ),
        ),
        migrations.AddField(
            model_name="instrument",
            name="matched_through",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="instrument",
            name="matched_trade",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.RunSQL(_ALL_IS_MATCHED, migrations.RunSQL.noop),
    ]
