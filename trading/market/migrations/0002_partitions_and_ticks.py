"""Candles move into a table cut by years; ticks begin in one cut by months.

In one transaction: whoever reads or writes candles waits for the copy, and loses nothing.
"""

from django.db import migrations, models

import tenants.constraints
import trading.fields
from tenants.rls import SharedWall
from trading.market import partitions

_CANDLES = SharedWall("market_candle", "everywhere")
_TICKS = SharedWall("market_tick", "everywhere", append_only=True)
_KEY = "ADD CONSTRAINT market_candle_pkey PRIMARY KEY (symbol, timeframe, start)"
_NEWEST = "CREATE INDEX candle_newest ON market_candle (symbol, start DESC, timeframe DESC)"


def _swapped(cut, parts):
    """The table under its name again, with the same columns, checks and rows, cut or whole."""
    return [
        "ALTER TABLE market_candle RENAME TO market_candle_before",
        "CREATE TABLE market_candle"
        f" (LIKE market_candle_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS) {cut}",
        *parts,
        "INSERT INTO market_candle SELECT * FROM market_candle_before",
        "DROP TABLE market_candle_before",
        f"ALTER TABLE market_candle {_KEY}",
        _NEWEST,
        *_CANDLES.raise_statements(),
    ]


CUT_CANDLES = _swapped(
    "PARTITION BY RANGE (start)",
    [*partitions.candle_years(), *partitions.default(partitions.CANDLES)],
)
WHOLE_CANDLES = _swapped("", [])

CREATE_TICKS = [
    "CREATE TABLE market_tick ("
    " symbol varchar(32) NOT NULL,"
    " trade_id bigint NOT NULL,"
    " at timestamptz NOT NULL,"
    " price numeric(38, 18) NOT NULL,"
    " quantity numeric(38, 18) NOT NULL,"
    " side varchar(4) NOT NULL,"
    " is_buyer_maker boolean NOT NULL,"
    " CONSTRAINT market_tick_pkey PRIMARY KEY (symbol, trade_id, at),"
    " CONSTRAINT tick_price_and_quantity_are_positive CHECK (price > 0 AND quantity > 0),"
    " CONSTRAINT tick_id_is_not_negative CHECK (trade_id >= 0),"
    " CONSTRAINT tick_side_is_buy_or_sell CHECK (side IN ('buy', 'sell'))"
    ") PARTITION BY RANGE (at)",
    *partitions.default(partitions.TICKS),
    "CREATE INDEX tick_newest ON market_tick (symbol, at DESC, trade_id DESC)",
    *_TICKS.raise_statements(),
]


class Migration(migrations.Migration):
    accepts = dict.fromkeys(
        ("renamed", "rows_under_lock", "table_removed"),
        "Until 1.0 an installation stands still while it is migrated.",
    )

    dependencies = [("market", "0001_first"), ("tenants", "0001_first")]

    operations = [
        migrations.RunSQL(CUT_CANDLES, WHOLE_CANDLES),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(CREATE_TICKS, "DROP TABLE market_tick")],
            state_operations=[
                migrations.CreateModel(
                    name="Tick",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "symbol",
                                "trade_id",
                                "at",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("symbol", models.CharField(max_length=32)),
                        ("trade_id", models.BigIntegerField()),
                        ("at", models.DateTimeField()),
                        ("price", trading.fields.AmountField()),
                        ("quantity", trading.fields.AmountField()),
                        ("side", models.CharField(max_length=4)),
                        ("is_buyer_maker", models.BooleanField()),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["symbol", "-at", "-trade_id"], name="tick_newest")
                        ],
                        "constraints": [
                            tenants.constraints.SharedTable(
                                name="market_tick_shared", read="everywhere", append_only=True
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("price__gt", 0), ("quantity__gt", 0)),
                                name="tick_price_and_quantity_are_positive",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("trade_id__gte", 0)),
                                name="tick_id_is_not_negative",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("side__in", ["buy", "sell"])),
                                name="tick_side_is_buy_or_sell",
                            ),
                        ],
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name="TickLoad",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "load_id",
                        "place",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("load_id", models.UUIDField()),
                ("place", models.BigIntegerField()),
                ("symbol", models.CharField(max_length=32)),
                ("trade_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("price", trading.fields.AmountField()),
                ("quantity", trading.fields.AmountField()),
                ("side", models.CharField(max_length=4)),
                ("is_buyer_maker", models.BooleanField()),
            ],
            options={
                "constraints": [
                    tenants.constraints.SharedTable(name="market_tickload_shared", read="unwalled")
                ],
            },
        ),
    ]
