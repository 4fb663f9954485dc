import django.db.models.functions.comparison
from django.db import migrations, models

import tenants.constraints
import trading.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Candle",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "symbol",
                        "timeframe",
                        "start",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("symbol", models.CharField(max_length=32)),
                ("timeframe", models.CharField(max_length=8)),
                ("start", models.DateTimeField()),
                ("open", trading.fields.AmountField()),
                ("high", trading.fields.AmountField()),
                ("low", trading.fields.AmountField()),
                ("close", trading.fields.AmountField()),
                ("volume", trading.fields.AmountField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["symbol", "-start", "-timeframe"], name="candle_newest")
                ],
                "constraints": [
                    tenants.constraints.SharedTable(name="market_candle_shared", read="everywhere"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "high__gte",
                                django.db.models.functions.comparison.Greatest(
                                    "open", "close", "low"
                                ),
                            )
                        ),
                        name="candle_high_is_highest",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "low__lte",
                                django.db.models.functions.comparison.Least("open", "close"),
                            )
                        ),
                        name="candle_low_is_lowest",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("low__gt", 0), ("volume__gte", 0)),
                        name="candle_price_is_positive_and_volume_is_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CandleLoad",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "load_id",
                        "symbol",
                        "timeframe",
                        "start",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("load_id", models.UUIDField()),
                ("symbol", models.CharField(max_length=32)),
                ("timeframe", models.CharField(max_length=8)),
                ("start", models.DateTimeField()),
                ("open", trading.fields.AmountField()),
                ("high", trading.fields.AmountField()),
                ("low", trading.fields.AmountField()),
                ("close", trading.fields.AmountField()),
                ("volume", trading.fields.AmountField()),
            ],
            options={
                "constraints": [
                    tenants.constraints.SharedTable(
                        name="market_candleload_shared", read="unwalled"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Instrument",
            fields=[
                ("symbol", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=120)),
                ("asset_class", models.CharField(max_length=20)),
                ("base", models.CharField(max_length=20)),
                ("quote", models.CharField(max_length=20)),
                ("price_increment", trading.fields.AmountField()),
                ("quantity_increment", trading.fields.AmountField()),
                ("min_quantity", trading.fields.AmountField()),
                ("tradable", models.BooleanField(default=True)),
            ],
            options={
                "constraints": [
                    tenants.constraints.SharedTable(
                        name="market_instrument_shared", read="everywhere"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("min_quantity__gt", 0),
                            ("price_increment__gt", 0),
                            ("quantity_increment__gt", 0),
                        ),
                        name="instrument_increments_are_positive",
                    ),
                ],
            },
        ),
    ]
